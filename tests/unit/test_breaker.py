"""When a target is left alone, probed and switched off."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.breaker import (
    CONFIRM,
    DISABLE_AFTER,
    DISABLE_FAILURES,
    FAILURES,
    HEALTHY,
    PROBES,
    SLOW,
    WINDOW,
    TargetHealth,
    TargetStatus,
    after,
    disable,
    enable,
    is_freed,
)
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from tests.factories import NOW

QUICK = timedelta(milliseconds=20)
SECOND = timedelta(seconds=1)
DOWN = RetryLater(reason=DeliveryReason.CONNECT, detail="refused")
BUSY = RetryLater(reason=DeliveryReason.RATE_LIMITED, lane=True)
GONE = Rejected(reason=DeliveryReason.GONE, detail="410", target=True)
BAD = Rejected(reason=DeliveryReason.CLIENT_ERROR)


def all_of(
    outcomes: list[Outcome], health: TargetHealth = HEALTHY, now: datetime = NOW
) -> TargetHealth:
    for outcome in outcomes:
        health = after(health, outcome, now, QUICK)
    return health


def test_success_changes_nothing_of_a_healthy_target() -> None:
    assert after(HEALTHY, Delivered(), NOW, QUICK) is HEALTHY


def test_five_failures_in_a_row_open_the_breaker() -> None:
    four = all_of([DOWN] * (FAILURES - 1))
    assert four.status is TargetStatus.ACTIVE
    five = after(four, BAD, NOW, QUICK)
    assert (five.status, five.until) == (TargetStatus.OPEN, NOW + PROBES[0])
    assert (five.failures, five.reason) == (FAILURES, DeliveryReason.CLIENT_ERROR)


def test_one_success_in_between_starts_the_count_again() -> None:
    health = all_of([*[DOWN] * 4, Delivered(), DOWN])
    assert (health.status, health.failures) == (TargetStatus.ACTIVE, 1)


def test_seven_failures_of_ten_within_five_minutes_open_it_too() -> None:
    mixed: list[Outcome] = [DOWN, DOWN, DOWN, Delivered(), DOWN, DOWN, Delivered(), DOWN]
    health = all_of([*mixed, Delivered(), DOWN])
    assert (health.tried, health.failed) == (10, 7)
    assert health.status is TargetStatus.OPEN


def test_failures_long_ago_are_not_counted_with_those_of_now() -> None:
    health = all_of([*[DOWN] * 4, Delivered(), *[DOWN] * 3, Delivered()])
    later = after(health, DOWN, NOW + WINDOW, QUICK)
    assert (later.tried, later.failed, later.status) == (1, 1, TargetStatus.ACTIVE)
    assert (
        after(
            all_of([Delivered()], later, NOW + 3 * WINDOW), Delivered(), NOW + 4 * WINDOW, QUICK
        ).failures
        == 0
    )


def test_probes_grow_apart_up_to_a_quarter_of_an_hour() -> None:
    health, now, waits = all_of([DOWN] * FAILURES), NOW, []
    for _ in range(8):
        assert health.until is not None
        waits.append(health.until - now)
        now = health.until
        health = after(health, DOWN, now, QUICK)
    assert waits == [*PROBES, PROBES[-1], PROBES[-1]]


def test_what_was_under_way_when_the_breaker_opened_is_no_probe() -> None:
    opened = all_of([DOWN] * FAILURES)
    late = after(opened, DOWN, NOW + SECOND, 2 * SECOND)
    assert (late.failures, late.probes, late.until) == (FAILURES + 1, 0, NOW + PROBES[0])


def test_a_probe_that_arrives_closes_the_breaker() -> None:
    opened = all_of([DOWN] * FAILURES)
    closed = after(opened, Delivered(), NOW, QUICK)
    assert (closed.status, closed.failures, closed.until) == (TargetStatus.ACTIVE, 0, None)
    assert is_freed(opened, closed)
    assert not is_freed(HEALTHY, closed)


def test_being_asked_to_slow_down_is_no_failure() -> None:
    assert all_of([BUSY] * 50) is HEALTHY


def test_gone_is_believed_only_when_it_is_said_again_after_a_minute() -> None:
    once = after(HEALTHY, GONE, NOW, QUICK)
    assert (once.status, once.until) == (TargetStatus.OPEN, NOW + CONFIRM)
    at_once = after(once, GONE, NOW + SECOND, QUICK)
    assert at_once.status is TargetStatus.OPEN
    again = after(once, GONE, NOW + CONFIRM, QUICK)
    assert (again.status, again.reason, again.detail) == (
        TargetStatus.DISABLED,
        DeliveryReason.GONE,
        "410",
    )
    assert after(once, Delivered(), NOW + CONFIRM, QUICK).gone_at is None


def test_a_target_that_fails_for_five_days_is_disabled() -> None:
    health = all_of([DOWN] * DISABLE_FAILURES)
    assert health.status is TargetStatus.OPEN
    late = after(health, DOWN, NOW + DISABLE_AFTER, QUICK)
    assert (late.status, late.until) == (TargetStatus.DISABLED, None)
    few = after(all_of([DOWN] * 3), DOWN, NOW + DISABLE_AFTER, QUICK)
    assert few.status is TargetStatus.ACTIVE


def test_a_late_answer_does_not_enable_a_disabled_target() -> None:
    off = disable(HEALTHY, DeliveryReason.UNSUBSCRIBED, "by its owner", NOW)
    assert after(off, Delivered(), NOW, QUICK) is off
    on = enable(off, NOW)
    assert (on.status, on.failures, on.version) == (TargetStatus.ACTIVE, 0, off.version + 1)


def test_a_slow_answer_marks_the_target_and_a_quick_one_clears_it() -> None:
    slow = after(HEALTHY, Delivered(), NOW, 2 * SLOW)
    assert slow.slow
    assert after(slow, Delivered(), NOW, 2 * SLOW) is slow
    assert not after(slow, Delivered(), NOW, QUICK).slow
    assert after(HEALTHY, RetryLater(reason=DeliveryReason.TIMEOUT), NOW, 2 * SLOW).slow


outcomes = st.sampled_from([Delivered(), DOWN, BUSY, GONE, BAD])
steps = st.tuples(outcomes, st.integers(0, 4000).map(lambda n: timedelta(seconds=n)))


@given(st.lists(steps, max_size=60))
def test_what_always_holds_of_a_target(taken: list[tuple[Outcome, timedelta]]) -> None:
    health, now = HEALTHY, NOW
    for outcome, wait in taken:
        now += wait
        before, health = health, after(health, outcome, now, QUICK)
        assert health.version == before.version + (health is not before)
        assert (health.until is not None) == (health.status is TargetStatus.OPEN)
        assert health.until is None or health.until <= now + PROBES[-1]
        if health.status is TargetStatus.DISABLED:
            assert before.status is not TargetStatus.ACTIVE or before.gone_at or before.failures
        if isinstance(outcome, Delivered) and before.status is not TargetStatus.DISABLED:
            assert (health.status, health.failures) == (TargetStatus.ACTIVE, 0)
