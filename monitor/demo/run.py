"""Performs the demo: newsroom and receivers on loopback, and between them the pipeline as `monitor run` runs it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from monitor.app import Outside, Program, open_outside, open_store_parts
from monitor.config.load import load
from monitor.config.settings import Settings
from monitor.core.model import Article
from monitor.core.targets import ConsoleTarget, Target
from monitor.demo.cast import ANALYST, CRISIS_DESK, PRESS_OFFICE, RULES, SCREEN, SUBSCRIBERS
from monitor.demo.config import new_secret, write_config
from monitor.demo.director import Director
from monitor.demo.newsroom import Newsroom, open_newsroom
from monitor.demo.receivers import (
    Receipt,
    SlackReceiver,
    WebhookReceiver,
    article_path,
    open_receivers,
    read_letter,
)
from monitor.demo.report import summarise
from monitor.demo.script import MISHAPS, OUTLETS, load_script
from monitor.demo.show import Show
from monitor.demo.tally import Tally
from monitor.demo.watch import ScreenChannel, WatchedMatcher
from monitor.ports import Channel
from monitor.telemetry import Metrics, configure_logging

_INTERRUPTED = 130  # what shells report of a program ended by Ctrl-C
_OUTAGE = 2  # tries that the webhook receiver refuses
_TAIL = 6.0  # of the seconds asked for, those left at the end for the last alerts to arrive
_GRACE = 20.0  # seconds longer that a slow machine is given


async def run_demo(seconds: float, console: Console) -> int:
    """Run for about `seconds`; return 0 if every alert came that should, once, and no other did."""
    with TemporaryDirectory(prefix="monitor-demo-") as directory:
        performance = asyncio.ensure_future(_perform(Path(directory), seconds, console))
        with _stopping(performance):
            try:
                return await performance
            except asyncio.CancelledError:
                console.print("Stopped.")
                return _INTERRUPTED
