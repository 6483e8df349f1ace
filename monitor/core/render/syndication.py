"""The matches of a rule as a feed, for people who would rather read them in their feed reader."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from monitor.core.chapter import Kept
from monitor.core.model import Article, Rule
from monitor.core.render.clean import line, link, visible

_ATOM = "http://www.w3.org/2005/Atom"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_XML_CANNOT = re.compile("[\ufffe\uffff]")  # what is left after cleaning (XML 1.0, section 2.2)
_TITLE, _SUMMARY, _NAME = 300, 2000, 120


def atom(rule: Rule, found: Sequence[Kept], address: str) -> bytes:
    """Return an Atom feed (RFC 4287) of what a rule found, newest first; `address` is the feed's own."""
    root = ET.Element("feed", xmlns=_ATOM)
    _text(root, "id", f"urn:monitor:rule:{rule.id}")
    _text(root, "title", line(rule.name or rule.id, _TITLE))
    _text(root, "updated", _instant(_newest(found)))
    _text(ET.SubElement(root, "author"), "name", "monitor")
    ET.SubElement(root, "link", rel="self", href=address)
    for article in _articles(found):
        _entry(ET.SubElement(root, "entry"), article)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def json_feed(rule: Rule, found: Sequence[Kept], address: str) -> bytes:
    """Return a JSON Feed 1.1 of what a rule found, newest first; `address` is the feed's own."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": line(rule.name or rule.id, _TITLE),
        "feed_url": address,
        "items": [_item(article) for article in _articles(found)],
    }
    return json.dumps(feed, ensure_ascii=False, separators=(",", ":")).encode()


def _articles(found: Sequence[Kept]) -> Iterator[Article]:
    """Yield each article in its newest version."""
    told: set[str] = set()
    for kept in found:
        if kept.article.id not in told:
            told.add(kept.article.id)
            yield kept.article


def _newest(found: Sequence[Kept]) -> datetime:
    return max((kept.article.seen_at or _EPOCH for kept in found), default=_EPOCH)


def _entry(entry: ET.Element, article: Article) -> None:
    seen = article.seen_at or _EPOCH
    _text(entry, "id", _id(article))
    _text(entry, "title", line(article.title, _TITLE) or "(no title)")
    _text(entry, "updated", _instant(seen))
    if article.published_at:
        _text(entry, "published", _instant(article.published_at))
    source = line(article.feed_name or article.feed_id, _NAME)
    _text(ET.SubElement(entry, "author"), "name", source or "unknown")
    if url := link(article.url):
        ET.SubElement(entry, "link", rel="alternate", href=url)
    _text(entry, "summary", line(article.summary or article.body, _SUMMARY))


def _item(article: Article) -> dict[str, object]:
    item: dict[str, object] = {
        "id": _id(article),
        "title": line(article.title, _TITLE) or "(no title)",
        "content_text": line(article.summary or article.body, _SUMMARY),
        "date_modified": _instant(article.seen_at or _EPOCH),
        "authors": [{"name": line(article.feed_name or article.feed_id, _NAME) or "unknown"}],
    }
    if url := link(article.url):
        item["url"] = url
    if article.published_at:
        item["date_published"] = _instant(article.published_at)
    if article.lang:
        item["language"] = article.lang
    return item


def _id(article: Article) -> str:
    return f"urn:monitor:article:{visible(article.id)}"


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _XML_CANNOT.sub("\ufffd", text)
