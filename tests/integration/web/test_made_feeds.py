"""Feeds added, changed and removed by the API and on the page."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from monitor.core.access import Scope
from monitor.core.model import Feed
from monitor.ports import Draft, RecordKind
from monitor.registry import FEEDS
from monitor.web.api.making import FeedBody
from tests.factories import NOW
from tests.integration.web.conftest import Answer, Desk
from tests.integration.web.test_page import OURS, look, press, sign_in
from tests.servers.feeds import FeedServer, document, feed_server, item, rss

PAGE = (
    '<html><head><link rel="alternate" type="application/rss+xml" href="/one.xml">{}</head></html>'
)
SECOND = '<link rel="alternate" type="application/rss+xml" title="Two" href="/two.xml">'


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        running.script("/one.xml", document(rss(item(1), title="One")))
        running.script("/two.xml", document(rss(item(2), title="Two")))
        yield running


async def put(desk: Desk, feed_id: str, url: str, **settings: Any) -> Answer:
    return await desk.ask(
        "PUT", f"/api/feeds/{feed_id}", Scope.WRITE, json={"url": url, **settings}
    )


async def kept(desk: Desk, feed_id: str) -> Feed:
    record = await desk.registry.get(RecordKind.FEED, feed_id)
    assert record
    return FEEDS.decode(record.value)


async def test_a_feed_is_added_with_one_request_which_is_its_first_poll(
    desk: Desk, server: FeedServer
) -> None:
    url = server.base + "/one.xml"
    added = await put(desk, "one", url, category="politics", labels={"desk": "asia"})
    assert (added.status, added.body["origin"], added.body["name"]) == (200, "store", "One")
    assert added.body["succeeded_at"]
    assert len(server.requests) == 1
    assert (await kept(desk, "one")).labels == {"desk": "asia"}
    assert (await put(desk, "one", url, every="30m")).body["name"] == "One"
    assert (await kept(desk, "one")).category is None
    assert len(server.requests) == 1
    listed = (await desk.ask("GET", "/api/feeds")).body["feeds"]
    assert {each["id"]: each["origin"] for each in listed} == {
        "one": "store",
        "example-world": "file",
    }


async def test_putting_a_feed_again_as_it_is_writes_nothing(desk: Desk, server: FeedServer) -> None:
    await put(desk, "one", server.base + "/one.xml")
    version = (await desk.registry.versions())[RecordKind.FEED]
    assert (await put(desk, "one", server.base + "/one.xml")).status == 200
    assert (await desk.registry.versions())[RecordKind.FEED] == version


SETTINGS = {
    "name": "First",
    "every": "1h30m",
    "hints": "ignore",
    "limits": "feed",
    "full_text": "always",
    "since": "2d",
    "lang": "en",
    "country": "ch",
    "category": "politics",
    "labels": {"desk": "asia"},
}


async def test_what_was_put_can_be_read_back(desk: Desk, server: FeedServer) -> None:
    url = server.base + "/one.xml"
    assert FeedBody.__struct_fields__ == ("url", *SETTINGS)
    await put(desk, "one", url, **SETTINGS)
    shown = (await desk.ask("GET", "/api/feeds/one")).body
    assert shown | SETTINGS | {"url": url} == shown
    [listed] = (await desk.ask("GET", "/api/feeds?after=example-world")).body["feeds"]
    assert listed == shown


async def test_putting_what_was_read_changes_nothing(desk: Desk, server: FeedServer) -> None:
    for settings in ({}, SETTINGS):
        await put(desk, "one", server.base + "/one.xml", **settings)
        shown = (await desk.ask("GET", "/api/feeds/one")).body
        before = await kept(desk, "one")
        read = {name: shown[name] for name in FeedBody.__struct_fields__}
        assert (await desk.ask("PUT", "/api/feeds/one", json=read)).body == shown
        assert await kept(desk, "one") == before


async def test_settings_of_a_feed_of_a_file_are_shown_with_their_defaults(desk: Desk) -> None:
    shown = (await desk.ask("GET", "/api/feeds/example-world")).body
    assert {name: shown[name] for name in SETTINGS} == {
        "name": "Example World",
        "every": "15m",
        "hints": "obey",
        "limits": "host",
        "full_text": "auto",
        "since": None,
        "lang": None,
        "country": None,
        "category": None,
        "labels": {},
    }


async def test_a_new_address_is_asked_before_it_is_kept(desk: Desk, server: FeedServer) -> None:
    await put(desk, "one", server.base + "/one.xml")
    refused = await put(desk, "one", server.base + "/none.xml")
    assert (refused.status, refused.body["field"]) == (422, "url")
    assert "not_found" in refused.body["detail"]
    assert (await kept(desk, "one")).url == server.base + "/one.xml"
    assert (await put(desk, "one", server.base + "/two.xml")).body["name"] == "Two"
    assert len(server.asked("/two.xml")) == 1


async def test_a_page_adds_the_feed_it_links_to_and_not_one_of_several(
    desk: Desk, server: FeedServer
) -> None:
    several = server.script("/several", document(PAGE.format(SECOND), content_type="text/html"))
    refused = await put(desk, "one", several)
    assert refused.status == 422
    assert f"{server.base}/two.xml" in refused.body["detail"]
    page = server.script("/page", document(PAGE.format(""), content_type="text/html"))
    assert (await put(desk, "one", page)).body["url"] == server.base + "/one.xml"
    assert (await put(desk, "one", page)).status == 200


async def test_what_another_feed_has_is_refused_unasked(desk: Desk, server: FeedServer) -> None:
    await put(desk, "one", server.base + "/one.xml")
    server.requests.clear()
    for feed_id, url in (
        ("two", server.base + "/one.xml#again"),
        ("example-world", server.base + "/two.xml"),
        ("two", (await desk.ask("GET", "/api/feeds/example-world")).body["url"]),
    ):
        assert (await put(desk, feed_id, url)).status == 409
    assert server.requests == []


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "http://192.0.2.1/feed", "every": "soon"}, "every"),
        ({"url": "http://192.0.2.1/feed", "labels": {"": "x"}}, "labels"),
        ({"url": "http://192.0.2.1/feed", "full_text": "perhaps"}, "full_text"),
    ],
)
async def test_what_a_file_could_not_say_is_refused_in_the_same_words(
    desk: Desk, settings: dict[str, Any], field: str
) -> None:
    refused = await desk.ask("PUT", "/api/feeds/new", json=settings)
    assert refused.status == 422
    assert refused.body["field"].startswith(field)


async def test_an_address_of_the_inside_is_not_asked(desk: Desk) -> None:
    refused = await put(desk, "inside", "http://169.254.169.254/latest/meta-data")
    assert refused.status == 422
    assert "refused_address" in refused.body["detail"]


async def test_a_feed_that_was_added_is_removed_and_one_of_a_file_is_not(
    desk: Desk, server: FeedServer
) -> None:
    await put(desk, "one", server.base + "/one.xml")
    assert (await desk.ask("DELETE", "/api/feeds/one", Scope.WRITE)).status == 204
    assert (await desk.ask("GET", "/api/feeds/one")).status == 404
    assert (await desk.ask("DELETE", "/api/feeds/one")).status == 404
    refused = await desk.ask("DELETE", "/api/feeds/example-world")
    assert refused.status == 409
    assert "file" in refused.body["detail"]


async def test_a_file_counts_where_it_has_the_id_too(desk: Desk) -> None:
    feed = Feed(id="example-world", url="http://other.example/feed", name="Other")
    draft = Draft(id=feed.id, value=FEEDS.encode(feed))
    await desk.registry.put(RecordKind.FEED, draft, NOW)
    shown = (await desk.ask("GET", "/api/feeds/example-world")).body
    assert (shown["origin"], shown["name"]) == ("file", "Example World")


async def test_a_feed_is_added_and_removed_on_the_page(desk: Desk, server: FeedServer) -> None:
    await sign_in(desk, Scope.WRITE)
    wrong = await press(desk, "/feeds", OURS, url=server.base + "/none.xml", category="sport")
    assert wrong.status == 422
    assert "not_found" in wrong.body
    assert 'value="sport"' in wrong.body
    added = await press(desk, "/feeds", OURS, url=server.base + "/one.xml", id="one")
    assert (added.status, added.headers["Location"]) == (303, "/feeds/one?said=added")
    assert "The feed is added" in (await look(desk, "/feeds/one?said=added")).body
    assert "added here" in (await look(desk, "/feeds")).body
    removed = await press(desk, "/feeds/one/remove")
    assert (removed.status, removed.headers["Location"]) == (303, "/feeds?said=removed")
    assert "The feed is removed" in (await look(desk, "/feeds?said=removed")).body
    assert (await look(desk, "/feeds/one")).status == 404
    assert (await press(desk, "/feeds/example-world/remove")).status == 409
