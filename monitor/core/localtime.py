"""Local clocks: when a wall clock shows a time, through the jumps of summer time."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

MINUTES_A_DAY = 24 * 60
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
# Not strftime's, which speaks the language of the process.
_MONTHS = ["", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def instant_of(day: date, minute: int, zone: tzinfo) -> datetime:
    """Return the first instant at which clocks in `zone` show this minute of this day, or have jumped past it.

    `minute` counts from midnight, up to 1440, which is the midnight that ends the day. A time that a clock shows twice
    is meant the first time; one that it never shows is meant when the clock jumps.
    """
    naive = datetime.combine(day, time()) + timedelta(minutes=minute)
    early = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    late = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if late <= early:  # no jump over it: the same, or shown twice
        return late
    return _jump_between(early, late, zone)


def next_of(minutes: tuple[int, ...], now: datetime, zone: tzinfo) -> datetime:
    """Return the next instant after `now` at which clocks show one of these minutes of a day."""
    today = now.astimezone(zone).date()
    days = (today + offset * _DAY for offset in (-1, 0, 1, 2))
    later = (instant_of(day, minute, zone) for day in days for minute in minutes)
    return min(at for at in later if at > now)


def next_hour(now: datetime, zone: tzinfo) -> datetime:
    """Return the next instant after `now` at which clocks begin an hour; at most an hour from now."""
    local = now.astimezone(zone)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return now + timedelta(hours=1) - into


def zone_name(zone: tzinfo) -> str:
    """Return what the zone is called."""
    return getattr(zone, "key", None) or str(zone)


def zone_of(at: datetime) -> str:
    """Return the abbreviation of the zone at this instant, or else its distance from UTC."""
    name, offset = at.tzname() or "", f"{at:%z}"
    return name if name.isalpha() else f"UTC{offset[:3]}:{offset[3:5]}"


def time_of_day(at: datetime) -> str:
    """Write the time of day with its zone: '12:57 CET', or '08:57 UTC-03:00' where the zone has no abbreviation."""
    return f"{at:%H:%M} {zone_of(at)}"


def written(at: datetime) -> str:
    """Write an instant for people, as the clocks of its zone show it: '15 Jan 2026 12:57 CET'."""
    return f"{at.day} {_MONTHS[at.month]} {at.year} {time_of_day(at)}"


def to_the_minute(instant: datetime, zone: tzinfo) -> str:
    """Write an instant as clocks in `zone` show it: '2026-01-15 17:30 IST'."""
    at = instant.astimezone(zone)
    return f"{at:%Y-%m-%d %H:%M} {zone_of(at)}"


def to_the_second(instant: datetime, zone: tzinfo) -> str:
    """Write an instant as clocks in `zone` show it: '2026-01-15 17:30:00 IST'."""
    at = instant.astimezone(zone)
    return f"{at:%Y-%m-%d %H:%M:%S} {zone_of(at)}"


def clock(minute: int) -> str:
    """Write a minute of the day as a clock shows it."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _jump_between(early: datetime, late: datetime, zone: tzinfo) -> datetime:
    """Find the instant after `early`, at latest `late`, from which the offset is that of `late`, to the second."""
    after = late.astimezone(zone).utcoffset()
    while late - early > _SECOND:
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == after:
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0)
