"""Feeds of a scripted server, polled by the program as it is put together, at instants that the test chooses."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from monitor.core.feed import Document, ParsedFeed
from monitor.core.model import Article, FeedState
from monitor.ports import Parser
from tests.clock import StandingClock
from tests.factories import NOW
from tests.pipeline.stage import Pipeline, pipeline
from tests.servers.feeds import FeedServer, document, item, rss

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Newsstand:
    """A server of feeds and the store that remembers them, over as many starts of the program as a test likes."""

    def __init__(self, directory: Path, store: str, server: FeedServer) -> None:
        self.server = server
        self.clock = StandingClock()
        self._directory = directory
        self._store = store

    @asynccontextmanager
    async def open(self, poll: dict[str, Any] | None = None, **feeds: Any) -> AsyncIterator["Open"]:
        """Start the program. Feeds are by id; each is at `/ID`, every 10 minutes, unless it says otherwise."""
        listed = {
            name: {"url": f"{self.server.base}/{name}", "every": "10m"} | settings
            for name, settings in (feeds or {"one": {}}).items()
        }
        process = {"min_interval": "100ms", "per_host": 8, "domain_gap": "0s"} | (poll or {})
        async with pipeline(
            self._directory / "config",
            self._store,
            self.clock,
            monitor={"poll": process},
            feeds=listed,
        ) as program:
            yield Open(self, program)


class CountingParser:
    """Counts the documents that are parsed."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self.count = 0

    async def parse(self, document: Document, **how: Any) -> ParsedFeed:
        self.count += 1
        return await self._parser.parse(document, **how)


class Open:
    """The program while it runs."""

    def __init__(self, stand: Newsstand, program: Pipeline) -> None:
        self.stand = stand
        self.program = program
        poller = program.program.poller
        self.parser = poller._parser = CountingParser(poller._parser)

    async def poll(self, after: timedelta = timedelta()) -> None:
        """Let time pass, then poll what is due."""
        self.stand.clock.advance(after)
        await self.program.take_in()

    async def poll_until(self, span: timedelta, *, step: timedelta = MINUTE) -> None:
        """Let time pass in steps, and poll at each what is due."""
        end = self.stand.clock.now() + span
        while self.stand.clock.now() < end:
            await self.poll(step)

    async def articles(self) -> list[Article]:
        """Return what was taken in, and have it matched."""
        log = self.program.parts.articles
        found: list[Article] = []
        while entries := await log.read(100, timedelta(milliseconds=1)):
            for entry in entries:
                found.append(entry.value)
                await log.forward(entry, ())
        return found

    async def state(self, feed_id: str = "one") -> FeedState:
        return (await self.program.parts.feeds.states([feed_id]))[feed_id]

    async def wait(self, feed_id: str = "one") -> timedelta:
        """Return for how long the feed is left alone from now on."""
        state = await self.state(feed_id)
        assert state.next_poll_at is not None
        return state.next_poll_at - self.stand.clock.now()

    def polls(self, result: str) -> int:
        """Return how many polls ended like this."""
        return int(self.program.metrics.polls.labels(result)._value.get())

    def requests(self, path: str = "/one") -> Sequence[dict[str, str]]:
        return self.stand.server.asked(path)


def news(*numbers: int) -> str:
    """Write a document with these articles."""
    return rss(*(item(number) for number in numbers))


def sends(*numbers: int, **answer: Any) -> Any:
    """Answer with a document with these articles."""
    return document(news(*numbers), **answer)


def http_date(instant: datetime = NOW) -> str:
    return format_datetime(instant, usegmt=True)
