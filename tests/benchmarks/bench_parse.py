"""Parsing, ours beside bare feedparser, over the same feeds: all of it, and with one new entry in each.

Run it with `python -m tests.benchmarks.bench_parse`. Times are CPU, the best of the rounds.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO

import feedparser

from monitor.core.feed import Document
from monitor.feeds.parse import parse_document, parse_unknown
from monitor.feeds.process import ProcessParser
from tests.servers.feeds import item, rss

FEEDS = 40
ROUNDS = 3
SUMMARY = "<p>Delegates returned to the table on <b>Thursday</b> &amp; spoke for hours.</p>" * 4
FULL_TEXT = (
    "<p>Delegates returned to the table on <b>Thursday</b> &amp; spoke for hours.</p>\n" * 40
)
SIZES = (("summaries", SUMMARY, 50), ("full text", FULL_TEXT, 50), ("summaries", SUMMARY, 500))
PAUSE = 0.001


def documents(
    text: str, entries: int = 50, *, newest: int = 0, feeds: int = FEEDS
) -> list[Document]:
    """Write feeds; those with another `newest` differ in one entry."""
    now = datetime.now(UTC)
    return [
        Document(
            url=f"http://news.example/{number}",
            status=200,
            headers={"content-type": "application/rss+xml; charset=utf-8"},
            body=rss(
                *(
                    item(10_000 * number + n, text=text, published_at=now - timedelta(hours=n))
                    for n in (-newest, *range(1, entries))
                )
            ).encode(),
        )
        for number in range(feeds)
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


async def delays(given: list[Document]) -> list[float]:
    """Return by how much the loop is late while all documents are parsed, as CPU seconds of this process between turns.

    What others do on the machine is not counted: how long the loop itself is busy at a stretch is ours to answer for.
    """
    late: list[float] = []
    async with ProcessParser(workers=2) as parser:
        async with asyncio.TaskGroup() as group:
            for document in given[:2]:
                group.create_task(parser.parse(document))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(parser.parse(document)) for document in given]
            while not all(task.done() for task in tasks):
                started = time.thread_time()
                await asyncio.sleep(PAUSE)
                late.append(time.thread_time() - started)
    return sorted(late)


def compare(name: str, text: str, entries: int) -> None:
    feeds = FEEDS if entries <= 50 else 5
    given, after = (
        documents(text, entries, feeds=feeds),
        documents(text, entries, newest=1, feeds=feeds),
    )
    known = {each.url: frozenset(parse_unknown(each, frozenset()).marks) for each in given}
    print(f"{entries} entries with {name}, {len(given[0].body) / 1024:.0f} KiB")
    reference = best(bare, given)
    rows: list[tuple[str, Callable[[Document], object], list[Document]]] = [
        ("feedparser", bare, given),
        ("feedparser, nothing sanitized", unsanitized, given),
        ("ours, all of it", parse_document, given),
        ("ours, one entry is new", lambda each: parse_unknown(each, known[each.url]), after),
        ("ours, no entry is new", lambda each: parse_unknown(each, known[each.url]), given),
    ]
    for label, run, what in rows:
        seconds = best(run, what)
        print(f"  {label:32} {1000 * seconds:8.2f} ms {reference / seconds:7.1f}x")


def main() -> None:
    for name, text, entries in SIZES:
        compare(name, text, entries)
    late = asyncio.run(delays(documents(SUMMARY)))
    print(f"the loop while {FEEDS} feeds of 50 entries are parsed in two processes:")
    print(
        f"  busy at a stretch: p50 {1000 * late[len(late) // 2]:.2f} ms,"
        f" p99 {1000 * late[len(late) * 99 // 100]:.2f} ms, most {1000 * late[-1]:.2f} ms"
    )


if __name__ == "__main__":
    main()
