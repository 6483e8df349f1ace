from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.core.localtime import clock, instant_of, next_hour, next_of, zone_name
from monitor.core.pace import (
    HOURLY,
    IMMEDIATE,
    Daily,
    Pace,
    Quiet,
    Schedule,
    ScheduleError,
    is_always_quiet,
    next_digest,
    parse_clock,
    parse_schedule,
    quiet_times,
    quiet_until,
)

KYIV = ZoneInfo("Europe/Kyiv")  # 2026: forward on 29 March at 03:00, back on 25 October at 04:00
NEW_YORK = ZoneInfo("America/New_York")
KATHMANDU = ZoneInfo("Asia/Kathmandu")  # 5:45 ahead
NIGHT = Quiet(start=22 * 60, end=7 * 60)
SIESTA = Quiet(start=13 * 60, end=15 * 60)
HOUR = timedelta(hours=1)


def at(text: str, zone: ZoneInfo = KYIV, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def test_clock_shows_a_time_on_an_ordinary_day() -> None:
    assert instant_of(date(2026, 1, 15), 8 * 60, KYIV) == at("2026-01-15T08:00")
    assert instant_of(date(2026, 1, 15), 1440, KYIV) == at("2026-01-16T00:00")


@pytest.mark.parametrize("minute", [3 * 60, 3 * 60 + 1, 3 * 60 + 59, 4 * 60])
def test_time_that_a_clock_jumps_over_is_that_of_the_jump(minute: int) -> None:
    assert instant_of(date(2026, 3, 29), minute, KYIV) == at("2026-03-29T04:00")


def test_time_that_a_clock_shows_twice_is_the_first_of_them() -> None:
    assert instant_of(date(2026, 10, 25), 210, KYIV) == at("2026-10-25T03:30", fold=0)
    assert at("2026-10-25T03:30", fold=1) - at("2026-10-25T03:30", fold=0) == HOUR


def test_day_that_a_zone_left_out_ends_where_it_begins() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert instant_of(date(2011, 12, 30), 8 * 60, apia) == at("2011-12-31T00:00", apia)


@pytest.mark.parametrize(
    ("now", "zone", "digest"),
    [
        ("2026-01-15T07:59", KYIV, "2026-01-15T08:00"),
        ("2026-01-15T08:00", KYIV, "2026-01-15T18:00"),
        ("2026-01-15T18:00", KYIV, "2026-01-16T08:00"),
        ("2026-01-15T18:00", NEW_YORK, "2026-01-16T08:00"),
        ("2026-03-28T23:00", KYIV, "2026-03-29T08:00"),
        ("2026-10-24T23:00", KYIV, "2026-10-25T08:00"),
    ],
)
def test_daily_digest_is_the_next_of_its_local_times(now: str, zone: ZoneInfo, digest: str) -> None:
    schedule = Daily((8 * 60, 18 * 60))
    assert next_digest(schedule, at(now, zone), zone) == at(digest, zone)


def test_daily_digest_at_a_time_that_comes_twice_is_sent_once() -> None:
    first = at("2026-10-25T03:30", fold=0)
    assert next_of((210,), first - HOUR, KYIV) == first
    assert next_of((210,), first, KYIV) == at("2026-10-26T03:30")


@pytest.mark.parametrize(
    ("now", "zone", "then"),
    [
        ("2026-01-15T08:00", KYIV, "2026-01-15T09:00"),
        ("2026-01-15T08:59:59.999999", KYIV, "2026-01-15T09:00"),
        ("2026-01-15T08:15", KATHMANDU, "2026-01-15T09:00"),
        ("2026-03-29T02:30", KYIV, "2026-03-29T04:00"),
    ],
)
def test_hourly_digest_is_at_the_next_full_hour_of_local_clocks(
    now: str, zone: ZoneInfo, then: str
) -> None:
    assert next_digest(HOURLY, at(now, zone), zone) == at(then, zone)


def test_hour_that_comes_twice_is_two_hours() -> None:
    first = at("2026-10-25T03:30", fold=0)
    assert next_hour(first, KYIV) == first + HOUR / 2
    assert next_hour(first + HOUR, KYIV) == at("2026-10-25T04:00")


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-01-15T21:59:59", None),
        ("2026-01-15T22:00", "2026-01-16T07:00"),
        ("2026-01-16T00:00", "2026-01-16T07:00"),
        ("2026-01-16T06:59:59", "2026-01-16T07:00"),
        ("2026-01-16T07:00", None),
        ("2026-03-29T01:00", "2026-03-29T07:00"),  # an hour shorter
        ("2026-10-25T01:00", "2026-10-25T07:00"),  # an hour longer
    ],
)
def test_quiet_hours_go_over_midnight_and_summer_time(now: str, until: str | None) -> None:
    assert quiet_until((NIGHT,), at(now), KYIV) == (at(until) if until else None)


def test_quiet_hours_are_of_the_day_on_which_they_begin() -> None:
    friday = Quiet(start=22 * 60, end=7 * 60, days=frozenset({4}))
    assert quiet_until((friday,), at("2026-01-16T23:00"), KYIV) == at("2026-01-17T07:00")
    assert quiet_until((friday,), at("2026-01-17T06:00"), KYIV) == at("2026-01-17T07:00")
    assert quiet_until((friday,), at("2026-01-16T06:00"), KYIV) is None
    assert quiet_until((friday,), at("2026-01-17T23:00"), KYIV) is None


def test_quiet_hours_that_follow_each_other_are_one() -> None:
    weekend = Quiet(start=0, end=1440, days=frozenset({5, 6}))
    assert quiet_until((NIGHT, weekend), at("2026-01-16T22:30"), KYIV) == at("2026-01-19T07:00")


def test_quiet_hours_that_the_clock_jumps_over_do_not_take_place() -> None:
    jumped = Quiet(start=3 * 60 + 10, end=3 * 60 + 50)
    assert quiet_until((jumped,), at("2026-03-29T04:00"), KYIV) is None
    assert quiet_until((jumped,), at("2026-03-28T03:10"), KYIV) == at("2026-03-28T03:50")


def test_quiet_for_ever_ends_after_a_week() -> None:
    always = (Quiet(start=0, end=1440),)
    now = at("2026-01-15T12:00")
    assert quiet_until(always, now, KYIV) == now + 7 * 24 * HOUR
    assert is_always_quiet(always)
    assert is_always_quiet((NIGHT, Quiet(start=6 * 60, end=23 * 60)))
    assert not is_always_quiet((NIGHT, Quiet(start=6 * 60, end=23 * 60, days=frozenset(range(6)))))
    assert not is_always_quiet((Quiet(start=0, end=1439),))


def test_quiet_times_that_begin_soon_are_known() -> None:
    noon = at("2026-01-15T12:00")
    assert quiet_times((NIGHT, SIESTA), noon, 24 * HOUR, KYIV) == (
        (at("2026-01-15T13:00"), at("2026-01-15T15:00")),
        (at("2026-01-15T22:00"), at("2026-01-16T07:00")),
    )
    assert quiet_times((NIGHT,), noon, 9 * HOUR, KYIV) == ()
    overlapping = (SIESTA, Quiet(start=14 * 60, end=16 * 60))
    assert quiet_times(overlapping, noon, 3 * HOUR, KYIV) == (
        (at("2026-01-15T13:00"), at("2026-01-15T16:00")),
    )


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("immediate", IMMEDIATE),
        ("hourly", HOURLY),
        ("daily at 08:00", Daily((480,))),
        ("daily at 18:30, 08:00, 8:00", Daily((480, 1110))),
        ("daily at 00:00", Daily((0,))),
    ],
)
def test_schedule_is_read_and_written(text: str, schedule: Schedule) -> None:
    assert parse_schedule(text) == schedule
    assert parse_schedule(str(schedule)) == schedule


def test_quiet_time_that_the_clock_jumps_over_is_not_one_that_begins_soon() -> None:
    jumped = (Quiet(start=3 * 60 + 10, end=3 * 60 + 50),)
    assert quiet_times(jumped, at("2026-03-29T01:00"), 6 * HOUR, KYIV) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "weekly",
        "daily",
        "daily at",
        "daily at 8",
        "daily at 24:00",
        "hourly at 5",
        "daily at 8:60",
    ],
)
def test_schedule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(text)


@pytest.mark.parametrize(("text", "minute"), [("00:00", 0), ("7:05", 425), ("24:00", 1440)])
def test_time_of_day_is_read(text: str, minute: int) -> None:
    assert parse_clock(text) == minute
    assert parse_clock(clock(minute)) == minute


@pytest.mark.parametrize("text", ["24:01", "25:00", "7", "7:5", "-1:00", "12:00 "])
def test_time_of_day_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        parse_clock(text)


def test_quiet_hours_and_zones_are_written_for_people() -> None:
    assert str(NIGHT) == "22:00-07:00"
    assert str(Quiet(start=0, end=1440, days=frozenset({5, 6}))) == "00:00-24:00 on Sat, Sun"
    assert Pace(zone=KYIV).zone_name == "Europe/Kyiv"
    assert zone_name(UTC) == "UTC"
