"""Dates as feeds write them, to aware UTC."""

import calendar
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

_LONGEST = 100  # characters; more is no date
_LONGEST_ISO = 40

# 2020/1/10 14:33, which feedparser reads as the first of November.
_SLASHED = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
# 22.11.2022 12:16, where the day comes first.
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,? (\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_ZULU = re.compile(r"\s*(?:Z|UTC|GMT)$", re.IGNORECASE)
_SPACED_OFFSET = re.compile(r"\s+(?=[+-]\d{2}:?\d{2}$)")
# Thu, 15 Jan 2026 10:30:00 +0100 and what is made of it: other languages, am and pm, no blank before the offset.
_WRITTEN = re.compile(
    r"(?:[^\W\d]+\.?\s?,?\s)?(?:(\d{1,2})[ -]([^\W\d]+)\.?|([^\W\d]+)\.? (\d{1,2}),?)[ -](\d{4}|\d{2})"
    r"(?:,? (\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?: ?([ap])\.?m\.?)?"
    r"(?: ?(?:gmt|utc)?([+-])(\d{2}):?(\d{2})| ([a-z]{1,5}))?(?: \([^()]*\))?)?",
    re.IGNORECASE,
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january janv gen ene jän янв січ",
            "feb february fév fev févr лют фев",
            "mar march mär mrz mrt maa мар бер",  # noqa: RUF001 - Ukrainian
            "apr april avr abr апр кві",
            "may mai mag mei мая май тра",
            "jun june juin giu июн чер",
            "jul july juil lug июл лип",
            "aug august aoû aou ago авг сер",  # noqa: RUF001 - Ukrainian
            "sep september sept set сен вер",
            "oct october okt ott out окт жов",
            "nov november ноя лис",
            "dec december déc dez dic дек гру",  # noqa: RUF001 - Ukrainian
        ),
        1,
    )
    for name in names.split()
}
# Hours east of Greenwich. Names that several parts of the world share, such as IST, are taken for UTC.
_ZONES = {
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "ast": -4, "adt": -3,
    "akst": -9, "akdt": -8, "hst": -10, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "met": 1, "mez": 1,
    "mest": 2, "mesz": 2, "eet": 2, "eest": 3, "msk": 3, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12,
    "nzdt": 13, "et": -5, "ct": -6, "mt": -7, "pt": -8,
}  # fmt: skip
_CENTURY_TURNS = 90  # 89 is 2089, 90 is 1990
_NOON = 12


def read_date(value: str) -> datetime | None:
    """Read a date in any of the usual forms; None if it is in another. Without an offset it is UTC.

    feedparser drops the minutes of an offset written without a colon, such as +0530, and does not know am from pm.
    """
    if len(value) > _LONGEST:
        return None
    value = " ".join(value.split())
    return _read_written(value) or read_iso(value) or _read_numbers(value)


def read_iso(value: str) -> datetime | None:
    """Read ISO 8601 and its everyday variants; None if it is something else. Without an offset it is UTC."""
    value = value.strip()
    if len(value) > _LONGEST_ISO:
        return None
    try:
        found = datetime.fromisoformat(_SPACED_OFFSET.sub("", _ZULU.sub("+00:00", value)))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def from_parts(parts: Sequence[int] | None) -> datetime | None:
    """Read the nine numbers that feedparser gives, which are UTC."""
    return None if parts is None else _instant(list(parts[:6]))


def _read_numbers(value: str) -> datetime | None:
    slashed = _SLASHED.fullmatch(value)
    if slashed:
        return _instant([int(part or 0) for part in slashed.groups()])
    dotted = _DOTTED.fullmatch(value)
    if dotted:
        day, month, year, *time = (int(part or 0) for part in dotted.groups())
        return _instant([year, month, day, *time])
    return None


def _read_written(value: str) -> datetime | None:
    found = _WRITTEN.fullmatch(value)
    if found is None:
        return None
    day, month, month_first, day_second, year, hour, minute, second, half, *offset = found.groups()
    name = (month or month_first).lower()
    number = _MONTHS.get(name) or _MONTHS.get(name[:4]) or _MONTHS.get(name[:3])
    if number is None:
        return None
    hours = int(hour or 0)
    if half:
        hours = hours % _NOON + (_NOON if half.lower() == "p" else 0)
    try:
        local = datetime(
            _full_year(year),
            number,
            int(day or day_second),
            hours,
            int(minute or 0),
            int(second or 0),
            tzinfo=UTC,
        )
        return local - _offset(*offset)
    except (ValueError, OverflowError):
        return None


def _offset(sign: str | None, hours: str, minutes: str, zone: str | None) -> timedelta:
    if sign:
        east = timedelta(hours=int(hours), minutes=int(minutes))
        return -east if sign == "-" else east
    return timedelta(hours=_ZONES.get((zone or "").lower(), 0))


def _full_year(year: str) -> int:
    short = int(year)
    if len(year) > 2:  # noqa: PLR2004 - two digits
        return short
    return short + (2000 if short < _CENTURY_TURNS else 1900)


def _instant(parts: list[int]) -> datetime | None:
    year, month, day, hour, minute, second = parts
    try:
        seconds = calendar.timegm((year, month, day, hour, minute, second))
        datetime(year, month, day, tzinfo=UTC)  # timegm takes the 40th of a month
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
