"""The file the log goes to, over real descriptors."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.logsink import MOST_WAITING, LogSink
from monitor.telemetry import configure_logging

LONG = timedelta(seconds=20)


pytestmark = pytest.mark.usefixtures("restored_logging")


def test_lines_arrive_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("ab") as file:
        sink = LogSink(file.fileno())
        text = sink.text
        for number in range(1000):
            text.write(f"{number} \N{GREEK SMALL LETTER PI} \ud800\n")
        sink.drain(LONG)
    assert path.read_text().splitlines() == [
        f"{n} \N{GREEK SMALL LETTER PI} \\ud800" for n in range(1000)
    ]
    assert sink.lost == 0


def test_what_the_disk_refuses_is_counted() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    sink = LogSink(descriptor)
    sink.text.write("one\n")
    sink.text.write("two\n")
    sink.drain(LONG)
    assert sink.lost == 2
    os.close(descriptor)


def test_behind_a_reader_that_hangs_lines_wait_up_to_a_bound_and_the_loss_is_said() -> None:
    reading, writing = os.pipe()
    sink = LogSink(writing)
    text = sink.text
    configure_logging("info", "json", text)
    line = "x" * 65_535 + "\n"
    for _ in range(MOST_WAITING // len(line) + 2):
        text.write(line)
    assert sink.lost in {1, 2}  # by whether one of them is in the pipe already
    said = 0
    with os.fdopen(reading, encoding="utf-8") as pipe:
        while said < sink.lost:
            read = pipe.readline()
            if read.startswith("{"):
                event = json.loads(read)
                assert event["event"] == "log_lines_lost"
                said += event["lines"]
    os.close(writing)
    assert said == sink.lost
