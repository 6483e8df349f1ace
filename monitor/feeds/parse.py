"""Documents to records: RSS, Atom, RDF and CDF through feedparser, JSON Feed by our own hand.

Synchronous, and not safe to call on hostile documents in a process that matters: `ProcessParser` calls it in another.
"""

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser

from monitor.core.feed import Document, ParsedArticle, ParsedFeed
from monitor.errors import FeedReason, ParseError
from monitor.feeds import text
from monitor.feeds.charset import decode
from monitor.feeds.dates import from_parts, read_iso
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

_MAX_TAGS = 64
_LONGEST_DATE = 100
_HTML_ROOTS = frozenset({"html", "head", "body"})


def parse_document(document: Document) -> ParsedFeed:
    """Parse a document that was fetched; raise `ParseError` if it is no feed, or nothing of it can be read."""
    source = without_illegal(decode(document.body, document.headers.get("content-type", "")))
    if not source.strip("\ufeff \t\r\n"):
        raise ParseError(FeedReason.EMPTY, f"{_host(document.url)} sent an empty document")
    if looks_like_json(source):
        return parse_json_feed(source, document.url)
    root = root_of(source)
    if is_feed_root(root):
        return _parse_xml(source, root, document)
    buried = buried_feed(source)
    if buried:
        found = _parse_xml(buried, root_of(buried), document)
        if found.articles:
            return found
    raise _not_a_feed(source, root, document.url)


def _parse_xml(source: str, root: str, document: Document) -> ParsedFeed:
    refuse_hostile(source)
    found = feedparser.parse(
        BytesIO(source.lstrip().encode("utf-8", "replace")),
        response_headers={
            "content-type": "application/xml; charset=utf-8",
            "content-location": document.url,
            "content-language": document.headers.get("content-language", ""),
        },
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    complete = not found.get("bozo") or not breaks_off(source, root)
    entries = found["entries"]
    if not complete and breaks_off_in_entry(source):
        # Half an article would pass for an edit of the whole one, and then the whole one for an edit of the half.
        entries = entries[:-1]
    articles = tuple(
        article
        for article in (_article(entry, document.url) for entry in entries)
        if not is_blank(article)
    )
    if not articles and not complete:
        raise ParseError(
            FeedReason.EMPTY,
            f"the document of {_host(document.url)} breaks off before the end of its first entry",
        )
    about = found["feed"]
    return ParsedFeed(
        title=text.plain(_string(about, "title"), text.TITLE_LIMIT, is_html=False),
        url=_address(document.url, _string(about, "link")),
        lang=primary(_string(about, "language")),
        articles=articles,
        complete=complete,
    )


def _article(entry: Mapping[str, Any], base: str) -> ParsedArticle:
    contents = [part for part in entry.get("content", ()) if _is_text(part)]
    summary = _text(entry, "summary", text.SUMMARY_LIMIT)
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
            found = read_iso(written) or from_parts(entry.get(f"{key}_parsed"))
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
        return urljoin(base, link) if link else ""
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
