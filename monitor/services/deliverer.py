"""Takes deliveries that are due, makes one attempt at each, and records what becomes of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, partial
from typing import ClassVar

import structlog

from monitor.core.breaker import TargetHealth, TargetStatus, after
from monitor.core.model import Attempt, Delivery, DeliveryState
from monitor.core.notice import target_disabled
from monitor.core.outcome import (
    Delivered,
    DeliveryReason,
    HoldReason,
    Outcome,
    Rejected,
    RetryLater,
    Suppression,
    Verdict,
)
from monitor.core.recall import recalled
from monitor.core.retry import LEASE_MARGIN, STALE, Ruling, Waits, attempt_of, decide
from monitor.errors import StreamError
from monitor.ports import USUAL_TERMS, Channel, Clock, DeliveryLease, DeliveryLedger, LaneTerms
from monitor.services.service import IDLE, LeasingService
from monitor.services.wishes import Wishes
from monitor.telemetry import Metrics
from monitor.tracing import span

_WISHES_KNOWN_FOR = timedelta(seconds=1)
_BRIEFLY = timedelta(milliseconds=100)  # a slow target may have a place again any moment
SLOW_SHARE = 4  # slow targets together have this part of the places

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A target that can be delivered to: its channel, what kind that is, and how patient to be with it.

    An attempt is cut off after `timeout`, unless the channel `keeps_time`: it then ends by itself until then. `terms`
    are how the target wants its deliveries. After `stale` a delivery is told as late if the channel `reads_late`, else
    it is given up. `notify` are the targets that say so when this one, of `subscriber`, is switched off. `zone` is
    where the clocks of its reader are.
    """

    kind: str
    channel: Channel
    waits: Waits
    timeout: timedelta
    keeps_time: bool = False
    terms: LaneTerms = USUAL_TERMS
    stale: timedelta = STALE
    reads_late: bool = True
    subscriber: str = ""
    zone: tzinfo = UTC
    notify: tuple[str, ...] = ()


class DelivererService(LeasingService[DeliveryLease]):
    """Deliveries in, attempts out.

    A target has as many places as its terms say, and all that are slow together a quarter: the others go on. Those of
    which it is not known yet that they are slow give their places back after a second.
    """

    name: ClassVar = "deliverer"
    patience = 1.0
    aside = 4
    claims_by = 8  # small claims: receivers answer while the store works on the next

    def __init__(
        self,
        ledger: DeliveryLedger,
        lanes: Mapping[str, Lane],
        clock: Clock,
        metrics: Metrics,
        *,
        concurrency: int,
        lease: timedelta,
        wishes: Wishes | None = None,
    ) -> None:
        """Deliver by `lanes`, target id to lane. A delivery is leased for `lease`, or longer if its attempt may be.

        What `wishes` keep back now is not told any more, although it was routed before.
        """
        super().__init__(metrics, concurrency)
        self._ledger = ledger
        self._wishes = wishes
        self._wished_at: datetime | None = None
        self._lanes = lanes
        self._arranged: dict[str, LaneTerms] = {}
        self._is_arranged = False
        self._paces: dict[str, timedelta] = {}
        self._clock = clock
        self._shortest_lease = lease
        self._slow = 0
        self._attempted = cache(metrics.attempts.labels)

    def use(self, lanes: Mapping[str, Lane]) -> None:
        """Deliver by `lanes` from the next attempt on."""
        self._lanes = lanes
        self._is_arranged = False

    async def _claim(self, limit: int) -> Sequence[DeliveryLease]:
        await self._arrange()
        await self._refresh_wishes()  # before the claim: a failure must not cost leases
        timeouts = [lane.timeout for lane in self._lanes.values()]
        lease = max([self._shortest_lease, *(timeout + LEASE_MARGIN for timeout in timeouts)])
        slow_room = max(0, max(1, self._concurrency // SLOW_SHARE) - self._slow)
        wait = IDLE if slow_room else _BRIEFLY
        leases = await self._ledger.claim(self._clock.now(), lease, limit, wait, slow_room)
        self._slow += sum(each.health.slow for each in leases)
        return leases

    async def _refresh_wishes(self) -> None:
        now = self._clock.now()
        known = self._wished_at is not None and abs(now - self._wished_at) < _WISHES_KNOWN_FOR
        if self._wishes and not known:
            await self._wishes.refresh()
            self._wished_at = now

    async def _arrange(self) -> None:
        """Tell the ledger of terms that it does not know."""
        if self._is_arranged:
            return
        self._is_arranged = True  # lanes may change while the ledger is told
        terms = {target_id: self._terms(target_id, lane) for target_id, lane in self._lanes.items()}
        news = {one: each for one, each in terms.items() if self._arranged.get(one) != each}
        if news:
            try:
                await self._ledger.arrange(news)
            except StreamError:
                self._is_arranged = False
                raise
            self._arranged = terms

    def _terms(self, target_id: str, lane: Lane) -> LaneTerms:
        """Return the terms of a lane, no faster than its receiver says it takes."""
        gap = max(lane.terms.gap, self._paces.get(target_id, timedelta()))
        return lane.terms if gap == lane.terms.gap else replace(lane.terms, gap=gap)

    def _keep_pace(self, target_id: str, pace: timedelta) -> None:
        """Note how fast a receiver says that it takes more."""
        if self._paces.get(target_id) != pace:
            self._paces[target_id] = pace
            self._is_arranged = False

    async def _handle(self, lease: DeliveryLease) -> None:
        told = lease.delivery
        trace, about = told.alert.article.trace_id, {"delivery": told.id, "target": told.target_id}
        # Of this task, which handles nothing else.
        structlog.contextvars.bind_contextvars(trace=trace, **about)
        try:
            with span("deliver", trace, **about):
                await self._deliver(lease)
        finally:
            self._slow -= lease.health.slow

    async def _deliver(self, lease: DeliveryLease) -> None:
        delivery = lease.delivery
        lane = self._lanes.get(delivery.target_id)
        started_at = ended_at = self._clock.now()
        told = await self._left_to_tell(lane, delivery, started_at)
        if lane is None:
            outcome, ruling = _unknown(delivery.attempts, started_at)
        elif isinstance(told, Rejected):
            outcome, ruling = _untried(told)
        else:
            outcome = await self._attempt(lane, told, started_at)
            ended_at = self._clock.now()
            self._step_aside()
            if isinstance(outcome, Delivered) and outcome.pace is not None:
                self._keep_pace(delivery.target_id, outcome.pace)
            health = after(lease.health, outcome, ended_at, ended_at - started_at)
            if health is not lease.health:
                judged = partial(self._judge, lane, lease, outcome, started_at, ended_at)
                await self._insist(judged)
            ruling = decide(delivery.attempts, outcome, ended_at, delivery.id, lane.waits)
        attempt = attempt_of(delivery.attempts, outcome, started_at, ended_at)
        # Whoever has taken the delivery over meanwhile has fenced us off.
        record = partial(self._ledger.record, lease, attempt, ruling, ended_at)
        recorded = await self._insist(record)
        self._tell(lane.kind if lane else "none", delivery, attempt, ruling, recorded=recorded)

    async def _left_to_tell(
        self, lane: Lane | None, delivery: Delivery, now: datetime
    ) -> Delivery | Rejected:
        """Return what is told of a delivery, or why it is not attempted."""
        if lane is None:
            return _REMOVED
        late = _is_stale(lane, delivery, now)
        if late and not lane.reads_late:
            hours = lane.stale.total_seconds() / 3600
            detail = f"could not be delivered within {hours:g} h; replay it to send it all the same"
            return Rejected(reason=DeliveryReason.EXPIRED, detail=detail)
        told = await self._recalled(delivery, now)
        return _as_late(told) if late and isinstance(told, Delivery) else told

    async def _recalled(self, delivery: Delivery, now: datetime) -> Delivery | Rejected:
        if self._wishes is None:
            return delivery
        told = _as_wished(self._wishes, delivery, now)
        if (
            told is not delivery
        ):  # what ended a moment ago keeps nothing back, and what is dropped is gone
            await self._wishes.refresh()
            told = _as_wished(self._wishes, delivery, now)
        left_out = len(delivery.alerts) - len(told.alerts) if isinstance(told, Delivery) else 0
        if left_out:
            self.metrics.suppressed.labels(Suppression.SILENCED).inc(left_out)
            log.info("alerts_left_out", reason=Suppression.SILENCED, alerts=left_out)
        return told

    async def _judge(
        self,
        lane: Lane,
        lease: DeliveryLease,
        outcome: Outcome,
        started_at: datetime,
        now: datetime,
    ) -> None:
        """Draw the conclusion for the target; again when another attempt has drawn one meanwhile."""
        target_id, before = lease.delivery.target_id, lease.health
        while (health := after(before, outcome, now, now - started_at, target_id)) is not before:
            turned = health.status is not before.status
            if turned and health.status is TargetStatus.DISABLED:
                # Before it takes effect, so that a crash in between cannot leave it untold.
                await self._say_disabled(lane, target_id, health, now)
            if await self._ledger.set_health(target_id, before, health):
                if turned:
                    self._tell_health(lane, health)
                return
            before = (await self._ledger.health([target_id]))[target_id]

    async def _say_disabled(
        self, lane: Lane, target_id: str, health: TargetHealth, now: datetime
    ) -> None:
        for other in lane.notify:
            reader = self._lanes.get(other, lane)
            notice = target_disabled(reader.subscriber, target_id, health, now, reader.zone)
            await self._ledger.enqueue(notice, other, now)

    def _tell_health(self, lane: Lane, health: TargetHealth) -> None:
        self.metrics.target_turns.labels(lane.kind, health.status).inc()
        log.log(
            _HEALTH_LEVEL[health.status],
            _HEALTH_EVENT[health.status],
            failures=health.failures,
            reason=health.reason,
            detail=health.detail or None,
            until=health.until.isoformat() if health.until else None,
        )

    async def _attempt(self, lane: Lane, delivery: Delivery, now: datetime) -> Outcome:
        try:
            if lane.keeps_time:
                return await lane.channel.deliver(delivery, now)
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
        self._attempted(kind, attempt.verdict, attempt.reason or "").inc()
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
# A process knows within a second what another was told; where files differ, somebody has to copy them.
_UNTIL_KNOWN = tuple(timedelta(seconds=wait) for wait in (2, 10, 60, 300))
_HEALTH_EVENT = {
    TargetStatus.ACTIVE: "target_well_again",
    TargetStatus.OPEN: "target_left_alone",
    TargetStatus.DISABLED: "target_disabled",
}
_HEALTH_LEVEL = {TargetStatus.ACTIVE: 20, TargetStatus.OPEN: 30, TargetStatus.DISABLED: 40}
_LEVEL = {DeliveryState.RETRY: 30, DeliveryState.DEAD: 40, DeliveryState.DROPPED: 30}
_EVENT = {
    DeliveryState.DELIVERED: "delivery_delivered",
    DeliveryState.RETRY: "delivery_postponed",
    DeliveryState.DEAD: "delivery_given_up",
    DeliveryState.DROPPED: "delivery_dropped",
}


def _unknown(attempts: int, now: datetime) -> tuple[Outcome, Ruling]:
    """Rule on a delivery to a target that this process does not know.

    It may have been added a moment ago, and another process may know it: it is tried again before it is given up.
    """
    if attempts > len(_UNTIL_KNOWN):
        return _untried(_REMOVED)
    reason, detail = DeliveryReason.TARGET_REMOVED, _REMOVED.detail
    due_at = now + _UNTIL_KNOWN[max(attempts, 1) - 1]
    ruling = Ruling(state=DeliveryState.RETRY, due_at=due_at, reason=reason, detail=detail)
    return RetryLater(reason=reason, detail=detail), ruling


def _untried(refused: Rejected) -> tuple[Outcome, Ruling]:
    expired = refused.reason is DeliveryReason.EXPIRED
    state = DeliveryState.DEAD if expired else DeliveryState.DROPPED
    return refused, Ruling(state=state, reason=refused.reason, detail=refused.detail)


def _as_wished(wishes: Wishes, delivery: Delivery, now: datetime) -> Delivery | Rejected:
    silences = wishes.silences_of(delivery.alert.subscriber)
    return recalled(delivery, silences, wishes.choices, now)


def _is_stale(lane: Lane, delivery: Delivery, now: datetime) -> bool:
    return now - (delivery.since or delivery.created_at) > lane.stale


def _as_late(delivery: Delivery) -> Delivery:
    return replace(delivery, because=delivery.because or HoldReason.CATCH_UP)
