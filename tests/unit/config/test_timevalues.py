from collections.abc import Callable
from zoneinfo import ZoneInfo, available_timezones

import pytest

from monitor.config import timevalues
from monitor.config.values import WrongValueError, common_name, matchers
from monitor.core.intervals import Range
from monitor.core.pace import HOURLY


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (timevalues.schedule, "hourly", HOURLY),
        (timevalues.clock_time, "07:30", 450),
        (timevalues.clock_time, "24:00", 1440),
        (timevalues.quiet_text, "22:00 - 7:00", {"from": "22:00", "to": "7:00"}),
        (timevalues.quiet_text, {"from": "1:00"}, {"from": "1:00"}),
        (timevalues.weekdays, "Monday", frozenset({0})),
        (timevalues.weekdays, "monday:friday", frozenset(range(5))),
        (timevalues.weekdays, "saturday:monday", frozenset({5, 6, 0})),
        (timevalues.weekdays, "sunday:saturday", frozenset(range(7))),
        (timevalues.months, "december", Range(12, 12)),
        (timevalues.months, 5, Range(5, 5)),
        (timevalues.months, "may:8", Range(5, 8)),
        (timevalues.days_of_month, 1, Range(1, 1)),
        (timevalues.days_of_month, "-3:-1", Range(-3, -1)),
        (timevalues.days_of_month, "10:-5", Range(10, -5)),
        (timevalues.years, 2026, Range(2026, 2026)),
        (timevalues.years, "2026:2028", Range(2026, 2028)),
        (common_name, "...", "..."),
    ],
)
def test_value_is_read(read: Callable[[object], object], value: object, expected: object) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (timevalues.schedule, 8),
        (timevalues.schedule, "daily at 8"),
        (timevalues.clock_time, "25:00"),
        (timevalues.clock_time, 25),
        (timevalues.clock_time, True),
        (timevalues.quiet_text, "22:00"),
        (timevalues.weekdays, "m"),
        (timevalues.weekdays, ":friday"),
        (timevalues.weekdays, None),
        (timevalues.months, "0"),
        (timevalues.months, True),
        (timevalues.days_of_month, "32"),
        (timevalues.days_of_month, "-1:-3"),
        (timevalues.years, ""),
        (timevalues.years, "soon"),
        (timevalues.zone, "Europe/Kyev"),
        (timevalues.zone, ""),
        (common_name, "no name"),
        (matchers, 5),
    ],
)
def test_value_that_is_none_is_refused(read: Callable[[object], object], value: object) -> None:
    with pytest.raises(WrongValueError):
        read(value)


def test_every_zone_that_is_known_can_be_used() -> None:
    for name in available_timezones():
        assert ZoneInfo(timevalues.zone(name)).key == name
