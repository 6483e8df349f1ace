"""Takes deliveries that are due, makes one attempt at each, and records what becomes of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import structlog

from monitor.core.model import Attempt, Delivery, DeliveryState
from monitor.core.outcome import (
    Delivered,
    DeliveryReason,
    Outcome,
    Rejected,
    RetryLater,
    Verdict,
)
from monitor.core.retry import LEASE_MARGIN, Ruling, Waits, decide
from monitor.ports import Channel, Clock, DeliveryLease, DeliveryLedger
from monitor.services.service import IDLE, LeasingService
from monitor.telemetry import Metrics

_KEPT_RESPONSE = 1024

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A target that can be delivered to: its channel, what kind that is, and how patient to be with it."""

    kind: str
    channel: Channel
    waits: Waits
    timeout: timedelta


class DelivererService(LeasingService[DeliveryLease]):
    """Deliveries in, attempts out. A slow target holds at most two places; the others go on."""

    name: ClassVar = "deliverer"

    def __init__(
        self,
        ledger: DeliveryLedger,
        lanes: Mapping[str, Lane],
        clock: Clock,
        metrics: Metrics,
        *,
        concurrency: int,
        lease: timedelta,
    ) -> None:
        """Deliver by `lanes`, target id to lane. A delivery is leased for `lease`, or longer if its attempt may be."""
        super().__init__(metrics, concurrency)
        self._ledger = ledger
        self._lanes = lanes
        self._clock = clock
        self._shortest_lease = lease

    def use(self, lanes: Mapping[str, Lane]) -> None:
        """Deliver by `lanes` from the next attempt on."""
        self._lanes = lanes

    async def _claim(self, limit: int) -> Sequence[DeliveryLease]:
        timeouts = [lane.timeout for lane in self._lanes.values()]
        lease = max([self._shortest_lease, *(timeout + LEASE_MARGIN for timeout in timeouts)])
        return await self._ledger.claim(self._clock.now(), lease, limit, IDLE)

    async def _handle(self, lease: DeliveryLease) -> None:
        delivery = lease.delivery
        lane = self._lanes.get(delivery.target_id)
        with structlog.contextvars.bound_contextvars(
            trace=delivery.alert.article.trace_id, delivery=delivery.id, target=delivery.target_id
        ):
            started_at = self._clock.now()
            if lane is None:
                outcome: Outcome = _REMOVED
                ruling = Ruling(
                    state=DeliveryState.DROPPED, reason=_REMOVED.reason, detail=_REMOVED.detail
                )
            else:
                outcome = await self._attempt(lane, delivery, started_at)
                ruling = decide(
                    delivery.attempts, outcome, self._clock.now(), delivery.id, lane.waits
                )
            ended_at = self._clock.now()
            attempt = _attempt_record(delivery.attempts, outcome, started_at, ended_at)
            recorded = await self._ledger.record(lease, attempt, ruling, ended_at)
            self._tell(lane.kind if lane else "none", delivery, attempt, ruling, recorded=recorded)

    async def _attempt(self, lane: Lane, delivery: Delivery, now: datetime) -> Outcome:
        try:
            async with asyncio.timeout(lane.timeout.total_seconds()):
                return await lane.channel.deliver(delivery, now)
        except TimeoutError:
            return RetryLater(
                reason=DeliveryReason.TIMEOUT,
                detail=f"no answer within {lane.timeout.total_seconds():g} s",
            )
        except Exception as error:  # the wall around one delivery: a defect costs one attempt
            self.metrics.failures.labels(self.name).inc()
            log.exception("attempt_crashed")
            return RetryLater(reason=DeliveryReason.CRASHED, detail=type(error).__name__)

    def _tell(
        self, kind: str, delivery: Delivery, attempt: Attempt, ruling: Ruling, *, recorded: bool
    ) -> None:
        self.metrics.attempts.labels(kind, attempt.verdict, attempt.reason or "").inc()
        seen_at = delivery.alert.article.seen_at
        if attempt.verdict is Verdict.DELIVERED and seen_at:
            waited = attempt.started_at + attempt.duration - seen_at
            self.metrics.seen_to_delivered.observe(waited.total_seconds())
        log.log(
            _LEVEL.get(ruling.state, 20),
            _EVENT[ruling.state],
            attempt=attempt.number,
            ms=round(attempt.duration.total_seconds() * 1000),
            reason=attempt.reason,
            detail=attempt.detail or None,
            due_at=ruling.due_at.isoformat() if ruling.due_at else None,
            lease_lost=not recorded,
        )


_REMOVED = Rejected(reason=DeliveryReason.TARGET_REMOVED, detail="no such target is configured")
_LEVEL = {DeliveryState.RETRY: 30, DeliveryState.DEAD: 40, DeliveryState.DROPPED: 30}
_EVENT = {
    DeliveryState.DELIVERED: "delivery_delivered",
    DeliveryState.RETRY: "delivery_postponed",
    DeliveryState.DEAD: "delivery_given_up",
    DeliveryState.DROPPED: "delivery_dropped",
}


def _attempt_record(
    number: int, outcome: Outcome, started_at: datetime, ended_at: datetime
) -> Attempt:
    verdict = {
        Delivered: Verdict.DELIVERED,
        RetryLater: Verdict.RETRY_LATER,
        Rejected: Verdict.REJECTED,
    }[type(outcome)]
    failure = None if isinstance(outcome, Delivered) else outcome
    return Attempt(
        number=number,
        started_at=started_at,
        duration=ended_at - started_at,
        verdict=verdict,
        reason=failure.reason if failure else None,
        status=outcome.status,
        detail=failure.detail if failure else "",
        response=outcome.response[:_KEPT_RESPONSE],
    )
