"""How a target is doing, and when to leave it alone.

A breaker as in electricity: after some failures it opens and nothing is sent; then one delivery at a time goes out as a
probe, at growing intervals, until one arrives. Deliveries that wait meanwhile use up none of their tries.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.core.jitter import jittered
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected

FAILURES = 5  # in a row open the breaker
SHARE, FEWEST, WINDOW = (
    0.7,
    10,
    timedelta(minutes=5),
)  # or such a share of at least so many, for so long
_MINUTE = timedelta(minutes=1)
PROBES = (_MINUTE / 2, _MINUTE, 2 * _MINUTE, 4 * _MINUTE, 8 * _MINUTE, 15 * _MINUTE)
# "Gone" is believed when it is said again after this: one wrong answer of a proxy must not end a subscription.
CONFIRM = _MINUTE
DISABLE_AFTER, DISABLE_FAILURES = timedelta(days=5), 20
SLOW = timedelta(seconds=3)


class TargetStatus(StrEnum):
    """Whether anything is sent to a target: all of it, one probe at a time, or nothing."""

    ACTIVE = "active"
    OPEN = "open"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """What the attempts at a target add up to.

    `failures` are those in a row, since `failing_since`; `probes` those of them while open. `until` is when the next
    probe may go out, set while open. `tried` and `failed` count attempts since `window_at`. `gone_at` is when the
    target was first refused for good. `slow`: the last attempt took longer than is good for others. `reason` and
    `detail` are those of the last failure. `version` counts changes.
    """

    status: TargetStatus = TargetStatus.ACTIVE
    failures: int = 0
    failing_since: datetime | None = None
    probes: int = 0
    until: datetime | None = None
    window_at: datetime | None = None
    tried: int = 0
    failed: int = 0
    gone_at: datetime | None = None
    slow: bool = False
    reason: DeliveryReason | None = None
    detail: str = ""
    changed_at: datetime | None = None
    version: int = 0


HEALTHY = TargetHealth()


def after(
    health: TargetHealth, outcome: Outcome, now: datetime, took: timedelta, target_id: str = ""
) -> TargetHealth:
    """Return how the target is doing after one more attempt; the same object when nothing changed.

    Waits for probes are spread by `target_id`, so that targets which failed together are not probed together.
    Being asked to slow down (429) is no failure of the target. A target that was disabled stays so, whatever a late
    answer says: only the operator enables it.
    """
    slow = took > SLOW
    if health.status is TargetStatus.DISABLED or _asks_for_patience(outcome):
        return health
    if isinstance(outcome, Delivered):
        calm = not health.failures and health.status is TargetStatus.ACTIVE
        if calm and slow == health.slow and not _in_window(health, now):
            return health
        window = _counted(health, now, failed=0) if _in_window(health, now) else TargetHealth()
        return TargetHealth(
            window_at=window.window_at,
            tried=window.tried,
            failed=window.failed,
            slow=slow,
            changed_at=health.changed_at if calm else now,
            version=health.version + 1,
        )
    failing = replace(
        _counted(health, now, failed=1),
        failures=health.failures + 1,
        failing_since=health.failing_since or now,
        slow=slow,
        reason=outcome.reason,
        detail=outcome.detail,
        version=health.version + 1,
    )
    if isinstance(outcome, Rejected) and outcome.target:
        return _refused(failing, now)
    return _failed(failing, now, now - took, target_id)


def enable(health: TargetHealth, now: datetime) -> TargetHealth:
    """Return the health of a target to which sending starts again, as if nothing had been."""
    return TargetHealth(changed_at=now, version=health.version + 1)


def disable(
    health: TargetHealth, reason: DeliveryReason | None, detail: str, now: datetime
) -> TargetHealth:
    """Return the health of a target to which nothing is sent until it is enabled; no reason: an operator's wish."""
    return replace(
        health,
        status=TargetStatus.DISABLED,
        until=None,
        reason=reason,
        detail=detail,
        changed_at=now,
        version=health.version + 1,
    )


def is_freed(before: TargetHealth, health: TargetHealth) -> bool:
    """Tell whether a target that was left alone is no longer."""
    return before.status is not TargetStatus.ACTIVE and health.status is TargetStatus.ACTIVE


def _refused(failing: TargetHealth, now: datetime) -> TargetHealth:
    gone_at = failing.gone_at or now
    if now - gone_at >= CONFIRM:
        return replace(failing, status=TargetStatus.DISABLED, until=None, changed_at=now)
    return replace(
        failing, status=TargetStatus.OPEN, gone_at=gone_at, until=gone_at + CONFIRM, changed_at=now
    )


def _failed(
    failing: TargetHealth, now: datetime, started_at: datetime, target_id: str
) -> TargetHealth:
    since = failing.failing_since or now
    if failing.failures >= DISABLE_FAILURES and now - since >= DISABLE_AFTER:
        return replace(failing, status=TargetStatus.DISABLED, until=None, changed_at=now)
    if failing.status is TargetStatus.OPEN:
        if failing.changed_at and started_at <= failing.changed_at:
            return failing  # it was under way when the breaker opened, so it is no probe
        probes = failing.probes + 1
        return replace(failing, probes=probes, until=now + _wait(probes, target_id))
    often = failing.tried >= FEWEST and failing.failed >= SHARE * failing.tried
    if failing.failures >= FAILURES or often:
        until = now + _wait(0, target_id)
        return replace(failing, status=TargetStatus.OPEN, until=until, changed_at=now)
    return failing


def _wait(probes: int, target_id: str) -> timedelta:
    wait = PROBES[min(probes, len(PROBES) - 1)]
    return jittered(wait, f"{target_id}:{probes}") if target_id else wait


def _asks_for_patience(outcome: Outcome) -> bool:
    return not isinstance(outcome, Delivered) and outcome.reason is DeliveryReason.RATE_LIMITED


def _in_window(health: TargetHealth, now: datetime) -> bool:
    return health.window_at is not None and now - health.window_at < WINDOW


def _counted(health: TargetHealth, now: datetime, failed: int) -> TargetHealth:
    if _in_window(health, now):
        return replace(health, tried=health.tried + 1, failed=health.failed + failed)
    return replace(health, window_at=now, tried=1, failed=failed)
