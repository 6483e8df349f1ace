"""How a good feed reader behaves, one behaviour after the other: when it comes back, and what it takes in.

The first fifteen are in `test_polling_behaviours_http.py`, the last, hubs that push, in
`tests/integration/services/test_websub.py`.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web

from monitor.core.outcome import Suppression
from monitor.errors import FeedReason
from tests.factories import NOW
from tests.pipeline.newsstand import DAY, HOUR, MINUTE, Newsstand, news, sends
from tests.servers.feeds import (
    FeedServer,
    bomb,
    broken_off,
    document,
    endless,
    feed_server,
    held,
    item,
    redirect,
    rss,
    slow_drip,
    status,
)
from tests.wait import wait_until

SECOND = timedelta(seconds=1)
HTML = (
    '<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>'
)


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        yield running


@pytest.fixture
def stand(server: FeedServer, empty_server_url: str, tmp_path: Path) -> Newsstand:
    return Newsstand(tmp_path, empty_server_url, server)


def asking(*elements: str) -> str:
    """Write a document that says how often it wants to be read."""
    return news(1).replace("<link>", "".join(elements) + "<link>", 1)


@pytest.mark.parametrize(
    ("elements", "wait"),
    [
        ("<ttl>60</ttl>", HOUR),
        ("<ttl>5</ttl>", 10 * MINUTE),
        ("<ttl>99999</ttl>", DAY),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 6 * HOUR),
        ("<skipHours><hour>12</hour><hour>13</hour></skipHours>", 2 * HOUR),
        ("<skipDays><day>Thursday</day></skipDays>", 12 * HOUR),
    ],
)  # fmt: skip
async def test_16_what_the_document_asks_for_is_obeyed_unless_the_operator_says_otherwise(
    stand: Newsstand, elements: str, wait: timedelta
) -> None:
    namespace = '<rss xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    asked = document(asking(elements).replace("<rss ", namespace), etag='"1"')
    stand.server.script("/one", asked)
    stand.server.script("/deaf", asked)
    async with stand.open(one={}, deaf={"hints": "ignore"}) as opened:
        await opened.poll()
        assert 5 * MINUTE <= await opened.wait("deaf") <= 10 * MINUTE
        if wait > 10 * MINUTE:
            assert await opened.wait() == wait
        await opened.poll(10 * MINUTE)
        assert ((await opened.state()).polled_at == NOW) is (wait > 10 * MINUTE)


async def test_17_the_longest_wish_counts_and_is_said(stand: Newsstand) -> None:
    body = asking("<ttl>30</ttl>")
    stand.server.script("/one", document(body, headers={"Cache-Control": "max-age=2700"}))
    async with stand.open() as opened:
        await opened.poll()
        assert await opened.wait() == 45 * MINUTE
        assert (await opened.state()).because == "server asks for 45m (Cache-Control)"


async def test_17_a_feed_is_polled_as_often_as_it_has_news(stand: Newsstand) -> None:
    window = range(20)
    stand.server.script("/busy", *(sends(*(n + place for place in window)) for n in range(100)))
    stand.server.script("/still", sends(*window, etag='"1"'))
    async with stand.open(busy={"every": "auto"}, still={"every": "auto"}) as opened:
        await opened.poll_until(12 * HOUR, step=5 * MINUTE)
        busy, still = len(opened.requests("/busy")), len(opened.requests("/still"))
        assert busy > 2 * still
        assert (await opened.state("still")).because == "every 2h (learned)"
        assert (await opened.state("busy")).missed == 0


async def test_17_a_window_that_moves_on_between_two_polls_is_counted_and_read_more_often(
    stand: Newsstand,
) -> None:
    def window(turn: int) -> list[int]:
        return [10 * turn + place for place in range(10)]

    stand.server.script("/one", *(sends(*window(n), etag=f'"{n}"') for n in range(50)))
    async with stand.open(one={"every": "auto"}) as opened:
        await opened.poll()
        before = await opened.wait()
        await opened.poll_until(2 * HOUR)
        state = await opened.state()
        assert state.missed >= 5
        assert state.known_shares == (0.0, 0.0)
        assert opened.program.metrics.windows_missed._value.get() == state.missed
        overlap = opened.program.metrics.exposition().decode().splitlines()
        [none_known] = [line for line in overlap if 'feed_overlap_ratio_bucket{le="0.0"}' in line]
        assert float(none_known.split()[-1]) >= state.missed
        assert await opened.wait() <= 5 * MINUTE < before


async def test_18_feeds_of_one_host_are_asked_one_after_the_other(stand: Newsstand) -> None:
    names = [f"f{number}" for number in range(8)]
    for name in names:
        stand.server.script(f"/{name}", sends(1, etag='"1"'))
    async with stand.open(
        poll={"domain_gap": "10s", "per_host": 1}, **{name: {} for name in names}
    ) as opened:
        moments: list[timedelta] = []
        for second in range(1200):
            before = len(stand.server.requests)
            await opened.poll(SECOND)
            moments += [second * SECOND] * (len(stand.server.requests) - before)
        assert len(moments) >= 2 * len(names)
        assert min(later - earlier for earlier, later in pairwise(moments)) >= 10 * SECOND
        assert stand.server.most_in_flight == 1


async def test_19_a_delta_is_asked_for_and_what_is_missing_from_it_is_not_gone(
    stand: Newsstand,
) -> None:
    delta = status(226, news(3), im="feed", etag='"2"')
    whole = sends(1, 2, 3, 4, etag='"3"')
    stand.server.script("/one", sends(1, 2, etag='"1"'), delta, whole)
    async with stand.open() as opened:
        for _ in range(3):
            await opened.poll(HOUR)
        first, second, third = opened.requests()
        assert "a-im" not in first
        assert (second["a-im"], second["if-none-match"]) == ("feed", '"1"')
        assert third["if-none-match"] == '"2"'
        titles = [article.title for article in await opened.articles()]
        assert titles == ["Story 3", "Story 4"]
        assert (await opened.state()).missed == 0


async def test_20_what_is_too_large_too_long_or_too_slow_costs_one_poll_and_no_other_feed(
    stand: Newsstand,
) -> None:
    answers = {"bomb": bomb(32), "endless": endless(), "drip": slow_drip()}
    for name, answer in answers.items():
        stand.server.script(f"/{name}", answer)
    stand.server.script("/good", sends(1), sends(1, 2))
    limits = {"max_bytes": "1MiB", "timeout": "1s"}
    async with stand.open(poll=limits, good={}, **{name: {} for name in answers}) as opened:
        await opened.poll()
        reasons = {name: (await opened.state(name)).reason for name in answers}
        assert reasons == {
            "bomb": FeedReason.TOO_LARGE,
            "endless": FeedReason.TOO_LARGE,
            "drip": FeedReason.TIMEOUT,
        }
        await opened.poll(HOUR)
        assert [article.title for article in await opened.articles()] == ["Story 2"]


async def test_20_feeds_that_hang_at_one_host_hold_up_no_feed_of_another(stand: Newsstand) -> None:
    hanging = [f"h{number}" for number in range(4)]
    gate, stop = asyncio.Event(), asyncio.Event()
    for name in hanging:
        stand.server.script(f"/{name}", sends(1), held(gate))
    stand.server.script("/good", sends(1), sends(1, 2))
    good = {"url": stand.server.base.replace("127.0.0.1", "localhost") + "/good"}
    limits = {"concurrency": 2, "per_host": 1}
    async with stand.open(poll=limits, good=good, **{name: {} for name in hanging}) as opened:
        await opened.poll()
        stand.clock.advance(HOUR)
        async with asyncio.TaskGroup() as group:
            group.create_task(opened.program.program.poller.run(stop))
            await wait_until(lambda: len(opened.requests("/good")) == 2, "the good one is asked")
            assert sum(len(opened.requests(f"/{name}")) for name in hanging) == len(hanging) + 1
            stop.set()
            gate.set()


async def test_20_hosts_that_do_not_answer_hold_no_places_for_long(stand: Newsstand) -> None:
    hanging = [f"h{number}" for number in range(3)]
    gate, stop = asyncio.Event(), asyncio.Event()
    for name in hanging:
        stand.server.script(f"/{name}", sends(1), held(gate))
    stand.server.script("/good", sends(1), sends(1, 2))
    limits = {"concurrency": 3, "per_host": 4}
    good = {"every": "1d"}
    async with stand.open(poll=limits, good=good, **{name: {} for name in hanging}) as opened:
        await opened.poll()
        stand.clock.advance(HOUR)
        async with asyncio.TaskGroup() as group:
            group.create_task(opened.program.program.poller.run(stop))

            def all_hang() -> bool:
                return all(len(opened.requests(f"/{name}")) == 2 for name in hanging)

            await wait_until(all_hang, "every place is taken")
            feeds, now = opened.program.parts.feeds, stand.clock.now()
            lease = await feeds.take("good", now, MINUTE)
            assert lease
            await feeds.record(lease, lease.state, now, now=now)
            await wait_until(lambda: len(opened.requests("/good")) == 2, "the good one is asked")
            stop.set()
            gate.set()


async def test_21_a_web_page_instead_of_a_feed_changes_nothing_that_is_known(
    stand: Newsstand,
) -> None:
    page = document(HTML, content_type="text/html", etag='"page"')
    challenge = status(403, "Just a moment...", cf_mitigated="challenge")
    stand.server.script("/one", sends(1, etag='"1"'), page, challenge, sends(1, 2, etag='"2"'))
    async with stand.open() as opened:
        await opened.poll()
        await opened.poll(HOUR)
        state = await opened.state()
        assert (state.reason, state.etag) == (FeedReason.NOT_A_FEED, '"1"')
        assert f"{stand.server.base}/feed.xml" in state.detail
        await opened.poll(HOUR)
        assert (await opened.state()).reason is FeedReason.CHALLENGE
        await opened.poll(3 * HOUR)
        assert [article.title for article in await opened.articles()] == ["Story 2"]


@pytest.mark.parametrize("broken", ["empty", "truncated", "cut off", "no entries"])
async def test_22_an_empty_or_broken_document_keeps_the_validators_of_the_last_whole_one(
    stand: Newsstand, broken: str
) -> None:
    whole = news(1, 2)
    answer = {
        "empty": document("", etag='"broken"'),
        "truncated": document(whole[: whole.index("story-2")], etag='"broken"'),
        "cut off": broken_off(whole),
        "no entries": document(news(), etag='"broken"'),
    }[broken]
    stand.server.script("/one", sends(1, etag='"1"'), answer, sends(1, 2, etag='"2"'))
    async with stand.open() as opened:
        for _ in range(2):
            await opened.poll(HOUR)
        assert (await opened.state()).etag == '"1"'
        await opened.poll(3 * HOUR)
        assert opened.requests()[2]["if-none-match"] == '"1"'
        assert [article.title for article in await opened.articles()] == ["Story 2"]


async def test_23_the_byte_order_mark_counts_before_the_header_before_the_declaration(
    stand: Newsstand,
) -> None:
    told = rss(item(1, title="Zürich, naïve", published_at=NOW))
    declared = told.replace('encoding="utf-8"', 'encoding="iso-8859-1"')
    bodies = {
        "mark": (b"\xef\xbb\xbf" + declared.encode(), "text/xml; charset=windows-1252"),
        "header": (declared.encode(), "text/xml; charset=utf-8"),
        "declaration": (told.replace("utf-8", "windows-1252").encode("windows-1252"), "text/xml"),
        "neither": (told.replace(' encoding="utf-8"', "").encode(), "text/xml"),
    }
    for name, (body, kind) in bodies.items():
        stand.server.script(f"/{name}", document(body, content_type=kind))
    async with stand.open(**{name: {"since": "7d"} for name in bodies}) as opened:
        await opened.poll()
        titles = {article.feed_id: article.title for article in await opened.articles()}
        assert titles == dict.fromkeys(bodies, "Zürich, naïve")


async def test_24_no_address_that_is_not_public_is_dialled_not_even_after_a_redirect(
    stand: Newsstand,
) -> None:
    stand.server.script("/one", redirect("http://169.254.169.254/latest/meta-data/"))
    stand.server.script("/two", redirect("http://[::1]:9/rss", 301))
    direct = {"url": "http://10.0.0.1/rss"}
    async with stand.open(one={}, two={}, direct=direct) as opened:
        await opened.poll()
        for name in ("one", "two", "direct"):
            state = await opened.state(name)
            assert state.reason is FeedReason.REFUSED_ADDRESS
            assert "not a public address" in state.detail


async def test_25_a_clock_that_jumped_ahead_and_back_leaves_no_feed_waiting(
    stand: Newsstand,
) -> None:
    stand.server.script("/one", sends(1, headers={"Cache-Control": "max-age=3600"}))
    async with stand.open(poll={"domain_gap": "10s"}) as opened:
        await opened.poll(400 * DAY)
        stand.clock.advance(-400 * DAY)
        await opened.program.program.poller.step()
        assert len(opened.requests()) == 2
        assert (await opened.state()).polled_at == NOW
        await opened.poll(30 * MINUTE)
        assert len(opened.requests()) == 2
        await opened.poll(31 * MINUTE)
        assert len(opened.requests()) == 3


async def test_26_the_first_poll_is_silent_and_an_article_is_told_by_what_identifies_it(
    stand: Newsstand,
) -> None:
    backlog = item(1)
    versions = [
        (item(2, guid="", link="http://news.example/a", title="By its link"),),
        (item(2, guid="", link="", title="By its words alone, of which there are some"),),
        (item(2, guid="same", title="As it was"),),
        (item(2, guid="same", title="As it is now"),),
    ]
    stand.server.script(
        "/one", sends(1), *(document(rss(*version, backlog)) for version in versions)
    )
    async with stand.open() as opened:
        await opened.poll()
        assert await opened.articles() == []
        assert opened.program.suppressed() == {Suppression.BASELINE: 1}
        told = []
        for _ in versions:
            await opened.poll(HOUR)
            told += [(article.title, article.kind.value) for article in await opened.articles()]
        assert told == [
            ("By its link", "new"),
            ("By its words alone, of which there are some", "new"),
            ("As it was", "new"),
            ("As it is now", "edited"),
        ]
        await opened.poll(HOUR)
        assert await opened.articles() == []


async def test_silence_far_beyond_the_rhythm_of_a_feed_is_told_and_its_end_too(
    stand: Newsstand,
) -> None:
    dated = [item(n, published_at=NOW - n * HOUR) for n in range(1, 11)]
    fresh = item(11, published_at=NOW + 3 * DAY)
    stand.server.script("/one", document(rss(*dated), etag='"1"'))
    async with stand.open() as opened:
        await opened.poll_until(2 * DAY, step=HOUR)
        (notice,) = await opened.articles()
        assert notice.title == "one is silent"
        stand.server.script("/one", document(rss(fresh, *dated), etag='"2"'))
        await opened.poll_until(2 * HOUR)
        assert {article.title for article in await opened.articles()} == {
            "Story 11",
            "one is well again",
        }


async def test_a_notice_reaches_the_subscriber_of_the_root_route(stand: Newsstand) -> None:
    """And through the tree of routes, so that it can go to whoever looks after feeds."""
    stand.server.script("/one", status(410))
    async with stand.open() as opened:
        await opened.poll()
        await opened.program.settle()
        assert opened.program.suppressed() == {Suppression.NO_ROUTE: 1}


async def test_a_feed_switched_off_and_on_is_not_asked_before_its_server_allows(
    stand: Newsstand,
) -> None:
    stand.server.script("/one", sends(1, headers={"Cache-Control": "max-age=7200"}))
    async with stand.open() as opened:
        await opened.poll()
    async with stand.open(other={"url": f"{stand.server.base}/other"}) as opened:
        await opened.poll(MINUTE)
    async with stand.open() as opened:
        await opened.poll(MINUTE)
        assert len(opened.requests()) == 1
        assert await opened.wait() == 118 * MINUTE
        await opened.poll(2 * HOUR)
        assert len(opened.requests()) == 2


async def test_a_server_that_sends_headers_without_end_is_cut_off(stand: Newsstand) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        transport.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(5000):
            if transport.is_closing():
                break
            transport.write(b"X-%d: %s\r\n" % (number, b"x" * 4000))
            await asyncio.sleep(0)
        return web.Response()

    stand.server.script("/one", flood)
    async with stand.open() as opened:
        await opened.poll()
        assert (await opened.state()).reason is FeedReason.BAD_RESPONSE
