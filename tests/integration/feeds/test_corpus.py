"""Real feeds that other projects collected, read in place. Set MONITOR_CORPUS to the folder that holds them."""

import asyncio
import codecs
import json
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import feedparser
import pytest

from monitor.core.feed import Document, ParsedFeed
from monitor.core.model import ArticleKind, FeedState
from monitor.core.outcome import Suppression
from monitor.core.poll import PollDecision, decide, document_keys, is_unchanged
from monitor.errors import FeedReason, ParseError
from monitor.feeds.charset import decode
from monitor.feeds.parse import parse_document, parse_unknown, parse_whole
from monitor.feeds.process import ProcessParser
from monitor.feeds.screen import is_feed_root, root_of, without_illegal
from tests.factories import feed

ROOT = os.environ.get("MONITOR_CORPUS", "")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not ROOT, reason="MONITOR_CORPUS does not name the folder of real feeds"),
]


def files(folder: str) -> list[Path]:
    """Return the documents below a folder of the corpus, in a fixed order."""
    found = sorted(
        path
        for path in (Path(ROOT) / folder).rglob("*")
        if path.is_file() and path.name != "SOURCE.md"
    )
    assert found, f"nothing below {folder}"
    return found


def document(path: Path) -> Document:
    return Document(url="http://news.example/feed", status=200, body=path.read_bytes())


async def parse_all(paths: list[Path]) -> dict[Path, ParsedFeed | ParseError]:
    """Parse in processes, so that a document that hangs or crashes is seen as such."""
    found: dict[Path, ParsedFeed | ParseError] = {}

    async def one(path: Path) -> None:
        try:
            found[path] = await parser.parse(document(path))
        except ParseError as error:
            found[path] = error

    async with ProcessParser(workers=2) as parser, asyncio.TaskGroup() as group:
        for path in paths:
            group.create_task(one(path))
    return found


def failures(found: dict[Path, ParsedFeed | ParseError], reason: FeedReason) -> list[str]:
    return [
        f"{path}: {error.detail}"
        for path, error in found.items()
        if isinstance(error, ParseError) and error.reason is reason
    ]


@pytest.mark.parametrize("folder", ["feeds", "encodings", "suites", "hostile"])
async def test_no_document_hangs_or_crashes_the_parser(folder: str) -> None:
    found = await parse_all(files(folder))
    assert failures(found, FeedReason.PARSER_FAILED) == []


async def test_every_feed_is_read_as_a_feed() -> None:
    """What is refused is a page, a list of feeds, or no feed at all: no RSS, Atom or RDF is among it."""
    found = await parse_all(files("feeds"))
    refused = [
        path
        for path, error in found.items()
        if isinstance(error, ParseError) and bare_entries(path.read_bytes())
    ]
    # A page that quotes entries; standalone entries of Atom, which are no feeds.
    assert [path.name for path in refused if "StandaloneEntry" not in str(path)] == []


@pytest.mark.no_cover
async def test_no_entry_is_lost_that_feedparser_finds() -> None:
    found = await parse_all(files("feeds"))
    short = [
        (path.name, len(parsed.articles), bare)
        for path, parsed in found.items()
        if isinstance(parsed, ParsedFeed)
        and path.suffix != ".json"
        and len(parsed.articles) < (bare := bare_entries(path.read_bytes()))
    ]
    assert short == []


# feedparser keeps the second text of a channel as its content, and reads the first entry as if that were its own.
LEAKS = {"feed-itunes-season.xml", "feed-test-audio.xml"}


@pytest.mark.no_cover
def test_what_is_new_is_read_as_feedparser_reads_it_in_the_whole_feed() -> None:
    """Every other entry of every feed is known; the rest must be what feedparser makes of the whole document."""
    compared = pruned = 0
    for path in files("feeds"):
        fetched = document(path)
        source = without_illegal(decode(fetched.body, "")).lstrip()
        if not is_feed_root(root_of(source)):
            continue
        try:
            whole = parse_whole(source, root_of(source), fetched)
            every = parse_unknown(fetched, frozenset())
        except ParseError:
            continue
        fresh = parse_unknown(fetched, frozenset(every.marks[::2]))
        compared += bool(whole.articles)
        pruned += bool(every.marks)
        known = set(every.marks[::2])
        expected = [
            article
            for mark, article in zip(every.marks, whole.articles, strict=bool(every.marks))
            if mark not in known
        ]
        assert fresh.marks == every.marks, path
        assert list(fresh.feed.articles) == (expected if every.marks else list(whole.articles))
        assert path.name in LEAKS or every.feed == whole, path
    assert pruned > compared * 0.9


def bare_entries(body: bytes) -> int:
    """Return how many entries feedparser finds that have anything in them."""
    with warnings.catch_warnings(action="ignore"):
        entries = feedparser.parse(BytesIO(body), sanitize_html=False)["entries"]
    said = ("id", "link", "title", "summary", "content")
    return sum(any(entry.get(name) for name in said) for entry in entries)


def test_charset_is_settled_as_the_collectors_of_the_corpus_know_it() -> None:
    wrong = [
        f"{path.parent.name}/{path.name}"
        for path in files("encodings")
        if path.suffix == ".xml" and (name := codec_of(path.parent.name))
        if not reads_as(path.read_bytes(), name)
    ]
    # Japanese HTML without a declaration, under a name that ends in .xml.
    assert wrong == ["CP932/www2.chuo-u.ac.jp-suishin.xml"]


def codec_of(folder: str) -> str | None:
    """Return the codec that a folder such as `windows-1251-russian` is named after."""
    parts = folder.split("-")
    for length in range(len(parts), 0, -1):
        try:
            return codecs.lookup("-".join(parts[:length])).name
        except LookupError:
            continue
    return None


def reads_as(body: bytes, name: str) -> bool:
    """Tell whether a document is decoded as with `name`, but for one character in a hundred."""
    ours, theirs = decode(body, ""), body.decode(name, "replace")
    differing = sum(one != other for one, other in zip(ours, theirs, strict=False))
    return differing + abs(len(ours) - len(theirs)) <= len(theirs) / 100


# --- successive states of one feed ---


def polls() -> Iterator[tuple[str, ParsedFeed, PollDecision]]:
    """Poll 70 successive states of a newspaper's feed, each with what had become of it."""
    folder = Path(ROOT) / "snapshots" / "rss-arch"
    state, known = FeedState(), set[int]()
    for record in json.loads((folder / "index.json").read_text()):
        answer = document(folder / record["file"])
        if is_unchanged(state, answer):
            continue
        parsed = parse_document(answer)
        decision = decide(
            feed(),
            state,
            answer,
            parsed,
            frozenset(known.intersection(document_keys(parsed))),
            now=datetime.fromisoformat(record["committed"]),
            trace_id="t",
        )
        state = decision.state
        known.update(decision.keys)
        yield record["file"], parsed, decision


# In state 053 a story about a nominee stands once more under the address of the right nominee: same title, same text.
MOVED = "https://www.nytimes.com/2026/01/30/us/politics/trump-fed-chair-kevin-warsh.html"


def test_each_new_entry_of_a_real_feed_is_told_once_and_nothing_else_is() -> None:
    guids: set[str] = set()
    told: Counter[str] = Counter()
    for number, (name, parsed, decision) in enumerate(polls()):
        fresh = {entry.guid for entry in parsed.articles} - guids - {MOVED}
        guids |= fresh
        new = [each for each in decision.articles if each.kind is ArticleKind.NEW]
        if number == 0:
            assert decision.articles == ()
            assert decision.suppressed == {Suppression.BASELINE: 20}
        else:
            assert len(new) == len(fresh), name
            assert decision.suppressed == {}, name
        told.update(each.id for each in new)
    assert len(told) == 27
    assert set(told.values()) == {1}


def test_each_edit_of_a_real_feed_is_an_edit_of_an_article_that_was_there() -> None:
    texts: dict[str, str] = {}
    edits = 0
    for name, parsed, decision in polls():
        changed = {
            entry.guid
            for entry in parsed.articles
            if texts.get(entry.guid, said := f"{entry.title}\n{entry.summary}") != said
        }
        edited = [each for each in decision.articles if each.kind is ArticleKind.EDITED]
        assert {each.title for each in edited} == {
            entry.title for entry in parsed.articles if entry.guid in changed
        }, name
        edits += len(edited)
        texts |= {entry.guid: f"{entry.title}\n{entry.summary}" for entry in parsed.articles}
    assert edits == 6


def test_entries_of_a_real_feed_are_dated() -> None:
    for _, parsed, _ in polls():
        assert all(entry.published_at for entry in parsed.articles)
        dates = [entry.published_at for entry in parsed.articles if entry.published_at]
        assert max(dates) - min(dates) < timedelta(days=60)
