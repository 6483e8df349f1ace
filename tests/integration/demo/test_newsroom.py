import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from monitor.demo.newsroom import Newsroom, open_newsroom
from monitor.demo.script import Format, Mishap, Outlet, Piece, Stale, Trouble
from tests.wait import wait_until

OUTLET = Outlet(id="gazette", name="Gazette", lang="en")
OTHER = Outlet(id="zeitung", name="Zeitung", lang="de", format=Format.JSON)


def piece(name: str, at: float | None = 0, **changes: object) -> Piece:
    fields = {
        "id": name,
        "feed": "gazette",
        "path": f"/gazette/{name}",
        "title": f"About {name}",
        "summary": "A & B",
        "body": "One.\n\nTwo.",
        "at": at,
    }
    return Piece(**fields | changes)  # type: ignore[arg-type]


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def _text(client: aiohttp.ClientSession, url: str) -> str:
    async with client.get(url) as response:
        assert response.status == 200
        return await response.text()


async def test_only_the_backlog_stands_in_a_feed_before_the_beginning(
    client: aiohttp.ClientSession,
) -> None:
    pieces = [piece("old", None), piece("new", 0)]
    async with open_newsroom(Newsroom([OUTLET], pieces, [], 0.01)) as newsroom:
        url = f"{newsroom.site}{OUTLET.path}"
        before = await _text(client, url)
        newsroom.begin()
        after = await _text(client, url)
    assert "About old" in before
    assert "About new" not in before
    assert after.index("About new") < after.index("About old")


async def test_a_reader_who_has_the_document_is_told_so(client: aiohttp.ClientSession) -> None:
    async with open_newsroom(Newsroom([OUTLET], [piece("old", None)], [], 1)) as newsroom:
        url = f"{newsroom.site}{OUTLET.path}"
        async with client.get(url) as first:
            etag = first.headers["ETag"]
        async with client.get(url, headers={"If-None-Match": etag}) as second:
            assert second.status == 304
        assert newsroom.requests == {200: 1, 304: 1}


async def test_an_edit_stands_in_the_place_of_what_it_edits(client: aiohttp.ClientSession) -> None:
    edit = piece(
        "one-edited", 0, title="About two", path="/gazette/one", repeats="one", stale=Stale.EDIT
    )
    async with open_newsroom(Newsroom([OUTLET], [piece("one"), edit], [], 0.01)) as newsroom:
        url = f"{newsroom.site}{OUTLET.path}"
        newsroom.begin()
        assert "About one" in await _text(client, url)
        await wait_until(lambda: len(newsroom.published()) == 2, "both appeared")
        text = await _text(client, url)
    assert "About two" in text
    assert "About one" not in text


async def test_an_edit_waits_until_what_it_edits_was_read(client: aiohttp.ClientSession) -> None:
    edit = piece("one-edited", 0, title="About two", repeats="one", stale=Stale.EDIT)
    pieces = [piece("one"), edit, piece("three", 90)]
    async with open_newsroom(Newsroom([OUTLET], pieces, [], 0.01)) as newsroom:
        newsroom.begin()
        await wait_until(lambda: len(newsroom.published()) == 2, "the others appeared")
        assert not newsroom.is_done
        assert "About one" in await _text(client, f"{newsroom.site}{OUTLET.path}")
        assert [each.id for each in newsroom.published()] == ["one", "three", "one-edited"]
        await wait_until(lambda: newsroom.is_done, "all appeared")


async def test_feeds_in_trouble_recover_after_the_planned_number_of_requests(
    client: aiohttp.ClientSession,
) -> None:
    mishaps = [
        Mishap(feed="gazette", trouble=Trouble.CUT_OFF, at=0, times=1),
        Mishap(feed="zeitung", trouble=Trouble.BUSY, at=0, times=1),
    ]
    pieces = [piece("one"), piece("eins", feed="zeitung")]
    async with open_newsroom(Newsroom([OUTLET, OTHER], pieces, mishaps, 0.01)) as newsroom:
        newsroom.begin()
        await wait_until(lambda: newsroom.is_done, "the beginning has begun")
        assert "</rss>" not in await _text(client, f"{newsroom.site}{OUTLET.path}")
        assert "</rss>" in await _text(client, f"{newsroom.site}{OUTLET.path}")
        async with client.get(f"{newsroom.site}{OTHER.path}") as busy:
            assert busy.status == 503
            assert busy.headers["Retry-After"] == "1"
        document = json.loads(await _text(client, f"{newsroom.site}{OTHER.path}"))
    assert [each["title"] for each in document["items"]] == ["About eins"]


async def test_links_lead_to_pages_and_the_first_reading_of_every_feed_is_noticed(
    client: aiohttp.ClientSession,
) -> None:
    async with open_newsroom(Newsroom([OUTLET, OTHER], [piece("one")], [], 1)) as newsroom:
        assert "About one" in await _text(client, f"{newsroom.site}/gazette/one")
        assert OUTLET.path in await _text(client, newsroom.site)
        await _text(client, f"{newsroom.site}{OUTLET.path}")
        assert not newsroom.all_read.is_set()
        await _text(client, f"{newsroom.site}{OTHER.path}")
        assert newsroom.all_read.is_set()
        for path in ("/gazette/two", "/gazette/feed.json"):
            async with client.get(f"{newsroom.site}{path}") as response:
                assert response.status == 404


async def test_what_slides_back_into_a_feed_stands_at_its_end(
    client: aiohttp.ClientSession,
) -> None:
    late = piece("older-still", 0, stale=Stale.LATE, backdated_hours=80)
    pieces = [piece("old", None), late]
    async with open_newsroom(Newsroom([OUTLET], pieces, [], 0.01)) as newsroom:
        newsroom.begin()
        text = await _text(client, f"{newsroom.site}{OUTLET.path}")
    assert text.index("About older-still") > text.index("About old<")
