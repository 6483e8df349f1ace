"""How a good feed reader behaves towards servers, one behaviour after the other: what is asked, and what is kept.

The program polls a scripted server on real sockets. The behaviours are those that publishers complain about missing
(rachelbythebay.com, earth.org.uk, openrss.org, the issues of other readers).
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.errors import FeedReason
from tests.factories import NOW
from tests.pipeline.newsstand import DAY, HOUR, MINUTE, Newsstand, http_date, news, sends
from tests.pipeline.stage import EMBEDDED
from tests.servers.feeds import (
    FeedServer,
    document,
    feed_server,
    packed,
    redirect,
    reset,
    status,
)

ODD_DATE = "Thursday, the 15th, about noon"
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


@pytest.fixture
def lasting(server: FeedServer, tmp_path: Path) -> Newsstand:
    """A stand whose store is the embedded server, started and stopped with the program."""
    return Newsstand(tmp_path, EMBEDDED, server)


async def test_01_both_validators_go_back_byte_for_byte_across_restarts(lasting: Newsstand) -> None:
    lasting.server.script("/one", sends(1, etag='W/"a,b\\"c"', last_modified=ODD_DATE))
    for _ in range(3):
        async with lasting.open() as opened:
            await opened.poll(HOUR)
    first, *later = lasting.server.asked("/one")
    assert not {"if-none-match", "if-modified-since"} & first.keys()
    assert len(later) == 2
    for headers in later:
        assert headers["if-none-match"] == 'W/"a,b\\"c"'
        assert headers["if-modified-since"] == ODD_DATE


async def test_02_a_restart_asks_neither_early_nor_unconditionally(lasting: Newsstand) -> None:
    lasting.server.script("/one", sends(1, etag='"1"'))
    async with lasting.open() as opened:
        await opened.poll()
    for _ in range(2):
        async with lasting.open() as opened:
            await opened.poll(MINUTE)
    assert len(lasting.server.asked("/one")) == 1
    async with lasting.open() as opened:
        await opened.poll(10 * MINUTE)
    assert lasting.server.asked("/one")[1]["if-none-match"] == '"1"'


async def test_03_nobody_is_asked_more_often_than_he_allows_or_the_operator_wants(
    stand: Newsstand,
) -> None:
    """Where neither says anything: at most every 5 minutes, and a whole document at most every 15."""
    stand.server.script("/bare", *(sends(n, n + 1) for n in range(100)))
    stand.server.script("/kind", *(sends(n, n + 1, etag=f'"{n}"') for n in range(100)))
    async with stand.open(bare={"every": "auto"}, kind={"every": "auto"}) as opened:
        await opened.poll_until(5 * HOUR)
        bare, kind = len(opened.requests("/bare")), len(opened.requests("/kind"))
    assert 15 <= bare <= 5 * 4 + 1
    assert 40 <= kind <= 5 * 12 + 1


async def test_04_a_304_renews_validators_and_lifetime_and_ends_a_row_of_failures(
    stand: Newsstand,
) -> None:
    renewed = status(304, etag='"2"', cache_control="max-age=3600")
    stand.server.script("/one", sends(1, etag='"1"'), status(503), renewed, sends(1, etag='"2"'))
    async with stand.open() as opened:
        await opened.poll()
        await opened.poll(HOUR)
        assert (await opened.state()).failures == 1
        await opened.poll(DAY)
        state = await opened.state()
        assert (state.failures, state.reason, state.etag) == (0, None, '"2"')
        assert await opened.wait() == HOUR
        await opened.poll(HOUR)
        assert opened.requests()[-1]["if-none-match"] == '"2"'
        assert (await opened.wait()) == HOUR  # a 304 that does not repeat it leaves it in force


async def test_05_the_same_bytes_are_not_parsed_again(stand: Newsstand) -> None:
    stand.server.script("/one", sends(1))
    async with stand.open() as opened:
        for _ in range(3):
            await opened.poll(HOUR)
        assert len(opened.requests()) == 3
        assert opened.parser.count == 1


async def test_06_a_server_that_churns_its_etag_is_stopped_by_the_bytes(stand: Newsstand) -> None:
    stand.server.script("/one", *(sends(1, etag=f'"{n}"') for n in range(4)))
    async with stand.open() as opened:
        for _ in range(4):
            await opened.poll(HOUR)
        assert opened.parser.count == 1
        assert [headers.get("if-none-match") for headers in opened.requests()] == [
            *(None, '"0"', '"1"', '"2"'),
        ]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Cache-Control": "max-age=7200"}, 2 * HOUR),
        ({"Cache-Control": "max-age=7200", "Age": "1800"}, 1.5 * HOUR),
        ({"Cache-Control": "no-cache, max-age=7200"}, 10 * MINUTE),
        ({"Expires": http_date(NOW + HOUR)}, HOUR),
        ({"Expires": http_date(NOW + HOUR), "Cache-Control": "max-age=1800"}, HOUR / 2),
        ({"Cache-Control": "max-age=31536000"}, DAY),
        ({"Cache-Control": "max-age=60"}, 10 * MINUTE),
    ],
)
async def test_07_an_answer_is_not_asked_for_again_while_it_is_fresh(
    stand: Newsstand, headers: dict[str, str], wait: timedelta
) -> None:
    stand.server.script("/one", sends(1, headers={"Date": http_date()} | headers))
    async with stand.open() as opened:
        await opened.poll()
        await opened.poll(11 * MINUTE)
        if len(opened.requests()) == 1:
            assert await opened.wait() == wait - 11 * MINUTE
        else:
            assert wait == 10 * MINUTE


@pytest.mark.parametrize("form", ["3600", http_date(NOW + HOUR)])
async def test_08_retry_after_is_obeyed_in_both_forms_for_all_feeds_of_the_domain(
    stand: Newsstand, form: str
) -> None:
    refused = status(429, retry_after=form, date=http_date())
    stand.server.script("/one", refused, sends(1))
    stand.server.script("/two", sends(1))
    async with stand.open(poll={"concurrency": 1}, one={}, two={}) as opened:
        await opened.poll()
        asked = len(opened.requests("/two"))
        await opened.poll_until(59 * MINUTE)
        assert len(opened.requests("/one")) == 1
        assert len(opened.requests("/two")) == asked
        assert (await opened.state()).because == "server asks for 1h (Retry-After)"
        await opened.poll_until(HOUR)
        assert len(opened.requests("/one")) > 1
        assert len(opened.requests("/two")) > asked


async def test_08_retry_after_may_concern_the_feed_alone(stand: Newsstand) -> None:
    """A gateway such as RSSHub answers for many publishers (FreshRSS #7870)."""
    stand.server.script("/one", status(429, retry_after="3600"))
    stand.server.script("/two", sends(1, etag='"1"'))
    async with stand.open(one={"limits": "feed"}, two={}) as opened:
        await opened.poll()
        await opened.poll_until(55 * MINUTE)
        assert len(opened.requests("/one")) == 1
        assert len(opened.requests("/two")) >= 5


async def test_08_a_wait_of_years_is_bounded_to_two_days(stand: Newsstand) -> None:
    decade = http_date(NOW + 3650 * DAY)
    stand.server.script("/one", status(503, retry_after=decade, date=http_date()))
    async with stand.open() as opened:
        await opened.poll()
        assert 2 * DAY <= await opened.wait() <= 2 * DAY + HOUR / 2


async def test_09_429_without_retry_after_slows_for_good_and_not_in_step(stand: Newsstand) -> None:
    names = [f"f{number}" for number in range(6)]
    for name in names:
        stand.server.script(f"/{name}", status(429), sends(1, etag='"1"'))
    async with stand.open(**{name: {"limits": "feed"} for name in names}) as opened:
        await opened.poll()
        waits = [await opened.wait(name) for name in names]
        assert all(20 * MINUTE <= wait <= 25 * MINUTE for wait in waits)
        assert len(set(waits)) == len(names)
        await opened.poll(30 * MINUTE)
        state = await opened.state("f0")
        assert state.because == "every 19m58s, 2.0 times as slow since too many requests (429)"
        await opened.poll_until(14 * DAY, step=HOUR)
        assert (await opened.state("f0")).slowdown < 1.5
        await opened.poll_until(14 * DAY, step=HOUR)
        assert (await opened.state("f0")).because == "every 10m"


async def test_10_gone_stops_polling_and_tells_the_operator(stand: Newsstand) -> None:
    stand.server.script("/one", sends(1), status(410))
    async with stand.open() as opened:
        await opened.poll()
        await opened.poll(HOUR)
        (notice,) = await opened.articles()
        assert notice.title == "one is gone for good"
        assert notice.tags == ("monitor.feed-gone",)
        await opened.poll_until(25 * DAY, step=HOUR)
        assert len(opened.requests()) == 2
        assert (await opened.state()).because.startswith("stopped")


async def test_10_failures_have_their_classes_and_none_ends_polling(stand: Newsstand) -> None:
    answers = {"404": status(404), "401": status(401), "500": status(500), "reset": reset()}
    for name, answer in answers.items():
        stand.server.script(f"/{name}", answer)
    nowhere = {"url": "http://nowhere.invalid/rss"}
    async with stand.open(dns=nowhere, **{name: {} for name in answers}) as opened:
        await opened.poll()
        await opened.poll_until(6 * HOUR)
        reasons = {name: (await opened.state(name)).reason for name in ("dns", *answers)}
        assert reasons == {
            "dns": FeedReason.DNS,
            "404": FeedReason.NOT_FOUND,
            "401": FeedReason.UNAUTHORIZED,
            "500": FeedReason.SERVER_ERROR,
            "reset": FeedReason.RESET,
        }
        counts = {name: len(opened.requests(f"/{name}")) for name in answers}
        assert counts["reset"] > counts["404"] > counts["401"] >= 4
        assert (await opened.state("404")).errors == {FeedReason.NOT_FOUND: counts["404"]}


async def test_11_a_stable_permanent_redirect_is_kept_and_another_is_not(stand: Newsstand) -> None:
    for code in (301, 302, 303, 307, 308):
        stand.server.script(f"/{code}", redirect(f"/new/{code}", code))
        stand.server.script(f"/new/{code}", sends(1, etag='"1"'))
    feeds = {f"from-{code}": {"url": f"{stand.server.base}/{code}"} for code in range(301, 309)}
    for unused in (304, 305, 306):
        del feeds[f"from-{unused}"]
    async with stand.open(**feeds) as opened:
        await opened.poll_until(2 * DAY, step=HOUR)
        assert len(opened.requests("/301")) > 40
        await opened.poll_until(2 * DAY, step=HOUR)
        asked = {code: len(opened.requests(f"/{code}")) for code in (301, 302, 303, 307, 308)}
        await opened.poll_until(DAY, step=HOUR)
        for code, before in asked.items():
            now = len(opened.requests(f"/{code}"))
            assert (now == before) is (code in {301, 308})
        # The validators belong to the address at the end.
        assert "if-none-match" not in opened.requests("/302")[-1]
        assert opened.requests("/new/302")[-1]["if-none-match"] == '"1"'
        assert (await opened.state("from-301")).address == f"{stand.server.base}/new/301"


async def test_11_an_address_that_was_kept_and_died_leads_back_to_the_configured_one(
    stand: Newsstand,
) -> None:
    stand.server.script("/one", redirect("/new", 301))
    stand.server.script("/new", sends(1))
    async with stand.open() as opened:
        await opened.poll_until(4 * DAY, step=HOUR)
        assert (await opened.state()).address == f"{stand.server.base}/new"
        stand.server.script("/new", status(404))
        stand.server.script("/one", sends(1, 2))
        await opened.poll_until(3 * HOUR)
        state = await opened.state()
        assert (state.address, state.reason) == (None, None)
        assert [article.title for article in await opened.articles()] == ["Story 2"]


async def test_11_two_feeds_that_lead_to_one_address_are_told(stand: Newsstand) -> None:
    stand.server.script("/old", redirect("/one", 301))
    stand.server.script("/one", sends(1, etag='"1"'))
    async with stand.open(one={}, old={}) as opened:
        await opened.poll_until(4 * DAY, step=HOUR)
        (notice,) = [each for each in await opened.articles() if "same" in each.tags[0]]
        assert notice.title == "old has the same address as one"
        assert (await opened.state("old")).same_as == "one"


async def test_11_feeds_that_lead_to_one_address_are_served_by_one_request(
    stand: Newsstand,
) -> None:
    stand.server.script("/old", redirect("/one", 301))
    stand.server.script("/one", sends(1, etag='"1"'))
    async with stand.open(one={}, old={}) as opened:
        await opened.poll_until(4 * DAY, step=HOUR)
    async with stand.open(one={}, old={}) as opened:
        await opened.poll_until(HOUR)
        before = len(opened.requests())
        await opened.poll_until(DAY)
        assert len(opened.requests()) - before < 1.5 * DAY / (10 * MINUTE)
        await opened.articles()
        stand.server.script("/one", sends(1, 2, etag='"2"'))
        await opened.poll_until(11 * MINUTE)
        news = [(each.feed_id, each.title) for each in await opened.articles()]
        assert sorted(news) == [("old", "Story 2"), ("one", "Story 2")]
        assert "if-none-match" in opened.requests()[-1]
    async with stand.open(old={}) as opened:
        stand.server.script("/one", sends(1, 2, 3, etag='"3"'))
        await opened.poll_until(11 * MINUTE)
        news = [(each.feed_id, each.title) for each in await opened.articles()]
        assert ("old", "Story 3") in news
        assert (await opened.state("old")).same_as == ""


async def test_11_one_address_that_stands_twice_in_the_configuration_is_asked_once(
    stand: Newsstand,
) -> None:
    stand.server.script("/one", sends(1, etag='"1"'))
    twice = {"url": f"{stand.server.base}/one"}
    async with stand.open(one=twice, other=twice) as opened:
        await opened.poll_until(HOUR)
        before = len(opened.requests())
        await opened.poll_until(DAY)
        assert len(opened.requests()) - before < 1.5 * DAY / (10 * MINUTE)
        (notice,) = await opened.articles()
        assert notice.title in {
            "one has the same address as other",
            "other has the same address as one",
        }


async def test_12_a_loop_of_redirects_is_one_failure_and_few_requests(stand: Newsstand) -> None:
    stand.server.script("/one", redirect("/two"))
    stand.server.script("/two", redirect("/one"))
    stand.server.script("/far", *(redirect(f"/far?{n}") for n in range(50)))
    async with stand.open(one={}, far={}) as opened:
        await opened.poll()
        for name in ("one", "far"):
            state = await opened.state(name)
            assert (state.failures, state.reason) == (1, FeedReason.REDIRECT)
        assert len(stand.server.requests) <= 2 + 6


async def test_13_no_cookie_no_referrer_no_cache_busting_and_always_the_same_name(
    stand: Newsstand,
) -> None:
    cookie = {"Set-Cookie": "id=1; Path=/"}
    stand.server.script("/one", redirect("/two"))
    stand.server.script("/two", *(sends(n, headers=cookie) for n in range(3)))
    async with stand.open() as opened:
        for _ in range(3):
            await opened.poll(HOUR)
    assert len(stand.server.requests) == 6
    for seen in stand.server.requests:
        assert not {"cookie", "referer", "pragma", "cache-control"} & seen.headers.keys()
        assert seen.headers["user-agent"].startswith("monitor/")
        assert "?" not in seen.path
    assert len({seen.headers["user-agent"] for seen in stand.server.requests}) == 1


async def test_14_a_new_feed_costs_one_request_and_a_page_names_its_feeds_without_another(
    stand: Newsstand,
) -> None:
    stand.server.script("/one", sends(1))
    stand.server.script("/page", document(HTML, content_type="text/html"))
    async with stand.open(one={}, page={}) as opened:
        await opened.poll()
        assert len(stand.server.requests) == 2
        detail = (await opened.state("page")).detail
        assert detail.endswith(f"set the url of this feed to {stand.server.base}/feed.xml")


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
async def test_15_compressed_answers_are_asked_for_and_read(
    stand: Newsstand, encoding: str
) -> None:
    stand.server.script("/one", packed(news(1), encoding), packed(news(1, 2), encoding))
    async with stand.open() as opened:
        await opened.poll()
        await opened.poll(HOUR)
        assert encoding in opened.requests()[0]["accept-encoding"].split(", ")
        assert [article.title for article in await opened.articles()] == ["Story 2"]
