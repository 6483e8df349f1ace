"""What a server asks for about when to come back: `Cache-Control`, `Expires`, `Retry-After`."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MAX_AGE_LIMIT = timedelta(hours=24)  # as miniflux: a year's max-age on a feed is a mistake
RETRY_AFTER_LIMIT = timedelta(hours=48)  # a server that said 88 h was seen (mediacloud/rss-fetcher)

_SECONDS = re.compile(r"[0-9]{1,10}")  # enough for 300 years, and short enough for int()


def max_age(headers: Mapping[str, str]) -> timedelta:
    """Return for how long the answer is fresh, at most `MAX_AGE_LIMIT`; zero if the server does not say.

    `Age` counts against it. `Expires` counts only without `max-age`, and both not at all with `no-cache` or `no-store`
    (RFC 9111, sections 4.2.1 and 5.2.2). `headers` has lower-case names.
    """
    directives = _directives(headers.get("cache-control", ""))
    if "no-cache" in directives or "no-store" in directives:
        return timedelta(0)
    fresh = _seconds(directives["max-age"]) if "max-age" in directives else _expires(headers)
    if fresh is None:
        return timedelta(0)
    fresh -= _seconds(headers.get("age", "")) or timedelta(0)
    return min(max(fresh, timedelta(0)), MAX_AGE_LIMIT)


def says_freshness(headers: Mapping[str, str]) -> bool:
    """Tell whether the answer says how long it is fresh; if it does not, what was said before holds on."""
    return "cache-control" in headers or "expires" in headers


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return how long the server asks to be left alone, at most `RETRY_AFTER_LIMIT`; None if it does not say.

    A date is taken relative to the server's own `Date`, so that neither clock has to be right; from one without a
    clock (RFC 9110, section 6.6.1) it is taken relative to `now`.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    wait = _seconds(value)
    if wait is None:
        until = _instant(value)
        if until is None:
            return None
        wait = until - (_instant(headers.get("date", "")) or now)
    return min(max(wait, timedelta(0)), RETRY_AFTER_LIMIT)


def _directives(value: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for directive in value.split(","):
        name, _, argument = directive.strip().partition("=")
        found.setdefault(name.strip().lower(), argument.strip().strip('"'))
    return found


def _expires(headers: Mapping[str, str]) -> timedelta | None:
    until, sent = _instant(headers.get("expires", "")), _instant(headers.get("date", ""))
    return None if until is None or sent is None else until - sent


def _seconds(value: str) -> timedelta | None:
    return timedelta(seconds=int(value)) if _SECONDS.fullmatch(value.strip()) else None


def _instant(value: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
