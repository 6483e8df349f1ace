"""A feed of our own with one article in each interval, so that the way from publishing to alert is always measured.

The daemon serves it, polls it over the network like any other feed, has it matched with all rules and routes it to
nobody. What it is asked for is a function of the clock, so that it needs no memory.
"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from monitor.core.model import Article, Feed, LimitScope
from monitor.core.notice import FEED

CANARY = f"{FEED}.canary"
PATH = "/canary.xml"
_SHOWN = 3  # so that one that comes late is not missed
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def canary_feed(base: str, every: timedelta) -> Feed:
    """Return the feed, served below the address `base`, with an article in each interval of `every`."""
    return Feed(
        id=CANARY,
        url=base + PATH,
        name="Canary",
        every=every,
        obey_hints=False,
        limit_scope=LimitScope.FEED,
        lang="en",
    )


def canary_document(now: datetime, every: timedelta) -> str:
    """Return the document: the articles of this interval and the two before."""
    newest = (now - _EPOCH) // every
    items = "".join(_item(number, _EPOCH + number * every) for number in _last(newest))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>Canary</title>'
        f"<link>{PATH}</link><description>Measures how long an article takes.</description>{items}</channel></rss>\n"
    )


def waited(article: Article, now: datetime) -> timedelta | None:
    """Return how long an article of the canary has taken; None for any other."""
    if article.feed_id != CANARY or article.published_at is None:
        return None
    return max(now - article.published_at, timedelta())


def _last(newest: int) -> range:
    return range(newest, max(newest - _SHOWN, -1), -1)


def _item(number: int, published_at: datetime) -> str:
    return (
        f"<item><title>Canary {number}</title><link>{PATH}?n={number}</link>"
        f'<guid isPermaLink="false">canary-{number}</guid>'
        f"<pubDate>{format_datetime(published_at)}</pubDate></item>"
    )
