"""The product as a process that dies where it is told to: `python -m tests.crash.worker CONFIG [options]`."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.app.parts import Outside, StoreParts, open_outside, open_store_parts
from monitor.app.program import SERVICES, Program
from monitor.config.load import load
from monitor.core.targets import kind_of
from monitor.telemetry import Metrics, configure_logging
from tests.crash.points import CrashPoint, Executioner


class ShiftedClock:
    """The wall clock, moved ahead: a worker started after a crash does not wait for leases to run out."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


async def work(
    config: Path, only: frozenset[str], point: CrashPoint | None, ahead: timedelta
) -> None:
    settings = load(config, os.environ)
    executioner = Executioner(point)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with open_store_parts(settings, ShiftedClock(ahead)) as opened:
        parts = _wrapped_parts(opened, executioner)
        async with open_outside(settings, parts.registry) as outside:
            watched = _wrapped_outside(outside, executioner)
            await Program(settings, parts, watched, Metrics(), only).run(stop)


def _wrapped_parts(parts: StoreParts, executioner: Executioner) -> StoreParts:
    wrap = executioner.wrap
    return replace(
        parts,
        feeds=wrap("feeds", parts.feeds),
        articles=wrap("articles", parts.articles),
        matches=wrap("matches", parts.matches),
        public=wrap("public", parts.public),
        ledger=wrap("ledger", parts.ledger),
        health=wrap("health", parts.health),
        registry=wrap("registry", parts.registry),
        habits=wrap("habits", parts.habits),
    )


def _wrapped_outside(outside: Outside, executioner: Executioner) -> Outside:
    wrap = executioner.wrap
    return Outside(
        fetcher=wrap("fetcher", outside.fetcher),
        parser=wrap("parser", outside.parser),
        pages=wrap("pages", outside.pages),
        linguist=outside.linguist,
        channel=lambda target: wrap(kind_of(target), outside.channel(target)),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line, or with these arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--only", default=",".join(SERVICES))
    parser.add_argument("--crash", type=CrashPoint.parse)
    parser.add_argument("--ahead", type=float, default=0.0, help="seconds the clock is ahead")
    chosen = parser.parse_args(arguments)
    configure_logging("warning", "json", sys.stderr)
    ahead = timedelta(seconds=chosen.ahead)
    asyncio.run(work(chosen.config, frozenset(chosen.only.split(",")), chosen.crash, ahead))


if __name__ == "__main__":
    main()
