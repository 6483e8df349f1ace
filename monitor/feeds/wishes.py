"""How often a feed asks to be read: `ttl`, `skipHours` and `skipDays` of RSS, and `sy:updatePeriod`."""

import re
from datetime import timedelta

from monitor.core.feed import NO_WISHES, Wishes

_FIRST_ENTRY = re.compile(r"<(?:[\w.-]+:)?(?:item|entry)\b")
_HEAD = 20_000  # characters; what a channel says of itself stands before its entries
_TTL = re.compile(r"<ttl>\s*(\d{1,6})\s*</ttl>", re.IGNORECASE)
_SKIPPED = re.compile(r"<skip(hours|days)>(.{0,2000}?)</skip\1>", re.IGNORECASE | re.DOTALL)
_HOUR = re.compile(r"<hour>\s*(\d{1,2})\s*</hour>", re.IGNORECASE)
_DAY = re.compile(r"<day>\s*([a-z]+)\s*</day>", re.IGNORECASE)
_PERIOD = re.compile(r"<sy:updatePeriod>\s*([a-z]+)\s*</", re.IGNORECASE)
_FREQUENCY = re.compile(r"<sy:updateFrequency>\s*(\d{1,4})\s*</", re.IGNORECASE)
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MIDNIGHT = 24  # which the older specification counts hours to


def wishes_of(source: str) -> Wishes:
    """Return what a document of RSS, Atom or RDF asks for; a feed that skips every hour or day asks for nothing."""
    first = _FIRST_ENTRY.search(source, 0, _HEAD)
    head = source[: first.start() if first else _HEAD]
    if "ttl" not in head and "kip" not in head and "updatePeriod" not in head:
        return NO_WISHES
    skipped = {kind.lower(): inner for kind, inner in _SKIPPED.findall(head)}
    hours = {int(hour) % _MIDNIGHT for hour in _HOUR.findall(skipped.get("hours", ""))}
    days = {
        _DAYS.index(day.lower())
        for day in _DAY.findall(skipped.get("days", ""))
        if day.lower() in _DAYS
    }
    return Wishes(
        every=_every(head),
        skip_hours=tuple(sorted(hours)) if len(hours) < _MIDNIGHT else (),
        skip_days=tuple(sorted(days)) if len(days) < len(_DAYS) else (),
    )


def _every(head: str) -> timedelta:
    minutes = _TTL.search(head)
    if minutes:
        return timedelta(minutes=int(minutes[1]))
    period, frequency = _PERIOD.search(head), _FREQUENCY.search(head)
    length = _PERIODS.get(period[1].lower()) if period else None
    times = int(frequency[1]) if frequency else 1
    return length / times if length and times else timedelta()
