"""JSON Feed 1.0 and 1.1 (jsonfeed.org)."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from monitor.core.feed import ParsedArticle, ParsedFeed
from monitor.errors import FeedReason, ParseError
from monitor.feeds import text
from monitor.feeds.dates import read_date
from monitor.feeds.lang import primary

_MAX_TAGS = 64


def looks_like_json(document: str) -> bool:
    """Tell whether a document is JSON rather than XML."""
    return document.lstrip("\ufeff \t\r\n").startswith("{")


def parse_json_feed(document: str, url: str) -> ParsedFeed:
    """Read a JSON Feed that came from `url`; raise `ParseError` if it is something else."""
    try:
        feed = json.loads(document.lstrip("\ufeff"), strict=False)
    except (ValueError, RecursionError) as error:
        raise ParseError(FeedReason.NOT_A_FEED, f"begins like JSON, but is not: {error}") from error
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise ParseError(
            FeedReason.NOT_A_FEED, "JSON, but not a JSON Feed: there is no list of items"
        )
    lang = primary(_string(feed, "language"))
    items = (item for item in feed["items"] if isinstance(item, dict))
    articles = (_article(item, url, _author(feed)) for item in items)
    return ParsedFeed(
        title=text.line(_string(feed, "title"), text.TITLE_LIMIT),
        url=_address(url, _string(feed, "home_page_url")),
        lang=lang,
        articles=tuple(each for each in articles if not is_blank(each)),
    )


def is_blank(article: ParsedArticle) -> bool:
    """Tell whether there is nothing in an entry by which it could be known or matched."""
    return not (article.guid or article.url or article.title or article.summary or article.body)


def _article(item: Mapping[str, Any], url: str, author: str) -> ParsedArticle:
    markup, unmarked = _string(item, "content_html"), _string(item, "content_text")
    tags = item.get("tags")
    link = _string(item, "url") or _string(item, "external_url") or _attachment(item)
    return ParsedArticle(
        guid=_string(item, "id")[: text.URL_LIMIT],
        url=_address(url, link),
        title=text.plain(_string(item, "title"), text.TITLE_LIMIT, is_html=False),
        summary=text.plain(_string(item, "summary"), text.SUMMARY_LIMIT, is_html=False),
        body=text.plain(markup or unmarked, text.BODY_LIMIT, is_html=bool(markup)),
        author=_author(item) or author,
        lang=primary(_string(item, "language")),
        tags=tuple(
            text.line(tag, text.TAG_LIMIT)
            for tag in (tags if isinstance(tags, list) else [])[:_MAX_TAGS]
            if isinstance(tag, str)
        ),
        published_at=read_date(_string(item, "date_published"))
        or read_date(_string(item, "date_modified")),
    )


def _attachment(item: Mapping[str, Any]) -> str:
    """Return the address of the first attachment: that of a podcast's episode that has no page."""
    attachments = item.get("attachments")
    found = [
        _string(each, "url")
        for each in (attachments if isinstance(attachments, list) else [])
        if isinstance(each, dict)
    ]
    return next(filter(None, found), "")


def _author(holder: Mapping[str, Any]) -> str:
    authors = holder.get("authors") or [holder.get("author")]  # version 1.1, version 1.0
    names = [
        author["name"]
        for author in (authors if isinstance(authors, list) else [])
        if isinstance(author, dict) and isinstance(author.get("name"), str)
    ]
    return text.line(", ".join(names), text.AUTHOR_LIMIT)


def _string(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    if isinstance(value, bool):
        return ""
    if isinstance(value, int | float):  # ids are often numbers, against the specification
        return repr(value)
    return value if isinstance(value, str) else ""


def _address(base: str, link: str) -> str:
    try:
        return text.line(urljoin(base, link.strip()), text.URL_LIMIT) if link.strip() else ""
    except ValueError:
        return ""
