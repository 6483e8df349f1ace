"""`monitor extract`, as a person calls it."""

import asyncio
from pathlib import Path

from tests import configuration
from tests.acceptance.daemon import monitor
from tests.servers.feeds import document, feed_server

SENTENCE = "The delegations agreed on Thursday to continue their talks about the border in Geneva."
PAGE = (
    "<html><head><title>Talks go on</title></head><body><article><h1>Talks go on</h1>"
    + "".join(f"<p>Paragraph {n}. {SENTENCE}</p>" for n in range(3))
    + "<p>Share on Facebook</p></article></body></html>"
)


def test_title_text_and_why_are_printed(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE)
    shown = monitor("extract", str(page))
    assert (shown.returncode, shown.stderr) == (0, "")
    title, why, *text = shown.stdout.splitlines()
    assert title == "title: Talks go on"
    assert why.startswith("why:   ")
    assert "of markup" in why
    assert [line for line in text if line] == [f"Paragraph {n}. {SENTENCE}" for n in range(3)]


def test_page_without_an_article_fails_and_says_why(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<html><body>Log in</body></html>")
    shown = monitor("extract", str(page))
    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr.startswith("monitor: no text (no_text): ")


def test_what_is_neither_file_nor_address_is_a_mistake_in_usage() -> None:
    shown = monitor("extract", "/nowhere/page.html")
    assert shown.returncode == 2
    assert "/nowhere/page.html is neither a file nor a URL" in shown.stderr


async def test_address_is_fetched_behind_the_guard_of_the_configuration(tmp_path: Path) -> None:
    async with feed_server() as server:
        url = server.script("/1", document(PAGE, content_type="text/html"))
        refused = await asyncio.to_thread(monitor, "extract", "--config", "/nowhere", url)
        assert refused.returncode == 1
        assert "refused to connect to 127.0.0.1" in refused.stderr
        config = configuration.write(tmp_path)
        shown = await asyncio.to_thread(monitor, "extract", "--config", str(config), url)
    assert (shown.returncode, shown.stdout.splitlines()[0]) == (0, "title: Talks go on")
