"""Feeds that a web page links to."""

from dataclasses import dataclass
from urllib.parse import urljoin

from lxml import etree

_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"}
)
_MOST = 5
_LONGEST_TITLE = 200
_HEAD = 500_000  # characters; the links stand in the head of the page


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page links to, and what the page calls it."""

    url: str
    title: str


def discover(page: str, url: str) -> tuple[str, ...]:
    """Return the addresses of the feeds that the `page` at `url` names, at most five, in its order."""
    return tuple(link.url for link in feed_links(page, url))


def feed_links(page: str, url: str) -> tuple[FeedLink, ...]:
    """Return the feeds that the `page` at `url` links to, at most five, in its order."""
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(page[:_HEAD].encode("utf-8", "replace"), parser)
    except etree.LxmlError:
        return ()
    if root is None:
        return ()
    found: dict[str, FeedLink] = {}
    for link in root.iter("link"):
        rels = (link.get("rel") or "").lower().split()
        kind = (link.get("type") or "").partition(";")[0].strip().lower()
        if "alternate" in rels and kind in _TYPES and link.get("href"):
            address = _absolute(url, link.get("href") or "")
            title = " ".join((link.get("title") or "").split())[:_LONGEST_TITLE]
            found.setdefault(address, FeedLink(address, title))
    return tuple(link for address, link in found.items() if address)[:_MOST]


def _absolute(base: str, href: str) -> str:
    try:
        address = urljoin(base, href.strip())
    except ValueError:
        return ""
    return address if address.startswith(("http://", "https://")) else ""
