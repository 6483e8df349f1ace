"""Reads times, days and time zones as they stand in the configuration."""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from monitor.config.values import WrongValueError, nearest, shown
from monitor.core.intervals import MONTHS, WEEKDAYS, Range
from monitor.core.pace import Schedule, ScheduleError, parse_clock, parse_schedule

_LONGEST_MONTH = 31
_YEARS = Range(1970, 9999)


def schedule(value: object) -> Schedule:
    """Read `immediate`, `hourly` or `daily at 08:00, 18:00`."""
    try:
        if isinstance(value, str):
            return parse_schedule(value)
    except ScheduleError as error:
        hint = error.hint or nearest(str(value), ("immediate", "hourly"))
        raise WrongValueError(f"{error}, not {shown(value)}", hint) from None
    raise WrongValueError(f"expected immediate, hourly or daily at 08:00, not {shown(value)}")


def clock_time(value: object) -> int:
    """Read `07:30` as a minute of the day."""
    try:
        if isinstance(value, str):
            return parse_clock(value)
    except ScheduleError as error:
        raise WrongValueError(f"{error}, not {shown(value)}") from None
    hint = f"write {value:02}:00" if isinstance(value, int) and 0 <= value <= 24 else ""  # noqa: PLR2004 - hours
    raise WrongValueError(f"expected a time such as 07:30 or 22:00, not {shown(value)}", hint)


def quiet_text(value: object) -> object:
    """Read `22:00-07:00` as a mapping with `from` and `to`."""
    if not isinstance(value, str):
        return value
    start, dash, end = value.partition("-")
    if not dash:
        raise WrongValueError(f"expected times such as 22:00-07:00, not {shown(value)}")
    return {"from": start.strip(), "to": end.strip()}


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(value: str) -> str:
    """Check the name of a time zone."""
    try:
        if value in _zones():
            ZoneInfo(value)
            return value
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass  # said below, as for every other text
    word = value[:100].strip().lower().replace(" ", "_")
    by_lower = {name.lower(): name for name in _zones()}
    by_city = {name.rpartition("/")[2]: name for name in by_lower}
    near = get_close_matches(word, by_lower, n=1, cutoff=0.6)
    lower = by_city.get(word) or (near[0] if near else "")
    hint = f"did you mean '{by_lower[lower]}'?" if lower else "write a name such as Europe/Kyiv"
    raise WrongValueError(f"there is no time zone {shown(value)}", hint)


def weekdays(value: object) -> frozenset[int]:
    """Read `monday` or `monday:friday`; from a later day to an earlier one goes over the end of the week."""
    first, last = _ends(value, "a day of the week such as monday or monday:friday")
    begin, end = _named(first, WEEKDAYS, "day"), _named(last, WEEKDAYS, "day")
    count = (end - begin) % len(WEEKDAYS) + 1
    return frozenset((begin + step) % len(WEEKDAYS) for step in range(count))


def months(value: object) -> Range:
    """Read `december`, `1:3` or `may:august`."""
    first, last = _ends(value, "a month such as december, 12 or may:august")
    begin, end = (
        int(word) if word.isdigit() else _named(word, MONTHS, "month") + 1 for word in (first, last)
    )
    return _range(begin, end, Range(1, len(MONTHS)), value, "months")


def days_of_month(value: object) -> Range:
    """Read `1`, `1:5` or `-3:-1`, which are the last three."""
    begin, end = _whole(value, "a day of the month such as 1, 1:5 or -3:-1")
    if 0 in (begin, end) or max(abs(begin), abs(end)) > _LONGEST_MONTH:
        raise WrongValueError(f"days of a month are 1 to 31, or -31 to -1, not {shown(value)}")
    if begin > end and (begin < 0) is (end < 0):
        raise WrongValueError(f"{shown(value)} ends before it begins", f"write {end}:{begin}")
    if begin < 0 < end:
        raise WrongValueError(
            f"{shown(value)} begins at the end of the month and ends at its start"
        )
    return Range(begin, end)


def years(value: object) -> Range:
    """Read `2026` or `2026:2028`."""
    begin, end = _whole(value, "a year such as 2026 or 2026:2028")
    return _range(begin, end, _YEARS, value, "years")


def _ends(value: object, expected: str) -> tuple[str, str]:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    first, colon, last = (part.strip().lower() for part in text.partition(":"))
    if not first or (colon and not last):
        raise WrongValueError(f"expected {expected}, not {shown(value)}")
    return first, last if colon else first


def _named(word: str, names: Sequence[str], what: str) -> int:
    if word in names:
        return names.index(word)
    short = [name for name in names if name.startswith(word)]
    hint = f"did you mean '{short[0]}'?" if len(short) == 1 else nearest(word, names)
    raise WrongValueError(f"there is no {what} {shown(word)}", hint)


def _whole(value: object, expected: str) -> tuple[int, int]:
    try:
        first, last = map(int, _ends(value, expected))
    except WrongValueError:
        raise
    except ValueError:
        raise WrongValueError(f"expected {expected}, not {shown(value)}") from None
    return first, last


def _range(begin: int, end: int, bounds: Range, value: object, what: str) -> Range:
    if not (bounds.first <= begin <= bounds.last and bounds.first <= end <= bounds.last):
        raise WrongValueError(f"{what} are {bounds.first} to {bounds.last}, not {shown(value)}")
    if begin > end:
        raise WrongValueError(f"{shown(value)} ends before it begins", f"write {end}:{begin}")
    return Range(begin, end)
