"""The retry schedule, as a table."""

from datetime import timedelta

import pytest

from monitor.core.model import DeliveryState
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater, Verdict
from monitor.core.retry import (
    BUSY_WAIT,
    EMAIL,
    NOT_FOUND,
    WEBHOOK,
    Ruling,
    attempt_of,
    decide,
    parse_retry_after,
    waits_for,
)
from monitor.core.secret import Secret
from monitor.core.targets import ConsoleTarget, EmailTarget, SlackTarget, SmtpRelay, WebhookTarget
from tests.factories import NOW

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DOWN = RetryLater(reason=DeliveryReason.SERVER_ERROR, detail="500", status=500)


def wait(ruling: Ruling) -> timedelta:
    assert ruling.state is DeliveryState.RETRY
    assert ruling.due_at is not None
    return ruling.due_at - NOW


def test_delivered_is_final() -> None:
    assert decide(1, Delivered(status=200), NOW, "d1") == Ruling(state=DeliveryState.DELIVERED)


def test_rejected_is_dead_with_its_reason_at_once() -> None:
    outcome = Rejected(reason=DeliveryReason.GONE, detail="410")
    ruling = decide(1, outcome, NOW, "d1")
    assert ruling == Ruling(state=DeliveryState.DEAD, reason=DeliveryReason.GONE, detail="410")


def test_what_a_refused_target_was_sent_waits_with_the_rest_until_the_tries_are_used_up() -> None:
    gone = Rejected(reason=DeliveryReason.GONE, detail="410", target=True)
    ruling = decide(12, gone, NOW, "d1")
    assert wait(ruling) == BUSY_WAIT
    assert (ruling.reason, ruling.lane_until) == (DeliveryReason.GONE, None)
    assert decide(13, gone, NOW, "d1").state is DeliveryState.DEAD


@pytest.mark.parametrize(
    ("outcome", "verdict", "reason"),
    [
        (Delivered(status=200, response="x" * 2000), Verdict.DELIVERED, None),
        (DOWN, Verdict.RETRY_LATER, DeliveryReason.SERVER_ERROR),
        (Rejected(reason=DeliveryReason.GONE), Verdict.REJECTED, DeliveryReason.GONE),
    ],
)
def test_attempt_says_what_came_of_it_in_a_kilobyte(
    outcome: Outcome, verdict: Verdict, reason: DeliveryReason | None
) -> None:
    attempt = attempt_of(3, outcome, NOW, NOW + SECOND)
    assert (attempt.number, attempt.started_at, attempt.duration) == (3, NOW, SECOND)
    assert (attempt.verdict, attempt.reason) == (verdict, reason)
    assert len(attempt.response) <= 1024


@pytest.mark.parametrize(("attempt", "nominal"), list(enumerate(WEBHOOK, start=1)))
def test_wait_follows_the_table_within_a_fifth(attempt: int, nominal: timedelta) -> None:
    assert 0.8 * nominal <= wait(decide(attempt, DOWN, NOW, "d1")) <= 1.2 * nominal


def test_thirteenth_failure_gives_up_and_says_why() -> None:
    ruling = decide(13, DOWN, NOW, "d1")
    assert ruling.state is DeliveryState.DEAD
    assert ruling.reason is DeliveryReason.GAVE_UP
    assert ruling.detail == "gave up after 13 tries, the last one: server_error, 500"


def test_schedules_last_about_three_days_and_two_days() -> None:
    assert len(WEBHOOK) == 12
    assert timedelta(hours=75) < sum(WEBHOOK, timedelta()) < timedelta(hours=77)
    assert timedelta(hours=47) < sum(EMAIL, timedelta()) <= timedelta(hours=48)
    assert min(EMAIL) == 5 * MINUTE
    assert sum(NOT_FOUND, timedelta()) == 10 * MINUTE


def test_two_deliveries_that_failed_together_do_not_return_together() -> None:
    waits = {wait(decide(4, DOWN, NOW, f"d{n}")) for n in range(50)}
    assert len(waits) == 50
    assert max(waits) - min(waits) > 2 * MINUTE  # of the four that the jitter of 10 minutes spans


@pytest.mark.parametrize(
    "outcome",
    [
        RetryLater(reason=DeliveryReason.TIMEOUT),
        RetryLater(reason=DeliveryReason.RATE_LIMITED, status=429),
        RetryLater(reason=DeliveryReason.SERVER_ERROR, status=502),
        RetryLater(reason=DeliveryReason.SERVER_ERROR, status=504),
    ],
)
def test_busy_receiver_gets_at_least_a_minute_and_the_wait_is_still_spread(
    outcome: RetryLater,
) -> None:
    waits = {wait(decide(1, outcome, NOW, f"d{n}")) for n in range(50)}
    assert len(waits) == 50
    assert min(waits) >= BUSY_WAIT
    assert max(waits) <= 1.4 * BUSY_WAIT


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (timedelta(seconds=7), timedelta(seconds=7)),
        (timedelta(0), SECOND),
        (-HOUR, SECOND),
        (timedelta(days=1000), HOUR),
    ],
)
def test_receiver_that_asks_for_a_wait_gets_it_within_bounds(
    asked: timedelta, granted: timedelta
) -> None:
    outcome = RetryLater(reason=DeliveryReason.RATE_LIMITED, after=asked, lane=True, status=429)
    ruling = decide(1, outcome, NOW, "d1")
    assert wait(ruling) == granted
    assert ruling.lane_until == NOW + granted


def test_receiver_that_always_asks_for_a_second_cannot_use_up_the_tries() -> None:
    outcome = RetryLater(reason=DeliveryReason.RATE_LIMITED, after=SECOND, lane=True, status=429)
    total = sum((wait(decide(n, outcome, NOW, "d1")) for n in range(1, 13)), timedelta())
    assert total > timedelta(hours=48)


def test_lane_without_a_wish_is_held_for_a_minute_only() -> None:
    outcome = RetryLater(reason=DeliveryReason.RATE_LIMITED, lane=True, status=429)
    assert decide(12, outcome, NOW, "d1").lane_until == NOW + BUSY_WAIT
    assert decide(13, outcome, NOW, "d1").lane_until == NOW + BUSY_WAIT


def test_failure_of_one_delivery_does_not_hold_the_lane() -> None:
    assert decide(1, DOWN, NOW, "d1").lane_until is None


def test_missing_receiver_is_tried_again_thrice_within_ten_minutes() -> None:
    outcome: Outcome = RetryLater(reason=DeliveryReason.NOT_FOUND, status=404)
    assert sum((wait(decide(n, outcome, NOW, "d1")) for n in (1, 2, 3)), timedelta()) <= 12 * MINUTE
    ruling = decide(4, outcome, NOW, "d1")
    assert (ruling.state, ruling.reason) == (DeliveryState.DEAD, DeliveryReason.NOT_FOUND)


def test_email_has_its_own_schedule() -> None:
    relay = SmtpRelay(host="mail.example", port=587)
    email = EmailTarget(id="e", subscriber="s", to="a@b.example", sender="m@b.example", smtp=relay)
    assert waits_for(email) is EMAIL
    for other in (
        ConsoleTarget(id="c", subscriber="s"),
        SlackTarget(id="k", subscriber="s", webhook_url=Secret("https://slack.example")),
        WebhookTarget(id="w", subscriber="s", url="https://hook.example"),
    ):
        assert waits_for(other) is WEBHOOK
    assert wait(decide(1, DOWN, NOW, "d1", EMAIL)) >= 4 * MINUTE


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", timedelta(seconds=120)),
        (" 5 ", timedelta(seconds=5)),
        ("0", timedelta(0)),
        ("Thu, 15 Jan 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Thu, 15 Jan 2026 12:00:30 -0000", timedelta(seconds=30)),
        ("Thu, 15 Jan 2026 11:00:00 GMT", timedelta(0)),
        ("9" * 5000, timedelta(seconds=10**9)),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Thu, 99 Jan 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_or_ignored(header: str | None, expected: timedelta | None) -> None:
    assert parse_retry_after(header, NOW) == expected
