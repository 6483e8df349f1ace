"""Addresses of feeds: when two are the same, and what a feed may be called after its address."""

import re
from hashlib import blake2b
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = (None, 80, 443)
_LONGEST_ID = 60
_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")
# What the paths of feeds say although everyone knows it.
_SAID_ANYWAY = frozenset(
    ("rss", "rss2", "rss20", "feed", "feeds", "atom", "xml", "rdf", "json", "index", "php", "www")
)


def feed_key(url: str) -> str:
    """Return what the addresses of one feed have in common, however they are written.

    Scheme, `www.`, capitals in the host, a default port, the fragment and a closing slash are gone; the query is not,
    because on many sites it names the feed. What cannot be read as an address comes back as it is, stripped.
    """
    parts = _split(url)
    if parts is None:
        return url.strip()
    host = (parts.hostname or "").removeprefix("www.").rstrip(".")
    port = "" if parts.port in _DEFAULT_PORTS else f":{parts.port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{port}{parts.path.rstrip('/')}{query}"


def suggested_id(url: str) -> str:
    """Return a readable id for the feed at `url`, after its host and path: `bbc.co.uk-news-world`."""
    parts = _split(url)
    if parts is None:
        return f"feed-{_digest(url)}"
    host = (parts.hostname or "").removeprefix("www.").removeprefix("feeds.")
    words = [
        word
        for word in _NOT_IN_IDS.split(f"{parts.path} {parts.query}".lower())
        if word and word not in _SAID_ANYWAY
    ]
    name = "-".join([".".join(filter(None, re.split(r"[^a-z0-9]+", host.lower()))), *words])
    return name[:_LONGEST_ID].strip("-.") or f"feed-{_digest(url)}"


def distinct_id(url: str) -> str:
    """Return an id for the feed at `url` that no other address has: for when the readable one is taken."""
    return f"{suggested_id(url)}-{_digest(feed_key(url))}"


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # raises when it is none
    except ValueError:
        return None
    return parts if parts.hostname else None
