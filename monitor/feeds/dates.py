"""Dates as feeds write them, to aware UTC."""

import calendar
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

# 2020/1/10 14:33, which feedparser reads as the first of November.
_SLASHED = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_ZONES = {
    f"{letter}{kind}t": timedelta(hours=hours - (kind == "d"))
    for letter, hours in (("e", 5), ("c", 6), ("m", 7), ("p", 8))
    for kind in "sd"
}
# Thu, 15 Jan 2026 10:30:00 +0100
_RFC822 = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}, )?(\d{1,2}) (jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r" (\d{4}) (\d{2}):(\d{2})(?::(\d{2}))? (?:([+-])(\d{2}):?(\d{2})|(gmt|utc|ut|z|[ecmp][sd]t))",
    re.IGNORECASE | re.ASCII,
)
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


def read_rfc822(value: str) -> tuple[int, int, int, int, int, int] | None:
    """Read the usual form of RFC 822 as six numbers of UTC, as feedparser does; None if it is anything else."""
    found = _RFC822.fullmatch(value)
    if found is None:
        return None
    day, month, year, hour, minute, second, sign, hours, minutes, zone = found.groups()
    try:
        written = datetime(  # noqa: DTZ001 - the offset comes next
            int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), int(second or 0)
        )
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            written = written + offset if sign == "-" else written - offset
        else:
            written += _ZONES.get(zone.lower(), timedelta())
    except (ValueError, OverflowError):
        return None
    return (*written.timetuple()[:6],)


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
