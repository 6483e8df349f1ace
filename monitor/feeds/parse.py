"""Documents to records: RSS, Atom, RDF and CDF through feedparser, JSON Feed by our own hand.

Synchronous, and not safe to call on hostile documents in a process that matters: `ProcessParser` calls it in another.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import feedparser

from monitor.core.feed import Document, ParsedArticle, ParsedFeed
from monitor.errors import FeedReason, ParseError
from monitor.feeds import text
from monitor.feeds.addresses import absolute
from monitor.feeds.charset import decode
from monitor.feeds.dates import from_parts, read_date
from monitor.feeds.discover import discover
from monitor.feeds.jsonfeed import is_blank, looks_like_json, parse_json_feed
from monitor.feeds.lang import primary
from monitor.feeds.screen import (
    breaks_off,
    breaks_off_in_entry,
    buried_feed,
    is_feed_root,
    refuse_hostile,
    root_of,
    without_illegal,
)
from monitor.feeds.strict import Entry, OddError
from monitor.feeds.tree import open_tree
from monitor.feeds.wishes import wishes_of

_MAX_TAGS = 64
_LONGEST_DATE = 100
# What feedparser raises where elements stand in each other that never do, such as a link in the image of an entry.
_CRASHES = (LookupError, ValueError, AttributeError, TypeError, AssertionError, RecursionError)
_HTML_ROOTS = frozenset({"html", "head", "body"})


@dataclass(frozen=True, slots=True)
class Parsed:
    """A feed, and the marks of its entries in the order of the document.

    What stands under a mark that was given as known is not among the articles. There are no marks when feedparser read
    the document as a whole.
    """

    feed: ParsedFeed
    marks: tuple[int, ...] = ()


def parse_document(document: Document) -> ParsedFeed:
    """Parse a document that was fetched; raise `ParseError` if it is no feed, or nothing of it can be read."""
    return parse_unknown(document, frozenset()).feed


def parse_unknown(document: Document, known: Container[int]) -> Parsed:
    """Parse a document but for the entries whose marks are `known`; raise as `parse_document` does."""
    written = decode(document.body, document.headers.get("content-type", ""))
    found = _parse_plain(written, document, known)
    if found is not None:
        return found
    source = without_illegal(written)
    if not source.strip("\ufeff \t\r\n"):
        raise ParseError(FeedReason.EMPTY, f"{_host(document.url)} sent an empty document")
    if looks_like_json(source):
        return Parsed(parse_json_feed(source, document.url))
    root = root_of(source)
    if is_feed_root(root):
        return _parse_xml(source.lstrip(), root, document, known)
    buried = buried_feed(source)
    if buried:
        found = _parse_xml(buried, root_of(buried), document, known)
        if found.feed.articles:
            return found
    raise _not_a_feed(source, root, document.url)


def parse_whole(source: str, root: str, document: Document) -> ParsedFeed:
    """Parse XML of any shape by feedparser alone."""
    refuse_hostile(source)
    found = _ask_feedparser(source, document)
    complete = not found.get("bozo") or not breaks_off(source, root)
    entries = found["entries"]
    if not complete and breaks_off_in_entry(source):
        # Half an article would pass for an edit of the whole one, and then the whole one for an edit of the half.
        entries = entries[:-1]
    articles = _articles(entries, document.url)
    if not articles and not complete:
        raise ParseError(
            FeedReason.EMPTY,
            f"the document of {_host(document.url)} breaks off before the end of its first entry",
        )
    return _feed(found["feed"], articles, source, document.url, complete=complete)


def _parse_xml(source: str, root: str, document: Document, known: Container[int]) -> Parsed:
    found = _parse_plain(source, document, known)
    return found or Parsed(parse_whole(source, root, document))


def _parse_plain(source: str, document: Document, known: Container[int]) -> Parsed | None:
    """Read what is plain ourselves and have feedparser read the rest; None if the document is not made for that."""
    tree = open_tree(source, document)
    if tree is None:
        return None
    read: dict[int, Entry] = {}
    odd: list[int] = []
    for place, entry in enumerate(tree.entries):
        if entry.mark not in known:
            try:
                read[place] = entry.read()
            except OddError:
                odd.append(place)
    try:
        about = tree.about()
    except OddError:
        about = None
    if odd or about is None:
        remainder = tree.remainder(odd, with_about=about is None)
        refuse_hostile(remainder)
        found = _ask_feedparser(remainder, document)
        if found.get("bozo") or len(found["entries"]) != len(odd):
            return None
        read |= zip(odd, found["entries"], strict=True)
        about = found["feed"] if about is None else about
    articles = {place: _article(entry, document.url) for place, entry in read.items()}
    blank = {place for place, article in articles.items() if is_blank(article)}
    return Parsed(
        _feed(
            about,
            tuple(articles[place] for place in sorted(articles) if place not in blank),
            source,
            document.url,
        ),
        tuple(entry.mark for place, entry in enumerate(tree.entries) if place not in blank),
    )


def _ask_feedparser(source: str, document: Document) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = feedparser.parse(
            BytesIO(source.lstrip().encode("utf-8", "replace")),
            response_headers={
                "content-type": "application/xml; charset=utf-8",
                "content-location": document.url,
                "content-language": document.headers.get("content-language", ""),
            },
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except _CRASHES as error:
        raise ParseError(
            FeedReason.PARSER_FAILED,
            f"feedparser fails on the document of {_host(document.url)} ({type(error).__name__})",
        ) from error
    return found


def _articles(entries: Iterable[Entry], url: str) -> tuple[ParsedArticle, ...]:
    articles = (_article(entry, url) for entry in entries)
    return tuple(article for article in articles if not is_blank(article))


def _feed(
    about: Entry,
    articles: tuple[ParsedArticle, ...],
    source: str,
    url: str,
    *,
    complete: bool = True,
) -> ParsedFeed:
    return ParsedFeed(
        title=text.plain(_string(about, "title"), text.TITLE_LIMIT, is_html=False),
        url=_address(url, _string(about, "link")),
        lang=primary(_string(about, "language")),
        articles=articles,
        complete=complete,
        wishes=wishes_of(source),
    )


def _article(entry: Mapping[str, Any], base: str) -> ParsedArticle:
    contents = [part for part in entry.get("content", ()) if _is_text(part)]
    # Without details it is a copy of the content, which feedparser makes where there is no summary.
    is_copy = bool(contents) and "summary_detail" not in entry
    summary = "" if is_copy else _text(entry, "summary", text.SUMMARY_LIMIT)
    body = "\n\n".join(
        text.plain(part.get("value", ""), text.BODY_LIMIT, is_html=_is_html(part))
        for part in contents
    )
    return ParsedArticle(
        guid=text.line(_string(entry, "id"), text.URL_LIMIT),
        url=_link(entry, base),
        title=text.line(_text(entry, "title", text.TITLE_LIMIT), text.TITLE_LIMIT),
        summary="" if summary == body else summary,
        body=text.shorten(body, text.BODY_LIMIT),
        author=text.line(_text(entry, "author", text.AUTHOR_LIMIT), text.AUTHOR_LIMIT),
        lang=_language(entry, contents),
        tags=_tags(entry.get("tags", ())),
        published_at=_published(entry),
    )


def _text(entry: Mapping[str, Any], key: str, limit: int) -> str:
    detail = entry.get(f"{key}_detail") or {}
    return text.plain(_string(entry, key), limit, is_html=_is_html(detail))


def _is_html(detail: Mapping[str, Any]) -> bool:
    return "html" in (detail.get("type") or "")


def _is_text(detail: Mapping[str, Any]) -> bool:
    kind = detail.get("type") or ""
    return kind.startswith("text/") or "html" in kind


def _link(entry: Mapping[str, Any], base: str) -> str:
    """Return the address of the article itself, not of FeedBurner's counter; its enclosure's if it has no page."""
    link = _string(entry, "feedburner_origlink") or _string(entry, "link")
    if not link:
        links = entry.get("links", ())
        hrefs = (_string(each, "href") for each in links if each.get("rel") == "enclosure")
        link = next(hrefs, "")
    return _address(base, link)


def _published(entry: Mapping[str, Any]) -> Any:
    for key in ("published", "updated", "created"):
        written = _string(entry, key) if key in entry else ""
        if written and len(written) <= _LONGEST_DATE:
            parsed = f"{key}_parsed"
            parts = entry[parsed] if parsed in entry else None  # noqa: SIM401 - feedparser's `get` looks elsewhere too
            found = read_date(written) or from_parts(parts)
            if found is not None:
                return found
    return None


def _language(entry: Mapping[str, Any], contents: Iterable[Mapping[str, Any]]) -> str | None:
    details = [*contents, entry.get("title_detail") or {}, entry.get("summary_detail") or {}]
    return next(
        (lang for lang in (primary(each.get("language")) for each in details) if lang), None
    )


def _tags(tags: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    names = (
        text.line(
            text.plain(tag.get("label") or tag.get("term") or "", text.TAG_LIMIT, is_html=False),
            text.TAG_LIMIT,
        )
        for tag in tags
    )
    return tuple(dict.fromkeys(name for name in names if name))[:_MAX_TAGS]


def _string(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def _address(base: str, link: str) -> str:
    link = text.line(link, text.URL_LIMIT)
    try:
        return absolute(base, link) if link else ""
    except ValueError:
        return link


def _not_a_feed(source: str, root: str, url: str) -> ParseError:
    host = _host(url)
    if root not in _HTML_ROOTS and "<html" not in source[:20_000].lower():
        what = f"its root element is <{root[:40]}>" if root else "it is neither XML nor JSON"
        return ParseError(
            FeedReason.NOT_A_FEED, f"{host} sent something that is not a feed: {what}"
        )
    feeds = discover(source, url)
    if feeds:
        return ParseError(
            FeedReason.NOT_A_FEED,
            f"{host} sent a web page, which names a feed: set the url of this feed to {feeds[0]}",
        )
    return ParseError(
        FeedReason.NOT_A_FEED,
        f"{host} sent a web page that names no feed: check the url in a browser",
    )


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
