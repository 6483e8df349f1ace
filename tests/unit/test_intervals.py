from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from monitor.core.intervals import Range, Span, TimeInterval

KYIV = ZoneInfo("Europe/Kyiv")
THURSDAY = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "inside"),
    [
        (Span(), True),
        (Span(minutes=(Range(12 * 60, 13 * 60),)), True),
        (Span(minutes=(Range(11 * 60, 12 * 60),)), False),
        (Span(minutes=(Range(0, 60), Range(720, 721))), True),
        (Span(minutes=(Range(14 * 60, 15 * 60),), zone=KYIV), True),
        (Span(minutes=(Range(12 * 60, 13 * 60),), zone=KYIV), False),
        (Span(weekdays=frozenset({3})), True),
        (Span(weekdays=frozenset({0, 6})), False),
        (Span(days_of_month=(Range(1, 15),)), True),
        (Span(days_of_month=(Range(16, 31),)), False),
        (Span(days_of_month=(Range(-17, -17),)), True),
        (Span(days_of_month=(Range(-16, -1),)), False),
        (Span(days_of_month=(Range(10, -5),)), True),
        (Span(months=(Range(1, 1), Range(12, 12))), True),
        (Span(months=(Range(2, 12),)), False),
        (Span(years=(Range(2025, 2026),)), True),
        (Span(years=(Range(2027, 2030),)), False),
        (Span(weekdays=frozenset({3}), months=(Range(2, 2),)), False),
    ],
)
def test_instant_is_inside_when_everything_holds_that_is_given(span: Span, inside: bool) -> None:
    assert span.contains(THURSDAY) is inside


@pytest.mark.parametrize(
    ("day", "last", "one_before", "thirty_first", "from_thirtieth"),
    [
        (datetime(2026, 2, 28, tzinfo=UTC), True, False, False, False),
        (datetime(2026, 2, 27, tzinfo=UTC), False, True, False, False),
        (datetime(2028, 2, 28, tzinfo=UTC), False, True, False, False),
        (datetime(2028, 2, 29, tzinfo=UTC), True, False, False, False),
        (datetime(2026, 1, 31, tzinfo=UTC), True, False, True, True),
        (datetime(2026, 4, 30, tzinfo=UTC), True, False, False, True),
    ],
)
def test_days_of_a_month_follow_its_length(
    day: datetime, last: bool, one_before: bool, thirty_first: bool, from_thirtieth: bool
) -> None:
    def inside(first: int, to: int) -> bool:
        return Span(days_of_month=(Range(first, to),)).contains(day)

    assert inside(-1, -1) is last
    assert inside(-2, -2) is one_before
    assert inside(31, 31) is thirty_first
    assert inside(30, 31) is from_thirtieth
    assert inside(-31, -1)


def test_interval_is_any_of_its_spans() -> None:
    weekend = Span(weekdays=frozenset({5, 6}))
    noon = Span(minutes=(Range(720, 780),))
    assert TimeInterval("either", (weekend, noon)).contains(THURSDAY)
    assert not TimeInterval("weekend", (weekend,)).contains(THURSDAY)
    assert not TimeInterval("never", ()).contains(THURSDAY)
