"""Alertmanager's time intervals: the hours, days, months and years in which a route is muted or active."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


@dataclass(frozen=True, slots=True)
class Range:
    """Whole numbers from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Instants at which everything that is given holds on clocks in `zone`; what is empty asks nothing.

    `minutes` are of the day, the last not included. Days of the week count from 0, a Monday; days of a month from 1,
    or from -1, the last one.
    """

    minutes: tuple[Range, ...] = ()
    weekdays: frozenset[int] = frozenset()
    days_of_month: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()
    zone: tzinfo = UTC

    def contains(self, instant: datetime) -> bool:
        """Tell whether the instant is one of them."""
        local = instant.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return (
            (not self.minutes or any(one.first <= minute < one.last for one in self.minutes))
            and (not self.weekdays or local.weekday() in self.weekdays)
            and _is_day(self.days_of_month, local.day, monthrange(local.year, local.month)[1])
            and _within(self.months, local.month)
            and _within(self.years, local.year)
        )


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """A named set of instants: those of any of its spans."""

    name: str
    spans: tuple[Span, ...]

    def contains(self, instant: datetime) -> bool:
        """Tell whether the instant is one of them."""
        return any(span.contains(instant) for span in self.spans)


def _within(ranges: tuple[Range, ...], value: int) -> bool:
    return not ranges or any(one.first <= value <= one.last for one in ranges)


def _is_day(ranges: tuple[Range, ...], day: int, length: int) -> bool:
    """Tell whether a day is in a range of a month of `length` days; one that begins after its end has none."""
    if not ranges:
        return True
    counted = ((_counted(one.first, length), _counted(one.last, length)) for one in ranges)
    return any(first <= day <= last for first, last in counted)


def _counted(day: int, length: int) -> int:
    return day if day > 0 else length + 1 + day
