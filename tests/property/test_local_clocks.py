"""Local clocks, digests and quiet hours in every time zone there is, on every kind of day."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.localtime import instant_of, next_hour, next_of
from monitor.core.pace import Quiet, quiet_until

DAY, HOUR, MINUTE, SECOND = (
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=1),
    timedelta(seconds=1),
)
ZONES = sorted(available_timezones())
YEAR = datetime(2026, 1, 1, tzinfo=UTC)

zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1)).map(  # noqa: DTZ001 - made aware here
    lambda naive: naive.replace(microsecond=0, tzinfo=UTC)
)
minutes = st.integers(0, 1439)


@cache
def turns(name: str) -> tuple[datetime, ...]:
    """Return the instants of 2026 at which the clocks of a zone are turned, to the minute."""
    zone = ZoneInfo(name)
    found = []
    for number in range(365):
        early, late = YEAR + number * DAY, YEAR + (number + 1) * DAY
        if early.astimezone(zone).utcoffset() != late.astimezone(zone).utcoffset():
            while late - early > MINUTE:
                middle = early + (late - early) / 2
                same = middle.astimezone(zone).utcoffset() == early.astimezone(zone).utcoffset()
                early, late = (middle, late) if same else (early, middle)
            found.append(late.replace(second=0, microsecond=0))
    return tuple(found)


def shown(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what a clock shows, day and time, as a plain value that can be compared."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def is_first(at: datetime, day: date, minute: int, zone: ZoneInfo) -> bool:
    """Whether `at` is the first instant at which a clock has come to the time, by looking at those before it."""
    wanted = datetime.combine(day, time()) + minute * MINUTE
    before = (SECOND, MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, DAY)
    return shown(at, zone) >= wanted and all(shown(at - span, zone) < wanted for span in before)


@given(zones, st.dates(date(1975, 1, 1), date(2036, 12, 31)), minutes)
def test_time_of_a_day_is_the_first_instant_at_which_clocks_have_come_to_it(
    zone: ZoneInfo, day: date, minute: int
) -> None:
    assert is_first(instant_of(day, minute, zone), day, minute, zone)


def test_clocks_are_turned_in_many_zones() -> None:
    assert sum(bool(turns(name)) for name in ZONES) > 100


def test_times_around_every_turn_of_the_year_are_found() -> None:
    """Every zone of 2026, with every quarter of an hour from three hours before to three hours after."""
    for name in ZONES:
        zone = ZoneInfo(name)
        for turn in turns(name):
            day = turn.astimezone(zone).date()
            around = shown(turn, zone).hour * 60
            for minute in range(max(0, around - 180), min(1440, around + 181), 15):
                assert is_first(instant_of(day, minute, zone), day, minute, zone), (name, minute)


def test_daily_digest_comes_once_a_day_through_the_turns_of_every_zone() -> None:
    for name in ZONES:
        zone = ZoneInfo(name)
        for turn in turns(name):
            at = shown(turn, zone)
            for minute in ((at.hour * 60 + shift) % 1440 for shift in (-90, -30, 0, 30)):
                first = now = next_of((minute,), turn - 2 * DAY, zone)
                for number in range(1, 4):
                    now = next_of((minute,), now, zone)
                    assert abs(now - first - number * DAY) <= 2 * HOUR, (name, minute)


@given(zones, instants, st.lists(minutes, min_size=1, max_size=3))
def test_digest_is_later_than_now_and_none_is_left_out(
    zone: ZoneInfo, now: datetime, times: list[int]
) -> None:
    digest = next_of(tuple(times), now, zone)
    today = shown(now, zone).date()
    every = {instant_of(today + n * DAY, m, zone) for n in range(-2, 4) for m in times}
    assert now < digest
    assert digest in every
    assert not any(now < other < digest for other in every)
    assert digest - now <= 2 * DAY + HOUR  # a zone may leave a day out


@given(zones, instants)
def test_full_hour_is_at_most_an_hour_away(zone: ZoneInfo, now: datetime) -> None:
    then = next_hour(now, zone)
    assert timedelta() < then - now <= HOUR
    still = now.astimezone(zone).utcoffset() == then.astimezone(zone).utcoffset()
    assert not still or shown(then, zone).minute == 0


quiets = st.builds(
    lambda start, length, days: Quiet(
        start=start, end=(start + length - 1) % 1440 + 1, days=frozenset(days)
    ),
    minutes,
    st.integers(1, 1440),
    st.sets(st.integers(0, 6), min_size=1),
)


@settings(max_examples=60)
@given(zones, instants, st.lists(quiets, min_size=1, max_size=3).map(tuple), st.floats(0, 0.999))
def test_quiet_time_has_one_end_wherever_in_it_one_asks(
    zone: ZoneInfo, now: datetime, hours: tuple[Quiet, ...], part: float
) -> None:
    end = quiet_until(hours, now, zone)
    if end is None:
        return
    assert now < end <= now + 7 * DAY
    if end < now + 7 * DAY:
        assert quiet_until(hours, now + (end - now) * part, zone) == end
        assert quiet_until(hours, end, zone) is None


@given(zones, instants, quiets)
def test_quiet_is_what_a_clock_on_the_wall_says_where_it_is_not_turned(
    zone: ZoneInfo, now: datetime, hours: Quiet
) -> None:
    offsets = {(now + n * HOUR).astimezone(zone).utcoffset() for n in range(-72, 73)}
    if len(offsets) > 1:
        return
    wall = shown(now, zone)
    minute = wall.hour * 60 + wall.minute
    today, yesterday = wall.weekday() in hours.days, (wall.weekday() - 1) % 7 in hours.days
    if hours.end > hours.start:
        quiet = today and hours.start <= minute < hours.end
    else:
        quiet = (today and minute >= hours.start) or (yesterday and minute < hours.end)
    assert (quiet_until((hours,), now, zone) is not None) is quiet
