"""Dates as feeds write them, to aware UTC."""

import calendar
import re
from collections.abc import Sequence
from datetime import UTC, datetime

# 2020/1/10 14:33, which feedparser reads as the first of November.
_SLASHED = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_ZULU = re.compile(r"\s*(?:Z|UTC|GMT)$", re.IGNORECASE)
_SPACED_OFFSET = re.compile(r"\s+(?=[+-]\d{2}:?\d{2}$)")


def read_iso(value: str) -> datetime | None:
    """Read ISO 8601 and its everyday variants; None if it is something else. Without an offset it is UTC.

    feedparser drops the minutes of an offset written without a colon, such as +0530.
    """
    value = value.strip()
    if len(value) > 40:  # noqa: PLR2004 - longer than any date
        return None
    slashed = _SLASHED.fullmatch(value)
    if slashed:
        return _instant([int(part or 0) for part in slashed.groups()])
    try:
        found = datetime.fromisoformat(_SPACED_OFFSET.sub("", _ZULU.sub("+00:00", value)))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def from_parts(parts: Sequence[int] | None) -> datetime | None:
    """Read the nine numbers that feedparser gives, which are UTC."""
    return None if parts is None else _instant(list(parts[:6]))


def _instant(parts: list[int]) -> datetime | None:
    year, month, day, hour, minute, second = parts
    try:
        seconds = calendar.timegm((year, month, day, hour, minute, second))
        datetime(year, month, day, tzinfo=UTC)  # timegm takes the 40th of a month
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
