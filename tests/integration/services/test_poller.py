import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from monitor.app.parts import SystemClock
from monitor.core.feed import Document
from monitor.core.model import Article, ArticleKind, Feed, FeedState
from monitor.core.outcome import Suppression
from monitor.errors import FeedReason
from monitor.feeds.fetch import HttpFetcher
from monitor.feeds.linguist import ModelLinguist
from monitor.feeds.process import ProcessParser
from monitor.net import AddressGuard, open_session
from monitor.services.poller import PollerService
from monitor.services.service import IDLE
from monitor.streams.memory import MemoryArchiveLog, MemoryArticleLog, MemoryFeedStore, MemoryStore
from monitor.telemetry import Metrics
from tests.clock import StandingClock
from tests.factories import feed
from tests.servers.newsroom import Newsroom, Story
from tests.wait import wait_until

LOOPBACK = ip_network("127.0.0.0/8")


class Bench:
    """A poller over a store in memory, fetching and parsing for real."""

    def __init__(self, newsroom: Newsroom, fetcher: HttpFetcher, parser: ProcessParser) -> None:
        self.newsroom = newsroom
        self.store = MemoryStore(archive=100)
        self.feeds = MemoryFeedStore(self.store)
        self.log = MemoryArticleLog(self.store)
        self.clock = StandingClock()
        self.metrics = Metrics()
        self.service = PollerService(
            self.feeds,
            fetcher,
            parser,
            {},
            self.clock,
            self.metrics,
            linguist=ModelLinguist(),
            concurrency=4,
            lease=timedelta(minutes=1),
            new_trace=lambda: "trace",
        )

    async def watch(self, *feeds: Feed) -> None:
        self.service.use({each.id: each for each in feeds})
        await self.feeds.sync(feeds, self.clock.now(), timedelta())

    def feed(self, name: str, **changes: Any) -> Feed:
        return feed(id=name, url=f"{self.newsroom.base}/feeds/{name}.xml", **changes)

    async def poll(self) -> list[Article]:
        """Poll what is due, an hour after the last time, and return what came of it."""
        self.clock.advance(timedelta(hours=1))
        await self.service.step()
        entries = await self.log.read(1000, timedelta())
        for entry in entries:
            await self.log.forward(entry, ())
        return [entry.value for entry in entries]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with (
        Newsroom().open() as newsroom,
        open_session(AddressGuard([LOOPBACK]), user_agent="test") as session,
        ProcessParser(workers=1) as parser,
    ):
        yield Bench(newsroom, HttpFetcher(session), parser)


async def test_the_first_poll_is_silent_and_counts_what_it_kept_back(bench: Bench) -> None:
    bench.newsroom.feeds["one"] = [Story(1, "old"), Story(2, "older")]
    await bench.watch(bench.feed("one"))
    assert await bench.poll() == []
    assert bench.metrics.suppressed.labels(Suppression.BASELINE)._value.get() == 2


async def test_what_the_first_poll_kept_back_is_archived(bench: Bench) -> None:
    bench.newsroom.feeds["one"] = [Story(1, "old")]
    await bench.watch(bench.feed("one"))
    await bench.poll()
    [kept] = await MemoryArchiveLog(bench.store).read(10, timedelta())
    assert (kept.value.suppressed, kept.value.matches) == (Suppression.BASELINE, ())


async def test_what_is_published_after_the_first_poll_comes_once(bench: Bench) -> None:
    stories = bench.newsroom.feeds["one"] = [Story(1, "old")]
    await bench.watch(bench.feed("one"))
    await bench.poll()
    stories.append(Story(2, "fresh"))
    (article,) = await bench.poll()
    assert (article.title, article.kind) == ("Story 2: fresh", ArticleKind.NEW)
    assert article.trace_id == "trace"
    assert await bench.poll() == []


async def test_an_edit_keeps_the_id_of_the_article(bench: Bench) -> None:
    stories = bench.newsroom.feeds["one"] = [Story(1, "old")]
    await bench.watch(bench.feed("one"))
    await bench.poll()
    stories.append(Story(2, "fresh"))
    (before,) = await bench.poll()
    stories[1] = Story(2, "fresher")
    (after,) = await bench.poll()
    assert after.kind is ArticleKind.EDITED
    assert after.id == before.id
    assert after.fingerprint != before.fingerprint


async def test_a_feed_that_cannot_be_reached_says_why_and_costs_no_other_feed(bench: Bench) -> None:
    bench.newsroom.feeds["good"] = []
    bad = feed(id="bad", url="http://127.0.0.1:1/rss")
    await bench.watch(bench.feed("good"), bad)
    await bench.poll()
    bench.newsroom.feeds["good"].append(Story(1, "news"))
    assert [article.feed_id for article in await bench.poll()] == ["good"]
    state = (await bench.feeds.states(["bad"]))["bad"]
    assert state.reason is FeedReason.CONNECT
    assert state.failures == 2
    assert state.next_poll_at
    assert state.next_poll_at > bench.clock.now()


async def test_a_full_log_takes_nothing_in_and_the_document_is_read_again(bench: Bench) -> None:
    bench.store.high_water = 0
    stories = bench.newsroom.feeds["one"] = [Story(1, "old")]
    await bench.watch(bench.feed("one"))
    await bench.poll()
    stories.append(Story(2, "fresh"))
    assert await bench.poll() == []
    assert bench.metrics.polls.labels("full")._value.get() == 1
    bench.store.high_water = 10
    assert [article.title for article in await bench.poll()] == ["Story 2: fresh"]


async def test_a_feed_that_this_process_does_not_know_is_left_to_others_at_once(
    bench: Bench,
) -> None:
    await bench.watch(bench.feed("one"))
    bench.service.use({})
    assert await bench.poll() == []
    due = await bench.feeds.next_due()
    assert due is not None
    assert due - bench.clock.now() == IDLE


async def test_a_feed_unlisted_while_leased_is_not_polled_again(bench: Bench) -> None:
    await bench.watch(bench.feed("one"))
    bench.clock.advance(timedelta(hours=1))
    [lease] = await bench.feeds.claim(bench.clock.now(), timedelta(minutes=1), 1)
    await bench.watch()
    await bench.service._handle(lease)
    assert await bench.feeds.next_due() is None


async def test_feeds_that_are_polled_together_are_polled_again_when_they_are_due() -> None:
    every = timedelta(milliseconds=50)
    polls: list[str] = []

    class Unchanged:
        async def fetch(self, feed: Feed, _state: FeedState) -> Document:
            polls.append(feed.id)
            await asyncio.sleep(0.01)  # for which both are leased, and nothing is due
            return Document(url=feed.url, status=304)

    feeds = {name: feed(id=name, every=every) for name in ("one", "two")}
    store = MemoryFeedStore(MemoryStore())
    service = PollerService(
        store,
        Unchanged(),
        ProcessParser(),
        feeds,
        SystemClock(),
        Metrics(),
        linguist=ModelLinguist(),
        concurrency=4,
        lease=timedelta(minutes=1),
        new_trace=lambda: "trace",
    )
    await store.sync(tuple(feeds.values()), SystemClock().now(), timedelta())
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run(stop))
        await wait_until(lambda: len(polls) >= 10, "five polls of each", seconds=4)
        stop.set()


async def test_an_article_gets_the_language_that_it_is_in_whatever_the_feed_declares(
    bench: Bench,
) -> None:
    stories = bench.newsroom.feeds["one"] = [Story(1, "old")]
    await bench.watch(bench.feed("one", lang="en"))
    await bench.poll()
    stories += [Story(2, "Министры обсудили вопросы"), Story(3, "Ministers discussed questions")]
    assert {article.lang for article in await bench.poll()} == {"ru", "en"}
