"""Performs the demo: newsroom and receivers on loopback, and between them the pipeline as `monitor run` runs it."""

import asyncio
import json
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from rich.console import Console

from monitor.app.parts import Outside, StoreParts, open_outside, open_store_parts
from monitor.app.program import Program
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
from monitor.demo.report import introduce, summarise
from monitor.demo.script import MISHAPS, OUTLETS, load_script
from monitor.demo.show import Show
from monitor.demo.tally import Tally
from monitor.demo.watch import ScreenChannel, WatchedMatcher
from monitor.ports import Channel
from monitor.telemetry import Metrics, configure_logging

_INTERRUPTED = 130  # what shells report of a program ended by Ctrl-C
_OUTAGE = 2  # tries that the webhook receiver refuses
_TAIL = 6.0  # of the seconds asked for, those left at the end for the last alerts to arrive
_EVERY = timedelta(milliseconds=500)
_ERRORS = 5
_GRACE = 20.0  # seconds longer that a slow machine is given


async def run_demo(seconds: float, console: Console) -> int:
    """Run for about `seconds`; return 0 if every alert came that should, once, and no other did."""
    with TemporaryDirectory(prefix="monitor-demo-") as name:
        performance = asyncio.ensure_future(Stage(Path(name), seconds, console).perform())
        with _stopped_by_signals(performance):
            try:
                return await performance
            except asyncio.CancelledError:
                console.print("Stopped.")
                return _INTERRUPTED


class Stage:
    """Everything that one performance needs."""

    def __init__(self, directory: Path, seconds: float, console: Console) -> None:
        """Perform for about `seconds`, with files in `directory`."""
        pieces = load_script()
        self._directory = directory
        self._config = directory / "config"
        self._log = directory / "monitor.log"
        self._seconds = seconds
        self._console = console
        self._newsroom = Newsroom(OUTLETS, pieces, MISHAPS, max(seconds - _TAIL, seconds / 2))
        self._tally = Tally(pieces, SUBSCRIBERS)
        self._show = Show(console, RULES, {each.id: each for each in OUTLETS})
        self._director = Director(self._newsroom, self._tally, self._show)
        self._metrics = Metrics()

    async def perform(self) -> int:
        """Open everything, play, close everything, sum up; return the exit code."""
        async with AsyncExitStack() as stack:
            stack.enter_context(_logging_to(self._log))
            await stack.enter_async_context(open_newsroom(self._newsroom))
            settings = await self._configured(stack)
            parts = await stack.enter_async_context(open_store_parts(settings))
            outside = await stack.enter_async_context(open_outside(settings))
            await self._play(settings, parts, outside)
        return self._sum_up()

    async def _configured(self, stack: AsyncExitStack) -> Settings:
        """Open the receivers, and load a configuration that leads to them."""
        site, secret, receive = self._newsroom.site, new_secret(), self._director.receive
        addresses = await stack.enter_async_context(
            open_receivers(
                WebhookReceiver(CRISIS_DESK.id, site, secret, _OUTAGE, receive),
                SlackReceiver(PRESS_OFFICE.id, site, receive),
                self._open_letter,
            )
        )
        write_config(self._config, site, OUTLETS, addresses, secret)
        return load(self._config, {})

    def _open_letter(self, letter: bytes) -> None:
        for each in read_letter(letter, ANALYST.id, self._newsroom.site):
            self._director.receive(each)

    async def _play(self, settings: Settings, parts: StoreParts, outside: Outside) -> None:
        program = Program(
            settings, parts, replace(outside, channel=self._channels(outside)), self._metrics
        )
        program.matcher.use(WatchedMatcher(settings.rule_set, self._director.see))
        now = parts.clock.now()
        await parts.feeds.sync(settings.feeds, now, _EVERY)  # soon, and one after the other
        census = await parts.health.census(now)
        self._show.head(
            introduce(
                settings,
                OUTLETS,
                SUBSCRIBERS,
                self._newsroom.site,
                self._config,
                census,
                self._show.rules,
            )
        )
        running = asyncio.ensure_future(program.run(asyncio.Event()))
        playing = asyncio.ensure_future(self._act())
        try:
            await asyncio.wait({running, playing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            try:
                await _end(playing)
            finally:
                await _end(running)

    async def _act(self) -> None:
        with suppress(TimeoutError):  # what was not read is missing in the end, and said so
            async with asyncio.timeout(_GRACE):
                await self._newsroom.all_read.wait()
        with self._show.standing(self._director.status):
            await self._director.play(self._seconds + _GRACE)

    def _channels(self, outside: Outside) -> Callable[[Target], Channel]:
        """Return how targets are reached: as ever, but the console is the screen that the demo fills."""

        def show(article: Article) -> None:
            path = article_path(article.url, self._newsroom.site)
            self._director.receive(Receipt(subscriber=SCREEN.id, path=path))

        def channel(target: Target) -> Channel:
            return (
                ScreenChannel(show)
                if isinstance(target, ConsoleTarget)
                else outside.channel(target)
            )

        return channel

    def _sum_up(self) -> int:
        self._show.summary(
            summarise(OUTLETS, self._newsroom, self._tally, self._director.quiet, self._metrics)
        )
        complaints = self._director.complaints()
        self._show.verdict(complaints + (_errors_in(self._log) if complaints else []))
        return 1 if complaints else 0


async def _end(task: asyncio.Future[None]) -> None:
    """Cancel a task; what ended it before, if anything did, is raised."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _errors_in(log: Path) -> list[str]:
    """Return the errors that the pipeline logged, the last few, for one who wonders what is wrong."""
    lines = (json.loads(each) for each in log.read_text(encoding="utf-8").splitlines())
    return [f"log: {json.dumps(each)}" for each in lines if each["level"] == "error"][-_ERRORS:]


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Keep the log off the screen."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    with path.open("w", encoding="utf-8") as log:
        configure_logging(style="json", stream=log)
        try:
            yield
        finally:
            structlog.reset_defaults()
            root.handlers[:] = handlers


@contextmanager
def _stopped_by_signals(performance: asyncio.Future[int]) -> Iterator[None]:
    """End the performance on SIGINT and SIGTERM, at once."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for each in signals:
        loop.add_signal_handler(each, performance.cancel)
    try:
        yield
    finally:
        for each in signals:
            loop.remove_signal_handler(each)
