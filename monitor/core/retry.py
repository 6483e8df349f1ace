"""When to try a delivery again, and when to give it up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import assert_never

from monitor.core.jitter import JITTER, factor
from monitor.core.model import Attempt, DeliveryState
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater, Verdict
from monitor.core.targets import EmailTarget, Target

Waits = Sequence[timedelta]


def _waits(text: str) -> tuple[timedelta, ...]:
    units = {"s": "seconds", "m": "minutes", "h": "hours"}
    return tuple(timedelta(**{units[wait[-1]]: int(wait[:-1])}) for wait in text.split())


# How long to wait after the first failure, the second, and so on; one failure more and the delivery is given up.
WEBHOOK = _waits("5s 30s 2m 10m 30m 1h 2h 4h 8h 12h 24h 24h")  # 13 tries in 76 hours
EMAIL = _waits(
    "5m 15m 30m 1h 2h" + " 4h" * 11
)  # 17 tries in 48 hours; greylisting needs five minutes
NOT_FOUND = _waits("1m 3m 6m")  # a receiver being deployed is soon back; one that moved never is

# After this a delivery that could not go out is no longer news. A webhook's is given up, and told by the program that
# asks for it again; people are told that it is late.
STALE = timedelta(hours=24)
STALE_WEBHOOK = timedelta(hours=80)  # longer than its schedule

# A lease outlasts the attempt by this, so that no send is repeated while it is under way (Svix #2181).
LEASE_MARGIN = timedelta(seconds=5)
_KEPT_RESPONSE = 1024
_VERDICTS: Mapping[type[Outcome], Verdict] = {
    Delivered: Verdict.DELIVERED,
    RetryLater: Verdict.RETRY_LATER,
    Rejected: Verdict.REJECTED,
}
# Whoever is too slow or too busy is not helped by a second try within the minute.
BUSY_WAIT = timedelta(minutes=1)
_BUSY_REASONS = frozenset({DeliveryReason.TIMEOUT, DeliveryReason.RATE_LIMITED})
_BUSY_STATUSES = frozenset({429, 502, 504})
SHORTEST_ASKED, LONGEST_ASKED = timedelta(seconds=1), timedelta(hours=1)
# A receiver that asks for one second every time must not use up all tries in a few: from here on, what it asks
# for can only lengthen the wait.
TRIES_AS_ASKED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What becomes of a delivery after an attempt.

    `state` is DELIVERED, RETRY, DEAD or DROPPED; `due_at` is set with RETRY alone. `lane_until` holds back everything
    for the target until then.
    """

    state: DeliveryState
    due_at: datetime | None = None
    reason: DeliveryReason | None = None
    detail: str = ""
    lane_until: datetime | None = None


_DONE = Ruling(state=DeliveryState.DELIVERED)


def attempt_of(number: int, outcome: Outcome, started_at: datetime, ended_at: datetime) -> Attempt:
    """Return the record of a try that came to `outcome`."""
    failure = None if isinstance(outcome, Delivered) else outcome
    return Attempt(
        number=number,
        started_at=started_at,
        duration=ended_at - started_at,
        verdict=_VERDICTS[type(outcome)],
        reason=failure.reason if failure else None,
        status=outcome.status,
        detail=failure.detail if failure else "",
        response=outcome.response[:_KEPT_RESPONSE],
    )


def waits_for(target: Target) -> Waits:
    """Return the schedule for deliveries to this target."""
    return EMAIL if isinstance(target, EmailTarget) else WEBHOOK


def decide(
    attempts: int,
    outcome: Outcome,
    now: datetime,
    delivery_id: str,
    schedule: Waits = WEBHOOK,
) -> Ruling:
    """Rule on a delivery after `attempts` tries, the last of which came to `outcome`.

    The same arguments give the same ruling: the jitter follows from the delivery and the try.
    """
    match outcome:
        case Delivered():
            return _DONE
        case Rejected(target=True) if attempts <= len(schedule):
            # It is the target that is refused: the breaker holds its lane, and this waits with the others.
            due_at = now + BUSY_WAIT
            state, reason = DeliveryState.RETRY, outcome.reason
            return Ruling(state=state, due_at=due_at, reason=reason, detail=outcome.detail)
        case Rejected():
            return Ruling(state=DeliveryState.DEAD, reason=outcome.reason, detail=outcome.detail)
        case RetryLater():
            return _retry(attempts, outcome, now, delivery_id, schedule)
        case _:
            assert_never(outcome)


def _retry(
    attempts: int, outcome: RetryLater, now: datetime, delivery_id: str, schedule: Waits
) -> Ruling:
    asked = None if outcome.after is None else _clamp(outcome.after)
    lane_until = now + (asked or BUSY_WAIT) if outcome.lane else None
    missing = outcome.reason is DeliveryReason.NOT_FOUND
    waits = NOT_FOUND if missing else schedule
    if attempts > len(waits):
        return Ruling(
            state=DeliveryState.DEAD,
            reason=outcome.reason if missing else DeliveryReason.GAVE_UP,
            detail=f"gave up after {attempts} tries, the last one: {outcome.reason}, {outcome.detail}",
            lane_until=lane_until,
        )
    wait = _jittered(waits[max(attempts, 1) - 1], outcome, f"{delivery_id}:{attempts}")
    if asked is not None:
        wait = asked if attempts <= TRIES_AS_ASKED else max(asked, wait)
    return Ruling(
        state=DeliveryState.RETRY,
        due_at=now + wait,
        reason=outcome.reason,
        detail=outcome.detail,
        lane_until=lane_until,
    )


def _jittered(wait: timedelta, outcome: RetryLater, seed: str) -> timedelta:
    spread = factor(seed)
    busy = outcome.reason in _BUSY_REASONS or outcome.status in _BUSY_STATUSES
    if busy and wait * spread < BUSY_WAIT:
        return BUSY_WAIT * (spread + JITTER)  # never less than the minute, and still spread
    return wait * spread


def _clamp(after: timedelta) -> timedelta:
    return min(max(after, SHORTEST_ASKED), LONGEST_ASKED)


def parse_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header, seconds or a date (RFC 9110, section 10.2.3); None when it is missing or nonsense.

    A date that has passed is zero; `decide` bounds what is too short or too long.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:10]), 10**9))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(at - now, timedelta(0))
