"""Pages of articles that are read while their feed is polled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.fulltext import MOST_PAGES, MOST_TIME, PageOutcome, PageText
from monitor.core.model import Article, Feed, FullText
from monitor.feeds.fetch import HttpFetcher
from monitor.feeds.gate import HostGate
from monitor.feeds.linguist import ModelLinguist
from monitor.feeds.pages import HttpPages
from monitor.feeds.process import ProcessParser
from monitor.services import pages as pages_module
from monitor.services.pages import PageReading
from monitor.services.poller import PollerService
from monitor.streams.memory import MemoryArticleLog, MemoryFeedStore, MemoryStore
from monitor.telemetry import Metrics
from tests.clock import StandingClock
from tests.factories import article, feed
from tests.servers.feeds import (
    FeedServer,
    document,
    feed_server,
    item,
    open_test_session,
    redirect,
    rss,
    slow_drip,
    status,
)

SENTENCE = "The delegations agreed on Thursday to continue their talks about the border in Geneva."
PAGE = (
    "<html><head><title>Talks</title></head><body><article><h1>Talks</h1>"
    + "".join(f"<p>Paragraph {n}. {SENTENCE}</p>" for n in range(5))
    + "</article></body></html>"
)
HTML = "text/html; charset=utf-8"


def page(text: str = PAGE) -> Any:
    return document(text, content_type=HTML)


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        yield running


@asynccontextmanager
async def opened(patience: timedelta = timedelta(seconds=10)) -> AsyncIterator[HttpPages]:
    async with (
        open_test_session() as session,
        HttpPages(HttpFetcher(session, gate=HostGate(1), timeout=patience)) as pages,
    ):
        yield pages


class Desk:
    """A reading over real pages, and what it counted."""

    def __init__(
        self, pages: HttpPages, places: int = 2, domain_gap: timedelta = timedelta()
    ) -> None:
        self.metrics = Metrics()
        self.turns = MemoryFeedStore(MemoryStore(), domain_gap=domain_gap)
        self.reading = PageReading(pages, self.turns, StandingClock(), self.metrics, places=places)

    async def complete(self, *articles: Article, **changes: Any) -> list[str]:
        """Return the bodies."""
        asked = feed(**{"full_text": FullText.ALWAYS, **changes})
        return [each.body for each in await self.reading.complete(asked, articles)]

    def counted(self) -> dict[PageOutcome, int]:
        counts = {
            each: int(self.metrics.full_text.labels(each)._value.get()) for each in PageOutcome
        }
        return {outcome: count for outcome, count in counts.items() if count}


def at(url: str, **fields: Any) -> Article:
    return article(url=url, **fields)


async def test_body_is_the_text_of_the_page(server: FeedServer) -> None:
    async with opened() as pages:
        desk = Desk(pages)
        (body,) = await desk.complete(at(server.script("/1", page())))
    assert body.startswith("Paragraph 0. The delegations")
    assert desk.counted() == {PageOutcome.EXTRACTED: 1}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(status(404), PageOutcome.NOT_FETCHED, id="missing"),
        pytest.param(status(429, retry_after="60"), PageOutcome.NOT_FETCHED, id="too often"),
        pytest.param(page("<html><body>Log in</body></html>"), PageOutcome.NO_TEXT, id="login"),
        pytest.param(document(b"%PDF", content_type="application/pdf"), PageOutcome.NOT_A_PAGE, id="pdf"),
        pytest.param(redirect("http://10.0.0.1/secret"), PageOutcome.NOT_FETCHED, id="private"),
        pytest.param(document(bytes(16 << 20), content_type=HTML), PageOutcome.NOT_FETCHED, id="large"),
    ],
)  # fmt: skip
async def test_article_goes_on_as_it_is_when_its_page_cannot_be_had(
    server: FeedServer, answer: Any, outcome: PageOutcome
) -> None:
    async with opened() as pages:
        desk = Desk(pages)
        assert await desk.complete(at(server.script("/1", answer), body="As the feed says.")) == [
            "As the feed says."
        ]
    assert desk.counted() == {outcome: 1}


async def test_page_that_says_less_than_the_feed_changes_nothing(server: FeedServer) -> None:
    long = SENTENCE * 50
    async with opened() as pages:
        assert await Desk(pages).complete(at(server.script("/1", page()), body=long)) == [long]


async def test_host_that_wants_to_be_left_alone_is_asked_for_no_further_page(
    server: FeedServer,
) -> None:
    busy = server.script("/1", status(503))
    others = [at(server.script(f"/{n}", page())) for n in (2, 3)]
    async with opened() as pages:
        desk = Desk(pages)
        assert await desk.complete(at(busy), *others) == ["", "", ""]
    assert len(server.requests) == 1
    assert desk.counted() == {PageOutcome.NOT_FETCHED: 3}


async def test_pages_of_one_poll_are_bounded(server: FeedServer) -> None:
    articles = [at(server.script(f"/{n}", page())) for n in range(MOST_PAGES + 3)]
    async with opened() as pages:
        desk = Desk(pages)
        bodies = await desk.complete(*articles)
    assert [bool(body) for body in bodies] == [True] * MOST_PAGES + [False] * 3
    assert desk.counted() == {PageOutcome.EXTRACTED: MOST_PAGES, PageOutcome.TOO_MANY: 3}


async def test_time_of_one_poll_is_bounded(
    server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_module, "MOST_TIME", timedelta(seconds=0.3))
    slow = server.script("/slow", slow_drip())
    async with opened() as pages:
        desk = Desk(pages)
        assert await desk.complete(at(slow), at(server.script("/2", page()))) == ["", ""]
    assert desk.counted() == {PageOutcome.OUT_OF_TIME: 2}


async def test_polls_beyond_the_places_go_on_without_pages(server: FeedServer) -> None:
    async with opened(timedelta(seconds=0.5)) as pages:
        desk = Desk(pages, places=1)
        slow, other = at(server.script("/slow", slow_drip())), at(server.script("/2", page()))
        async with asyncio.TaskGroup() as group:
            first = group.create_task(desk.complete(slow))
            await asyncio.sleep(0)
            assert await desk.complete(other) == [""]
        assert first.result() == [""]
        assert desk.counted() == {PageOutcome.NOT_FETCHED: 1, PageOutcome.BUSY: 1}
        assert await desk.complete(other) != [""]


async def test_page_that_breaks_the_extractor_costs_its_text_alone(server: FeedServer) -> None:
    deep = page("<html><body>" + "<div>" * 400_000 + "text")
    async with opened() as pages:
        desk = Desk(pages)
        bodies = await desk.complete(
            at(server.script("/deep", deep)), at(server.script("/2", page()))
        )
    assert bodies[0] == ""
    assert bodies[1]


# --- which pages are read ---


@pytest.mark.parametrize(
    ("full_text", "rules_read_body", "said", "reads"),
    [
        (FullText.NEVER, True, {}, False),
        (FullText.AUTO, False, {}, False),
        (FullText.AUTO, True, {}, True),
        (FullText.AUTO, True, {"body": "There is one."}, False),
        (FullText.ALWAYS, False, {"body": "There is one."}, True),
        (FullText.ALWAYS, False, {"url": "mailto:desk@news.example"}, False),
    ],
)
async def test_pages_are_read_where_they_are_wanted(
    full_text: FullText, rules_read_body: bool, said: dict[str, str], reads: bool
) -> None:
    asked: list[str] = []

    class Reader:
        async def read(self, _: Feed, url: str) -> PageText:
            asked.append(url)
            return PageText(outcome=PageOutcome.NO_TEXT)

    turns = MemoryFeedStore(MemoryStore())
    reading = PageReading(Reader(), turns, StandingClock(), Metrics(), places=1)
    reading.use(rules_read_body=rules_read_body)
    one = article(**{"url": "http://news.example/1", "body": "", **said})
    await reading.complete(feed(full_text=full_text), [one])
    assert bool(asked) is reads


async def test_pages_wait_for_a_turn_of_their_domain_and_are_left_out_when_it_comes_too_late(
    server: FeedServer,
) -> None:
    async with opened() as pages:
        desk = Desk(pages, domain_gap=MOST_TIME + timedelta(seconds=1))
        bodies = await desk.complete(
            *(at(server.script(f"/{n}", page()), id=f"a{n}", body="") for n in range(3))
        )
    assert [bool(body) for body in bodies] == [True, False, False]
    assert desk.counted() == {PageOutcome.EXTRACTED: 1, PageOutcome.OUT_OF_TIME: 2}


@pytest.mark.parametrize(("headers", "seconds"), [({}, 2), ({"retry_after": "3600"}, 3600)])
async def test_page_that_is_refused_slows_its_domain_as_a_feed_does(
    server: FeedServer, headers: dict[str, str], seconds: int
) -> None:
    busy = server.script("/1", status(429, **headers))
    async with opened() as pages:
        desk = Desk(pages)
        await desk.complete(at(busy))
    now = StandingClock().now()
    free_at = await desk.turns.turn(feed(), busy, now, now + timedelta(days=1))
    assert free_at == now + timedelta(seconds=seconds)


# --- in the poller ---


async def test_poller_reads_the_pages_of_what_is_new_and_records_them_with_it(
    server: FeedServer,
) -> None:
    clock, metrics, store = StandingClock(), Metrics(), MemoryStore()
    feeds, log = MemoryFeedStore(store), MemoryArticleLog(store)
    old, new = (
        item(
            n, link=server.script(f"/{n}", page(PAGE.replace("Paragraph", f"Page {n}, paragraph")))
        )
        for n in (1, 2)
    )
    watched = feed(
        id="one",
        url=server.script("/feed", document(rss(old)), document(rss(new, old))),
        full_text=FullText.ALWAYS,
    )
    async with (
        open_test_session() as session,
        ProcessParser(workers=1) as parser,
        HttpPages(HttpFetcher(session)) as pages,
    ):
        service = PollerService(
            feeds,
            HttpFetcher(session),
            parser,
            {"one": watched},
            clock,
            metrics,
            linguist=ModelLinguist(),
            concurrency=1,
            lease=timedelta(minutes=5),
            new_trace=lambda: "t",
            reading=PageReading(pages, feeds, clock, metrics, places=1),
        )
        await feeds.sync([watched], clock.now(), timedelta())
        await service.step()
        clock.advance(timedelta(hours=3))
        await service.step()
        clock.advance(timedelta(hours=3))
        await service.step()
    (entry,) = await log.read(10, timedelta())
    assert entry.value.body.startswith("Page 2, paragraph 0.")
    assert [len(server.asked(path)) for path in ("/feed", "/1", "/2")] == [3, 0, 1]
