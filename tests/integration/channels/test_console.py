"""The terminal, and what is not one."""

import asyncio
import os
from datetime import timedelta
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

from monitor.channels.console import ConsoleChannel
from monitor.channels.printer import MOST_WAITING
from monitor.core.outcome import Delivered, DeliveryReason, RetryLater
from tests.factories import NOW, delivery
from tests.unit.render.cases import CASES


async def said(case: str, *, terminal: bool) -> str:
    out = StringIO()
    channel = ConsoleChannel(out, terminal=terminal)
    assert await channel.deliver(CASES[case](), NOW) == Delivered()
    return out.getvalue()


async def test_alert_without_a_terminal_is_plain_lines() -> None:
    assert await said("simple", terminal=False) == (
        "Talks resume in Geneva\n"
        "Delegates returned to the table on Thursday.\n"
        "Example World · published 15 Jan 2026 11:57 UTC · seen 12:00 UTC · en"
        " · Rule: Talks (found: Talks, table)\n"
        "http://news.example/2026/01/15/talks\n\n"
    )


async def test_found_words_stand_out_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("COLORTERM", raising=False)
    text = await said("simple", terminal=True)
    assert "\x1b[1;33mTalks\x1b[0m\x1b[1m resume in Geneva\x1b[0m" in text
    assert "\x1b[1;33mtable\x1b[0m" in text


@pytest.mark.parametrize("case", CASES)
async def test_terminal_obeys_us_only(case: str) -> None:
    plain = await said(case, terminal=False)
    assert plain.isascii() or plain.encode("utf-8")
    assert not [c for c in plain if c < " " and c != "\n"]
    styled = await said(case, terminal=True)
    for sequence in styled.split("\x1b")[1:]:
        assert sequence.startswith("["), "a sequence that is no style"
        assert sequence[1:].lstrip("0123456789;").startswith("m")


async def test_what_the_output_cannot_write_is_replaced() -> None:
    raw = BytesIO()
    out = TextIOWrapper(raw, encoding="ascii")
    await ConsoleChannel(out).deliver(CASES["other_scripts"](), NOW)
    out.flush()
    assert raw.getvalue().startswith(b"??????: ")


async def test_reader_that_went_away_is_an_outcome() -> None:
    class Closed(StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    outcome = await ConsoleChannel(Closed()).deliver(delivery(), NOW)
    assert isinstance(outcome, RetryLater)
    assert outcome.reason is DeliveryReason.RESET


def fill(descriptor: int) -> None:
    """Write to a pipe until it takes no more."""
    os.set_blocking(descriptor, False)
    try:
        while True:
            os.write(descriptor, b"." * 4096)
    except BlockingIOError:
        os.set_blocking(descriptor, True)


async def test_reader_that_hangs_stops_nothing_and_is_told_when_it_reads_again() -> None:
    reading, writing = os.pipe()
    fill(writing)
    with open(writing, "w") as out, open(reading, "rb") as reader:  # noqa: ASYNC230, PTH123 - both are open
        channel = ConsoleChannel(out, patience=timedelta(milliseconds=50))
        for _ in range(MOST_WAITING + 2):
            outcome = await channel.deliver(delivery(), NOW)
            assert isinstance(outcome, RetryLater)
            assert outcome.reason is DeliveryReason.TIMEOUT
        await asyncio.to_thread(reader.read, 2**16)
        patient = ConsoleChannel(out)
        assert await patient.deliver(delivery(), NOW) == Delivered()
        await channel.close()
        await patient.close()
        os.set_blocking(reading, False)
        # The write that was under way, and the one that had time; what waited behind the first was given up.
        assert reader.read().decode().count("Talks resume in Geneva\n") == 2


async def test_disk_that_is_full_is_an_outcome() -> None:
    with Path("/dev/full").open("w") as full:  # noqa: ASYNC230
        channel = ConsoleChannel(full)
        outcome = await channel.deliver(delivery(), NOW)
        await channel.close()
    assert isinstance(outcome, RetryLater)
    assert "No space left" in outcome.detail
