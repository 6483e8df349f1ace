"""Every delivery with its state and attempts, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.model import Alert, Attempt, Delivery, DeliveryState, Match
from monitor.core.retry import Ruling
from monitor.ports import DeliveryFilter, DeliveryLease
from monitor.streams import bounds
from monitor.streams.instants import from_ms, span_ms, to_ms
from monitor.streams.keys import delivery_id, generation, hash64
from monitor.streams.memory import store as shared
from monitor.streams.memory.store import Booked, Lane, MemoryStore

FINAL = frozenset({DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.DROPPED})


class MemoryDeliveryLedger:
    """A `DeliveryLedger` in memory."""

    def __init__(self, store: MemoryStore) -> None:
        """Work on the shared state."""
        self._store = store

    async def enqueue(self, alert: Alert, target_id: str, due_at: datetime) -> str | None:
        """See `DeliveryLedger.enqueue`."""
        news = self._untold(alert, target_id)
        if not news:
            return None
        rule_ids = [match.rule_id for match in news]
        new_id = delivery_id(alert.article.id, rule_ids, target_id)
        if new_id in self._store.booked:
            return None
        delivery = Delivery(
            id=new_id,
            target_id=target_id,
            alert=replace(alert, matches=news),
            created_at=from_ms(to_ms(alert.created_at)),
            due_at=from_ms(to_ms(due_at)),
        )
        self._store.booked[new_id] = Booked(delivery)
        self._lane(target_id).waiting[new_id] = to_ms(due_at)
        self._store.rung.set()
        return new_id

    def _untold(self, alert: Alert, target_id: str) -> tuple[Match, ...]:
        number = generation(alert.created_at)
        current = self._store.told.setdefault(number, set())
        told = current | self._store.told.get(number - 1, set())
        news: dict[int, Match] = {}
        for match in sorted(alert.matches, key=lambda match: match.rule_id):
            news.setdefault(hash64(alert.article.id, match.rule_id, target_id), match)
        fresh = {key: match for key, match in news.items() if key not in told}
        current.update(fresh)
        return tuple(fresh.values())

    def _lane(self, target_id: str) -> Lane:
        return self._store.lanes.setdefault(target_id, Lane())

    async def claim(
        self, now: datetime, lease: timedelta, limit: int, wait: timedelta
    ) -> Sequence[DeliveryLease]:
        """See `DeliveryLedger.claim`."""
        start = shared.now()
        while True:
            elapsed = shared.now() - start
            at = now + timedelta(seconds=elapsed)
            leases = self._take(to_ms(at), span_ms(lease), limit)
            left = wait.total_seconds() - elapsed
            if leases or left <= 0:
                return leases
            upcoming = await self.next_due()
            until_due = (upcoming - at).total_seconds() if upcoming else left
            await shared.wait_for(self._store.rung, max(0.001, min(left, until_due)))

    def _take(self, now: int, lease: int, limit: int) -> list[DeliveryLease]:
        ripe = sorted(
            (at, target_id)
            for target_id, lane in self._store.lanes.items()
            if (at := lane.next_event()) is not None and at <= now
        )
        leases: list[DeliveryLease] = []
        for _, target_id in ripe:
            lane, room = self._lane(target_id), limit - len(leases)
            stale = _ripe(lane.flying, now)[:room]
            free = min(room - len(stale), bounds.IN_FLIGHT - len(lane.flying))
            for claimed in stale + _ripe(lane.waiting, now)[: max(0, free)]:
                lane.waiting.pop(claimed, None)
                lane.flying[claimed] = now + lease
                leases.append(self._lease(claimed, now + lease))
        return leases

    def _lease(self, claimed: str, until: int) -> DeliveryLease:
        booked = self._store.booked[claimed]
        booked.turn += 1
        booked.delivery = replace(
            booked.delivery,
            state=DeliveryState.LEASED,
            attempts=booked.delivery.attempts + 1,
        )
        return DeliveryLease(delivery=booked.delivery, token=str(booked.turn), until=from_ms(until))

    async def record(
        self,
        lease: DeliveryLease,
        attempt: Attempt,
        ruling: Ruling,
        now: datetime,  # noqa: ARG002 - the port's; here the doorbell needs no instant
    ) -> bool:
        """See `DeliveryLedger.record`."""
        booked = self._store.booked.get(lease.delivery.id)
        if booked is None:
            return False
        if attempt not in booked.attempts:
            booked.attempts = [*booked.attempts, attempt][-bounds.ATTEMPTS_KEPT :]
        delivery = booked.delivery
        if delivery.state is not DeliveryState.LEASED or str(booked.turn) != lease.token:
            return False
        lane = self._lane(delivery.target_id)
        del lane.flying[delivery.id]
        due_at = from_ms(to_ms(ruling.due_at)) if ruling.due_at else delivery.due_at
        if ruling.state is DeliveryState.RETRY:
            lane.waiting[delivery.id] = to_ms(due_at)
        if ruling.lane_until:
            lane.hold = max(lane.hold, to_ms(ruling.lane_until))
        booked.turn += 1
        booked.delivery = replace(
            delivery,
            state=ruling.state,
            due_at=due_at,
            reason=ruling.reason,
            detail=ruling.detail,
        )
        self._store.rung.set()
        return True

    async def get(self, delivery_id: str) -> Delivery | None:
        """See `DeliveryLedger.get`."""
        booked = self._store.booked.get(delivery_id)
        return booked.delivery if booked else None

    async def attempts(self, delivery_id: str) -> Sequence[Attempt]:
        """See `DeliveryLedger.attempts`."""
        booked = self._store.booked.get(delivery_id)
        return tuple(booked.attempts) if booked else ()

    async def find(self, which: DeliveryFilter) -> Sequence[Delivery]:
        """See `DeliveryLedger.find`."""
        found = [
            booked.delivery
            for booked in self._store.booked.values()
            if which.state in {None, booked.delivery.state}
            and which.target_id in {None, booked.delivery.target_id}
        ]
        found.sort(key=lambda delivery: (delivery.created_at, delivery.id), reverse=True)
        return found[: which.limit]

    async def replay(self, delivery_id: str, now: datetime) -> bool:
        """See `DeliveryLedger.replay`. One that is not finished is left alone: False."""
        booked = self._store.booked.get(delivery_id)
        if booked is None or booked.delivery.state not in FINAL:
            return False
        booked.delivery = replace(
            booked.delivery,
            state=DeliveryState.PENDING,
            attempts=0,
            due_at=from_ms(to_ms(now)),
            reason=None,
            detail="",
        )
        self._lane(booked.delivery.target_id).waiting[delivery_id] = to_ms(now)
        self._store.rung.set()
        return True

    async def next_due(self) -> datetime | None:
        """See `DeliveryLedger.next_due`."""
        events = [at for lane in self._store.lanes.values() if (at := lane.next_event())]
        return from_ms(min(events)) if events else None


def _ripe(instants: dict[str, int], now: int) -> list[str]:
    return [key for at, key in sorted((at, key) for key, at in instants.items()) if at <= now]
