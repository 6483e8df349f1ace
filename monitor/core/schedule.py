"""When to poll a feed next, and why, in words for a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from monitor.core.feed import Document
from monitor.core.freshness import max_age
from monitor.core.model import Feed
from monitor.errors import FeedError, FeedReason

_DAY = timedelta(hours=24)
_LONGEST_JITTER = timedelta(minutes=30)

# How far a feed that keeps failing is put off. Where the cause may be our own network the limit is low: a monitor
# that was offline for a night has to read everything soon after it is back.
_LIMITS = {
    FeedReason.DNS: timedelta(hours=2),
    FeedReason.CONNECT: timedelta(hours=2),
    FeedReason.TIMEOUT: timedelta(hours=2),
    FeedReason.RESET: timedelta(hours=2),
    FeedReason.SERVER_ERROR: timedelta(hours=6),
    FeedReason.EMPTY: timedelta(hours=6),
    FeedReason.BAD_RESPONSE: timedelta(hours=6),
}

_WORDS = {
    FeedReason.TIMEOUT: "no answer in time",
    FeedReason.DNS: "DNS",
    FeedReason.CONNECT: "no connection",
    FeedReason.TLS: "TLS",
    FeedReason.RESET: "connection broken off",
    FeedReason.REFUSED_ADDRESS: "refused address",
    FeedReason.TOO_LARGE: "too large",
    FeedReason.BAD_RESPONSE: "unusable answer",
    FeedReason.REDIRECT: "redirects lead nowhere",
    FeedReason.UNAUTHORIZED: "not allowed to read it",
    FeedReason.NOT_FOUND: "not found",
    FeedReason.GONE: "gone",
    FeedReason.RATE_LIMITED: "too many requests",
    FeedReason.CLIENT_ERROR: "request refused",
    FeedReason.SERVER_ERROR: "server error",
    FeedReason.NOT_A_FEED: "not a feed",
    FeedReason.EMPTY: "empty document",
    FeedReason.PARSER_FAILED: "cannot be parsed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PollNext:
    """The next poll: an instant, and the reason for it."""

    at: datetime
    because: str


def after_success(feed: Feed, document: Document, now: datetime) -> PollNext:
    """Schedule after an answer that could be used, changed or not."""
    fresh = max_age(document.headers)
    if fresh > feed.every:
        return PollNext(
            at=now + fresh, because=f"server asks for {in_words(fresh)} (Cache-Control)"
        )
    return PollNext(at=now + feed.every, because=f"every {in_words(feed.every)}")


def after_failure(feed: Feed, error: FeedError, failures: int, now: datetime) -> PollNext:
    """Schedule after the poll number `failures` in a row that brought nothing, this one counted.

    The wait doubles up to a limit that depends on the reason, and is lengthened by up to a quarter, by another part for
    each feed: feeds of one host that fail together must not come back together (CommaFeed #2181).
    """
    wait = _back_off(feed, error.reason, failures)
    because = f"{_ordinal(failures)} failure in a row: {_WORDS[error.reason]}"
    if failures == 1:
        because = f"failed: {_WORDS[error.reason]}"
    if error.reason is FeedReason.GONE:
        because = (
            "gone (410): the publisher has removed this feed; take it out of the configuration"
        )
    asked = error.retry_after
    if asked is not None and asked >= wait:
        wait = asked
        because = f"server asks for {in_words(asked)} (Retry-After)"
    spread = min(wait / 4, _LONGEST_JITTER)
    return PollNext(at=now + wait + spread * _jitter(feed.id, failures), because=because)


def in_words(duration: timedelta) -> str:
    """Write a duration as `45s`, `15m`, `2h` or `1h30m`."""
    seconds = max(0, round(duration.total_seconds()))
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = [f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if n]
    return "".join(parts[:2]) or "0s"


def _back_off(feed: Feed, reason: FeedReason, failures: int) -> timedelta:
    if reason is FeedReason.GONE:
        return max(_DAY, feed.every)
    doublings = failures if reason is FeedReason.RATE_LIMITED else failures - 1
    limit = max(_LIMITS.get(reason, _DAY), feed.every)
    return min(feed.every * (1 << min(doublings, 16)), limit)


def _jitter(feed_id: str, failures: int) -> float:
    digest = blake2b(f"{failures}\0{feed_id}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32


def _ordinal(number: int) -> str:
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
