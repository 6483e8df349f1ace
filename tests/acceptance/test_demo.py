"""`monitor demo` as a newcomer starts it: a process of its own, no network, no accounts."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.demo.cast import SUBSCRIBERS
from monitor.demo.script import OUTLETS, Stale, alerting, load_script
from monitor.demo.tally import Tally

PIECES = load_script()
ROOT = Path(__file__).parents[2]


@contextmanager
def started(directory: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    environ = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(directory),
        "COLUMNS": "100",
        "REDIS_URL": "redis://127.0.0.1:1",  # of no concern to a demo
    }
    with subprocess.Popen(
        [sys.executable, "-m", "monitor", "demo", "--seconds", str(seconds)],
        cwd=directory,
        env=environ,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def section(summary: str, name: str) -> str:
    """Return one part of the summary: from its name to the next empty line, blanks made one."""
    found = re.search(rf"^{name} .*?(?=^\s*$)", summary, re.MULTILINE | re.DOTALL)
    assert found, f"no {name} in {summary}"
    return " ".join(found[0].split())


@pytest.mark.timeout(120)
def test_every_alert_arrives_once_and_the_summary_says_so(tmp_path: Path) -> None:
    with started(tmp_path, 12) as process:
        out, errors = process.communicate(timeout=100)
    assert (process.returncode, errors) == (0, ""), out
    assert "\x1b" not in out
    summary = out[out.index("\nPublished ") :]
    today = [each for each in PIECES if each.at is not None]
    languages = len({each.lang for each in OUTLETS})
    assert f"{len(today)} articles in {languages} languages" in section(summary, "Published")
    assert f"{len(alerting(PIECES))} articles:" in section(summary, "Matched")
    delivered = section(summary, "Delivered")
    expected = Tally(PIECES, SUBSCRIBERS).expected
    for each in SUBSCRIBERS:
        due = sum(1 for who, _ in expected if who == each.id)
        assert f"{each.id} {each.channel} {due} of {due}" in delivered
    assert re.search(r"crisis-desk [12], refused at first", section(summary, "Retried"))
    quiet = section(summary, "Kept quiet")
    noise = sum(1 for each in today if not each.rules)
    assert f"{noise} no rule matches" in quiet
    for stale in Stale:
        assert any(each.stale is stale for each in today)
    assert "Every alert that was due arrived, once" in summary
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopping_it_ends_it_at_once_and_leaves_nothing_behind(
    tmp_path: Path, how: signal.Signals
) -> None:
    with started(tmp_path, 60) as process:
        assert process.stdout
        assert any("→" in line for line in process.stdout)  # it is at work
        process.send_signal(how)
        out, errors = process.communicate(timeout=50)
    assert (process.returncode, errors) == (130, "")
    assert out.splitlines()[-1] == "Stopped."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(60)
def test_a_reader_who_leaves_ends_it_without_a_word(tmp_path: Path) -> None:
    with started(tmp_path, 60) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == ""
        assert process.wait(timeout=20) == 1
    assert list(tmp_path.iterdir()) == []
