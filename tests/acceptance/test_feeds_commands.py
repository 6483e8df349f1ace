"""`monitor feeds`, as a person calls it, against a real feed server and the embedded store."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests import configuration
from tests.acceptance.daemon import monitor, running
from tests.acceptance.test_commands import run
from tests.servers.feeds import FeedServer, document, feed_server, item, rss
from tests.wait import wait_until

PAGE = (
    "<html><head>"
    '<link rel="alternate" type="application/rss+xml" title="World" href="/world.xml">'
    '<link rel="alternate" type="application/rss+xml" title="Sport" href="/sport.xml">'
    "</head></html>"
)
FEED = rss(item(1, title="Talks resume"), item(2), title="The Example")


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as started:
        yield started


def write(directory: Path, **more: Any) -> Path:
    store = {"store": {"directory": str(directory / "data")}}
    return configuration.write(directory / "config", monitor=store, **more)


async def feeds(config: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return await run("feeds", *words, "--config", config)


async def said(config: Path, *words: str | Path) -> str:
    done = await feeds(config, *words)
    assert (done.returncode, done.stderr if words[0] != "list" else "") == (0, "")
    return done.stdout


async def test_a_feed_is_added_with_one_request_and_told_of_itself(
    server: FeedServer, tmp_path: Path
) -> None:
    config = write(tmp_path, feeds={"filed": {"url": server.base + "/filed.xml"}})
    url = server.script("/news/rss.xml", document(FEED, etag='"1"'))
    added = await said(config, "add", url, "--every", "30m", "--label", "desk=world")
    assert f"added 127.0.0.1-news: The Example, {url}" in added
    assert "2 of its backlog, which alerts nobody" in added
    assert len(server.requests) == 1

    again = await feeds(config, "add", url + "/")
    assert again.returncode == 1
    assert "is there already: it is feed '127.0.0.1-news'" in again.stderr
    filed = await feeds(config, "add", server.base + "/filed.xml")
    assert "is there already: it is feed 'filed'" in filed.stderr
    assert len(server.requests) == 1

    shown = await said(config, "show", "127.0.0.1-news")
    for row in ("added by command", "desk=world", "every 30m", "last success", "state"):
        assert row in shown
    listed = await said(config, "list", "--sort", "id")
    assert [row.split()[:2] for row in listed.splitlines()[1:]] == [
        ["127.0.0.1-news", "command"],
        ["filed", "file"],
    ]

    server.script(
        "/news/rss.xml", document(rss(item(3, title="A vote"), item(1, title="Talks resume")))
    )
    polled = await said(config, "poll", "127.0.0.1-news")
    assert "new     A vote" in polled
    assert "1 new or edited" in polled

    assert await said(config, "remove", "127.0.0.1-news") == "removed 127.0.0.1-news\n"
    gone = await feeds(config, "show", "127.0.0.1-news")
    assert "no feed '127.0.0.1-news'" in gone.stderr
    kept = await feeds(config, "remove", "filed")
    assert "stands in a file" in kept.stderr


async def test_a_page_adds_the_one_feed_it_names_and_lists_several(
    server: FeedServer, tmp_path: Path
) -> None:
    config = write(tmp_path)
    page = server.script("/", document(PAGE, content_type="text/html"))
    several = await feeds(config, "add", page)
    assert several.returncode == 1
    assert several.stdout.splitlines() == [f"{page}world.xml  World", f"{page}sport.xml  Sport"]
    assert "add one of these" in several.stderr
    assert await said(config, "discover", page) == several.stdout

    one = server.script(
        "/one", document(PAGE.replace("/sport.xml", "/world.xml"), content_type="text/html")
    )
    added = await said(config, "add", one, "--id", "world")
    assert f"added world: World, {server.base}/world.xml" in added
    assert [seen.path for seen in server.requests] == ["/", "/", "/one"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "http://127.0.0.1:1/", "--every", "5"), "expected a duration"),
        (("add", "http://10.0.0.1/rss"), "network.allow"),
        (("poll", "nobody"), "no feed 'nobody'"),
    ],
)
async def test_what_cannot_be_done_is_said_in_a_sentence(
    words: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    refused = await feeds(write(tmp_path), *words)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert why in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_a_list_is_imported_once_and_exported_as_it_is(tmp_path: Path) -> None:
    config = write(tmp_path, feeds={"filed": {"url": "http://filed.example/rss"}})
    opml = tmp_path / "feeds.opml"
    opml.write_text(
        '<opml version="2.0"><body><outline text="News">\n'
        '<outline text="A" xmlUrl="http://a.example/rss"/>\n'
        '<outline text="B" xmlUrl="http://b.example/rss"/>\n'
        '<outline text="A again" xmlUrl="https://www.a.example/rss/"/>\n'
        '<outline text="Filed" xmlUrl="http://filed.example/rss"/>\n'
        '<outline text="Bad" xmlUrl="gopher://c.example/"/>\n'
        "</outline></body></opml>"
    )
    first = await feeds(config, "import", opml)
    assert first.returncode == 1
    assert first.stdout == "2 added, 2 there already, 1 refused\n"
    assert f"{opml}:6: url: expected an address that begins with http://" in first.stderr
    second = await feeds(config, "import", opml)
    assert second.stdout == "0 added, 4 there already, 1 refused\n"

    exported = tmp_path / "out.csv"
    assert await said(config, "export", "-o", exported) == f"3 feeds in {exported}\n"
    other = write(tmp_path / "other")
    assert await said(other, "import", exported) == "3 added, 0 there already, 0 refused\n"
    assert await said(other, "export") == await said(config, "export")
    assert "news" in await said(other, "show", "a.example")


async def test_a_running_monitor_polls_what_is_added_and_leaves_what_is_removed(
    server: FeedServer, tmp_path: Path
) -> None:
    config = write(tmp_path)
    opml = tmp_path / "feeds.csv"
    opml.write_text(f"url,id,every\n{server.script('/a.xml', document(FEED))},a,200ms\n")
    async with running("--config", config) as daemon:
        await daemon.wait_for("monitor_started")
        await said(config, "import", opml)
        await daemon.wait_for("feed_polled", feed="a")
        await said(config, "remove", "a")
        await daemon.wait_for("feeds_changed", unlisted=1)
        asked = len(server.requests)
        url = server.script("/b.xml", document(FEED))
        await said(config, "add", url, "--id", "b", "--every", "200ms")
        await wait_until(lambda: len(server.asked("/b.xml")) > 2, "the added feed is polled")
        assert len(server.asked("/a.xml")) <= asked + 1  # a poll may have been under way
        assert await daemon.end() == 0


def test_importing_nothing_that_is_a_list_is_refused(tmp_path: Path) -> None:
    config = write(tmp_path)
    file = tmp_path / "feeds.opml"
    file.write_bytes(b"\x00\xff garbage")
    refused = monitor("feeds", "import", file, "--config", config)
    assert refused.returncode == 1
    assert f"{file}:1: not OPML" in refused.stderr


async def test_two_adds_of_one_feed_at_once_add_it_once(server: FeedServer, tmp_path: Path) -> None:
    config = write(tmp_path)
    url = server.script("/x.xml", document(FEED))
    async with running("--config", config) as daemon:
        await daemon.wait_for("monitor_started")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(feeds(config, "add", url)) for _ in range(2)]
        assert sorted(task.result().returncode for task in tasks) == [0, 1]
