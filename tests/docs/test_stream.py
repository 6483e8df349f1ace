"""The example in docs/stream.md runs, and the page names every field there is."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path

from monitor.core.model import Article, Match, Span
from monitor.streams.public import StreamPublicStream
from monitor.streams.publication import fields_of
from monitor.streams.store import Store
from tests.factories import NOW, article, match, matched

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "consume_matches.py"
TALKS = b"talks info Talks resume in Geneva http://news.example/2026/01/15/talks\n"


@asynccontextmanager
async def consumer(store: Store, name: str) -> AsyncIterator[asyncio.StreamReader]:
    """Run the example and yield what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, EXAMPLE, store.url, name, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        await process.wait()


async def test_the_example_prints_what_was_published_and_what_comes(store: Store) -> None:
    public = StreamPublicStream(store)
    await public.publish(matched(), NOW)
    async with asyncio.timeout(30), consumer(store, "c") as printed:
        assert await printed.readline() == TALKS
        later = matched(article=article(id="a2", title="Talks end"))
        await public.publish(later, NOW)
        assert b"Talks end" in await printed.readline()


async def test_the_example_starts_with_what_it_held(store: Store) -> None:
    await StreamPublicStream(store).publish(matched(), NOW)
    await store.server.everywhere("XGROUP CREATE", "monitor:matches", "example", "0")
    held = ("XREADGROUP", "GROUP", "example", "c", "STREAMS", "monitor:matches", ">")
    await store.server.everywhere(*held)
    async with asyncio.timeout(30), consumer(store, "c") as printed:
        assert await printed.readline() == TALKS


def test_the_page_names_every_field() -> None:
    page = (DOCS / "stream.md").read_text(encoding="utf-8")
    names = [*fields_of(article(), match())]
    names += [field.name for record in (Article, Match, Span) for field in fields(record)]
    assert [name for name in names if f"`{name}`" not in page] == []
