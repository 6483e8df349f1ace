"""When a subscriber wants to be told: at once or in digests, not in quiet hours, not more than so much an hour."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from monitor.core.intervals import WEEKDAYS
from monitor.core.localtime import MINUTES_A_DAY, clock, instant_of, next_hour, next_of, zone_name
from monitor.core.model import Severity

_DAY = timedelta(days=1)
_WEEK = 7
EVERY_DAY = frozenset(range(_WEEK))


@dataclass(frozen=True, slots=True)
class Immediate:
    """Each alert at once."""

    def __str__(self) -> str:
        return "immediate"


@dataclass(frozen=True, slots=True)
class Hourly:
    """A digest at the beginning of each hour."""

    def __str__(self) -> str:
        return "hourly"


@dataclass(frozen=True, slots=True)
class Daily:
    """A digest at each of these minutes of the day."""

    minutes: tuple[int, ...]

    def __str__(self) -> str:
        return f"daily at {', '.join(map(clock, self.minutes))}"


Schedule = Immediate | Hourly | Daily
IMMEDIATE = Immediate()
HOURLY = Hourly()


class ScheduleError(ValueError):
    """A schedule that cannot be read; the message says why, `hint` what to write."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


def parse_schedule(text: str) -> Schedule:
    """Read `immediate`, `hourly` or `daily at 08:00, 18:00`, as it is written by `str`."""
    word, _, times = text.strip().partition(" ")
    if text == str(IMMEDIATE):
        return IMMEDIATE
    if text == str(HOURLY):
        return HOURLY
    found = re.fullmatch(r"at +(\S.*)", times.strip())
    if word != "daily" or not found:
        hint = "write daily at 08:00" if word == "daily" else ""
        raise ScheduleError("expected immediate, hourly or daily at 08:00", hint)
    minutes = {parse_clock(one.strip()) for one in found[1].split(",")}
    if MINUTES_A_DAY in minutes:
        raise ScheduleError("24:00 is not a time of a day", "write 00:00")
    return Daily(tuple(sorted(minutes)))


def parse_clock(text: str) -> int:
    """Read `07:30` as a minute of the day; `24:00` is the midnight that ends it."""
    found = re.fullmatch(r"([01]?\d|2[0-4]):([0-5]\d)", text, re.ASCII)
    minute = int(found[1]) * 60 + int(found[2]) if found else -1
    if not 0 <= minute <= MINUTES_A_DAY:
        raise ScheduleError("expected a time such as 07:30 or 22:00")
    return minute


def next_digest(schedule: Hourly | Daily, now: datetime, zone: tzinfo) -> datetime:
    """Return when the digest is sent to which an alert of now belongs."""
    if isinstance(schedule, Hourly):
        return next_hour(now, zone)
    return next_of(schedule.minutes, now, zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """From one minute of a day until another, of the next day if that is not later. `days` are those it begins on."""

    start: int
    end: int
    days: frozenset[int] = EVERY_DAY

    def __str__(self) -> str:
        days = "" if self.days == EVERY_DAY else f" on {_days(self.days)}"
        return f"{clock(self.start)}-{clock(self.end)}{days}"

    def around(self, now: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
        """Yield begin and end of the quiet times that may include `now`."""
        today = now.astimezone(zone).date()
        for day in (today - 2 * _DAY, today - _DAY, today, today + _DAY):
            if day.weekday() in self.days:
                ends = day if self.end > self.start else day + _DAY
                yield instant_of(day, self.start, zone), instant_of(ends, self.end, zone)


def quiet_until(hours: tuple[Quiet, ...], now: datetime, zone: tzinfo) -> datetime | None:
    """Return when the quiet time ends that includes `now`, those that follow without a gap taken in; None: it is loud.

    At most a week from now, should it be quiet all the time.
    """
    at, furthest = now, now + _WEEK * _DAY
    while at < furthest:
        ends = [end for each in hours for begin, end in each.around(at, zone) if begin <= at < end]
        if not ends:
            break
        at = max(ends)
    return min(at, furthest) if at > now else None


def quiet_times(
    hours: tuple[Quiet, ...], now: datetime, within: timedelta, zone: tzinfo
) -> tuple[tuple[datetime, datetime], ...]:
    """Return begin and end of each quiet time that begins between `now` and `within` later, in order."""
    found: list[tuple[datetime, datetime]] = []
    days = [now + step * _DAY for step in range(within // _DAY + 1)]
    begins = {begin for each in hours for day in days for begin, _ in each.around(day, zone)}
    for begin in sorted(begins):
        later = not found or begin >= found[-1][1]
        if now < begin <= now + within and later:
            end = quiet_until(hours, begin, zone)
            if end:
                found.append((begin, end))
    return tuple(found)


def is_always_quiet(hours: tuple[Quiet, ...]) -> bool:
    """Tell whether the quiet times leave no minute of a week."""
    week = _WEEK * MINUTES_A_DAY
    covered = bytearray(week)
    for each in hours:
        length = (each.end - each.start - 1) % MINUTES_A_DAY + 1
        for day in each.days:
            for minute in range(length):
                covered[(day * MINUTES_A_DAY + each.start + minute) % week] = 1
    return all(covered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How one target wants to be told.

    `break_through`: what is at least so severe is told at once all the same; None: nothing is. `budget`: so many alerts
    an hour at once, the surplus in a digest; None: any number.
    """

    schedule: Schedule = IMMEDIATE
    quiet: tuple[Quiet, ...] = ()
    zone: tzinfo = UTC
    break_through: Severity | None = Severity.CRITICAL
    budget: int | None = None

    @property
    def zone_name(self) -> str:
        """What the time zone is called."""
        return zone_name(self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the reader of a target chose by a link in a message, before what is configured.

    `schedule` is written as `parse_schedule` reads it; empty: as configured. `unsubscribed`: nothing at all.
    """

    subscriber: str
    target_id: str
    schedule: str = ""
    unsubscribed: bool = False
    chosen_at: datetime | None = None


def chosen_schedule(choice: Choice) -> Schedule | None:
    """Return the schedule that a reader chose; None for none, and for one that this release cannot read."""
    try:
        return parse_schedule(choice.schedule)
    except ScheduleError:
        return None


def _days(days: frozenset[int]) -> str:
    return ", ".join(WEEKDAYS[day][:3].capitalize() for day in sorted(days))
