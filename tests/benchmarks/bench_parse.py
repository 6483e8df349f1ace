"""Parsing, ours beside bare feedparser, over the same feeds of 50 entries.

Run it with `python -m tests.benchmarks.bench_parse`.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import feedparser

from monitor.core.feed import Document
from monitor.feeds.parse import parse_document
from monitor.feeds.process import ProcessParser
from tests.servers.feeds import item, rss

FEEDS = 40
ENTRIES = 50
ROUNDS = 3
SUMMARY = "<p>Delegates returned to the table on <b>Thursday</b> &amp; spoke for hours.</p>" * 4
FULL_TEXT = (
    "<p>Delegates returned to the table on <b>Thursday</b> &amp; spoke for hours.</p>\n" * 40
)


def documents(text: str) -> list[Document]:
    now = datetime.now(UTC)
    return [
        Document(
            url=f"http://news.example/{number}",
            status=200,
            headers={"content-type": "application/rss+xml; charset=utf-8"},
            body=rss(
                *(item(100 * number + n, text=text, published_at=now) for n in range(ENTRIES))
            ).encode(),
        )
        for number in range(FEEDS)
    ]


def bare(document: Document) -> None:
    feedparser.parse(BytesIO(document.body), response_headers=dict(document.headers))


def unsanitized(document: Document) -> None:
    feedparser.parse(
        BytesIO(document.body),
        response_headers=dict(document.headers),
        sanitize_html=False,
        resolve_relative_uris=False,
    )


def best(run: Callable[[Document], object], given: list[Document]) -> float:
    """Return the CPU seconds a document takes, in the best of the rounds."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for document in given:
            run(document)
        seconds.append((time.process_time() - started) / len(given))
    return min(seconds)


async def in_processes(given: list[Document]) -> float:
    """Return the seconds on the clock a document takes in two processes, start-up left out."""
    async with ProcessParser(workers=2) as parser:
        async with asyncio.TaskGroup() as group:
            for document in given[:2]:
                group.create_task(parser.parse(document))
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for document in given:
                group.create_task(parser.parse(document))
        return (time.perf_counter() - started) / len(given)


def main() -> None:
    for name, text in (("summaries", SUMMARY), ("full text", FULL_TEXT)):
        given = documents(text)
        size = len(given[0].body) / 1024
        print(f"{FEEDS} feeds of {ENTRIES} entries with {name}, {size:.0f} KiB each")
        reference = best(bare, given)
        rows: list[tuple[str, Callable[[Document], object]]] = [
            ("feedparser", bare),
            ("feedparser, nothing sanitized", unsanitized),
            ("parse_document", parse_document),
        ]
        for label, run in rows:
            seconds = best(run, given)
            print(
                f"  {label:32} {1 / seconds:8.1f} feeds/s {1000 * seconds:8.2f} ms CPU"
                f" {reference / seconds:6.2f}x"
            )
        wall = asyncio.run(in_processes(given))
        print(f"  {'ProcessParser, 2 processes':32} {1 / wall:8.1f} feeds/s {1000 * wall:8.2f} ms")


if __name__ == "__main__":
    main()
