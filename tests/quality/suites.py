"""Evaluates what the suites of feedparser and gofeed expect, on our articles, where a field of theirs is one of ours.

MONITOR_CORPUS=… python -m tests.quality.suites

Their texts may be HTML and ours are plain, so each expected text is made plain before it is compared. A file counts if
anything in it is compared, and passes if all of that holds. What is missed that feedparser passes stands in
`EXPLAINED`, with the reason.
"""

import ast
import codecs
import json
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import feedparser

from monitor.core.feed import Document, ParsedFeed
from monitor.errors import ParseError
from monitor.feeds import text
from monitor.feeds.charset import decode
from monitor.feeds.dates import from_parts, read_date
from monitor.feeds.parse import parse_document

BASE = "http://127.0.0.1:8097/"
_EXPECT = re.compile(r"^\s*Expect:\s*(.*?)\s*$", re.MULTILINE)
_HEADER = re.compile(r"^\s*Header:\s*([^:]+):\s*(.*?)\s*$", re.MULTILINE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_SHOWN = 500  # characters
_ENTRY = {
    ("title",): "title",
    ("title_detail", "value"): "title",
    ("link",): "url",
    ("id",): "guid",
    ("summary",): "summary",
    ("summary_detail", "value"): "summary",
    ("description",): "summary",
    ("content", 0, "value"): "body",
    ("author",): "author",
    ("published_parsed",): "published_at",
    ("updated_parsed",): "published_at",
    ("created_parsed",): "published_at",
}
_FEED = {
    ("title",): "title",
    ("title_detail", "value"): "title",
    ("link",): "url",
    ("language",): "lang",
}


_NOTHING_ELSE = "the entry has neither id nor link nor text: nobody could tell it from another, so it is left out"
_BREAKS_OFF = "the document breaks off before its first entry: it is refused, and its validators are not taken over"
_NO_TEXT = "content that is no text, such as application/octet-stream, is not taken for one"
_MISSPELT_END = "the only element it has ends in a tag of another name"
_NO_GUID = "a guid made of elements is none to feedparser either, and the entry has nothing else"
_URI = "feedparser takes the attribute `uri` of a link before its text, and so do we"
EXPLAINED = {
    "encoding/bozo_linenoise.xml": "noise without a charset: detection guesses another one",
    **dict.fromkeys(
        (f"entities/{name}.xml" for name in ("160", "732", "attr_amp", "query_variable_feed")),
        _BREAKS_OFF,
    ),
    **dict.fromkeys(
        (
            f"wellformed/{name}.xml"
            for name in (
                *("atom/entry_author_map_author", "atom/entry_author_map_author_2"),
                *(
                    "atom/entry_created_multiple_values",
                    "atom/entry_created_parsed",
                    "atom/entry_issued_parsed",
                ),
                *(
                    "atom/entry_published_parsed_date_overwriting",
                    "atom/entry_updated_multiple_values",
                ),
                *(
                    "atom/entry_updated_parsed",
                    "atom10/entry_author_map_author",
                    "cdf/item_lastmod_parsed",
                ),
                *("itunes/itunes_item_author_map_author", "rss/item_author", "rss/item_dc_author"),
                *(
                    "rss/item_dc_date_parsed",
                    "rss/item_dcterms_created_parsed",
                    "rss/item_dcterms_issued_parsed",
                ),
            )
        ),
        _NOTHING_ELSE,
    ),
    "wellformed/atom10/entry_content_base64.xml": _NO_TEXT,
    "wellformed/atom10/entry_content_base64_2.xml": _NO_TEXT,
    "wellformed/sanitize/entry_content_iframe.xml": "what stands within an iframe is for browsers that have none",
    "wellformed/sanitize/xml_unclosed_comment.xml": "a title that ends in <!-- keeps it: nothing is lost",
    # gofeed
    "parser/atom/atom03_feed_entry_modified.xml": _NOTHING_ELSE,
    "parser/atom/atom10_feed_entry_content_base64.xml": _NO_TEXT,
    "parser/atom/atom10_feed_entry_content_base64_escaped_markup.xml": _NO_TEXT,
    "parser/atom/atom10_feed_title_xhtml_escaped_markup.xml": _MISSPELT_END,
    "parser/atom/atom10_feed_title_xhtml_inline_markup.xml": _MISSPELT_END,
    "parser/atom/issue_275_extensions_and_source.xml": _NO_TEXT,
    "parser/rss/rss_channel_item_guid_naked_markup.xml": _NO_GUID,
    "parser/rss/rss_channel_item_uri_at_protocol.xml": _URI,
    "parser/rss/rss_channel_language.xml": _MISSPELT_END,
    "translator/rss/feed_item_published_-_rss_channel_item_pubDate.xml": _NOTHING_ELSE,
    # encodings
    **dict.fromkeys(
        ("UTF-32BE/nobom-utf32be.txt", "UTF-32LE/nobom-utf32le.txt"),
        "UTF-32 without a mark is known by a leading <, which every feed has and this text has not",
    ),
    **dict.fromkeys(
        ("iso-8859-1/_ude_1.txt", "iso-8859-1/_ude_2.txt"),
        "a text of a few letters beyond ASCII: detection guesses another charset of Latin letters",
    ),
    **dict.fromkeys(
        (
            *("iso-8859-2-croatian/_ude_1.txt", "iso-8859-2-czech/_ude_2.txt"),
            *("iso-8859-2-slovak/_ude_1.txt", "iso-8859-2-slovak/_ude_2.txt"),
        ),
        "detection says windows-1250, which has other bytes for three letters",
    ),
}


@dataclass(slots=True)
class Tally:
    """Files of a suite: how many were compared, and what did not hold, by name."""

    compared: int = 0
    missed: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> int:
        """Return in how many files all held that was compared."""
        return self.compared - len(self.missed)


def feedparser_suite(corpus: Path) -> Tally:
    """Evaluate the `Expect:` lines of feedparser's files; only what feedparser itself passes today counts."""
    tally = Tally()
    folder = corpus / "suites" / "feedparser"
    for path in sorted(folder.rglob("*.xml")):
        body = path.read_bytes()
        head = body[:3000].decode("latin-1")
        expected = _EXPECT.search(head)
        if expected is None:
            continue
        headers = {name.lower(): value for name, value in _HEADER.findall(head)}
        pairs = list(_comparisons(expected[1]))
        if not pairs or not _holds(expected[1], body, headers):
            continue
        _judge(tally, str(path.relative_to(folder)), _parsed(body, headers), pairs)
    return tally


def gofeed_suite(corpus: Path) -> Tally:
    """Compare with the expected parses of gofeed's files."""
    tally = Tally()
    folder = corpus / "suites" / "gofeed"
    for path in sorted(folder.rglob("*.xml")):
        expected = path.with_suffix(".json")
        if not expected.exists():
            continue
        pairs = list(_gofeed_pairs(json.loads(expected.read_text())))
        if pairs:
            _judge(tally, str(path.relative_to(folder)), _parsed(path.read_bytes(), {}), pairs)
    return tally


# What is asked of us: which article (none: the feed), which field of it, and what must stand there.
_Pair = tuple[int | None, str, Any]


def _judge(tally: Tally, name: str, parsed: ParsedFeed | None, pairs: list[_Pair]) -> None:
    tally.compared += 1
    for place, attribute, wanted in pairs:
        try:
            holder = None if parsed is None else parsed if place is None else parsed.articles[place]
        except IndexError:
            holder = None
        found = None if holder is None else getattr(holder, attribute)
        if attribute == "body" and not found and holder is not None:
            found = getattr(holder, "summary", "")
        if attribute == "summary" and not found and holder is not None:
            found = getattr(holder, "body", "")  # the same text is kept once
        if not _same(found, wanted):
            tally.missed[name] = f"{attribute}: {found!r}, not {wanted!r}"
            return


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, datetime) or isinstance(found, datetime):
        return bool(found and wanted) and abs(found - wanted) < timedelta(seconds=1)
    ways = {
        text.plain(str(wanted or ""), text.BODY_LIMIT, is_html=is_html) for is_html in (True, False)
    }
    ways |= {" ".join(way.split()) for way in ways} | {str(wanted), str(wanted)[:2]}
    return (found or "") in ways or str(wanted or "") == str(found or "")


def _parsed(body: bytes, headers: Mapping[str, str]) -> ParsedFeed | None:
    url = headers.get("content-location") or BASE
    try:
        return parse_document(Document(url=url, status=200, body=body, headers=headers))
    except ParseError:
        return None


def _holds(expression: str, body: bytes, headers: Mapping[str, str]) -> bool:
    said = {"content-type": "application/xml", "content-location": BASE, **headers}
    with warnings.catch_warnings(action="ignore"):
        try:
            found = feedparser.parse(BytesIO(body), response_headers=said)
            return bool(eval(expression, {}, dict(found)))  # noqa: S307 - a file of the corpus, as its authors run it
        except Exception:  # noqa: BLE001 - whatever an expectation meets, it does not hold
            return False


def _comparisons(expression: str) -> Iterator[_Pair]:
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
            try:
                wanted = ast.literal_eval(node.comparators[0])
            except ValueError:
                continue
            pair = _mapped(_path(node.left), wanted)
            if pair is not None:
                yield pair


def _path(node: ast.expr) -> tuple[str | int, ...]:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return (*_path(node.value), node.slice.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Attribute):
        return (*_path(node.value), node.attr)
    return (node.id,) if isinstance(node, ast.Name) else ("?",)


def _mapped(path: tuple[Any, ...], wanted: Any) -> _Pair | None:
    match path:
        case ("entries", int() as place, *rest) if tuple(rest) in _ENTRY:
            attribute = _ENTRY[tuple(rest)]
            if attribute == "published_at":
                return (place, attribute, _from_tuple(wanted)) if wanted else None
            return (place, attribute, wanted) if isinstance(wanted, str) else None
        case ("feed", *rest) if tuple(rest) in _FEED and isinstance(wanted, str):
            return (None, _FEED[tuple(rest)], wanted)
    return None


def _from_tuple(parts: Any) -> datetime | None:
    return from_parts(parts) if isinstance(parts, tuple) else None


def _gofeed_pairs(expected: Mapping[str, Any]) -> Iterator[_Pair]:
    for name, attribute in (("title", "title"), ("language", "lang")):
        if isinstance(expected.get(name), str):
            yield None, attribute, expected[name]
    for place, entry in enumerate(expected.get("items") or expected.get("entries") or ()):
        if isinstance(entry, dict):
            yield from _gofeed_entry(place, entry)


def _gofeed_entry(place: int, entry: Mapping[str, Any]) -> Iterator[_Pair]:
    guid, content = entry.get("guid") or entry.get("id"), entry.get("content")
    if isinstance(guid, dict):
        guid = guid.get("value")
    if isinstance(content, dict):
        content = content.get("value")
    said = {
        "title": entry.get("title"),
        "summary": entry.get("description") or entry.get("summary"),
        "body": content,
        "guid": guid,
        "url": entry.get("link"),
    }
    for attribute, wanted in said.items():
        if isinstance(wanted, str) and wanted:
            yield place, attribute, wanted
    date = entry.get("publishedParsed") or entry.get("pubDateParsed") or entry.get("updatedParsed")
    if isinstance(date, str):
        yield place, "published_at", read_date(date)


def encodings(corpus: Path) -> Tally:
    """Compare the title of each document, or its beginning, with what the encoding gives that names its folder.

    None is told the charset by HTTP.
    """
    tally = Tally()
    for path in sorted((corpus / "encodings" / "chardet-tests").rglob("*")):
        codec = path.is_file() and codec_of(path.parent.name)
        if not codec:
            continue
        body = path.read_bytes()
        ours, theirs = decode(body, ""), body.decode(codec, "replace")
        tally.compared += 1
        if _shown(ours) != _shown(theirs):
            name = f"{path.parent.name}/{path.name}"
            tally.missed[name] = f"{_shown(ours)[:40]!r}, not {_shown(theirs)[:40]!r}"
    return tally


def codec_of(folder: str) -> str | None:
    """Return the codec that a folder such as `windows-1251-russian` is named after."""
    parts = folder.split("-")
    for length in range(len(parts), 0, -1):
        try:
            return codecs.lookup("-".join(parts[:length])).name
        except LookupError:
            continue
    return None


def _shown(source: str) -> str:
    title = _TITLE.search(source)
    said = title[1] if title else _TAG.sub(" ", source)
    return " ".join(said.replace("\ufeff", "").split())[:_SHOWN]


def main() -> None:
    """Print how many files pass, and what is missed."""
    corpus = Path(os.environ["MONITOR_CORPUS"])
    suites = (("feedparser", feedparser_suite), ("gofeed", gofeed_suite), ("encodings", encodings))
    for name, suite in suites:
        tally = suite(corpus)
        sys.stdout.write(f"{name}: {tally.passed} of {tally.compared} files\n")
        for path, why in tally.missed.items():
            sys.stdout.write(f"  {path}: {EXPLAINED.get(path, why):.200}\n")


if __name__ == "__main__":
    main()
