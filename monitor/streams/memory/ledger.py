"""Every delivery with its state and attempts, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.breaker import HEALTHY, TargetHealth, is_freed
from monitor.core.holding import Hold
from monitor.core.model import FINAL, Alert, Attempt, Delivery, DeliveryState, Match
from monitor.core.outcome import HoldReason
from monitor.core.retry import Ruling
from monitor.ports import DeliveryFilter, DeliveryLease, LaneStanding, LaneTerms
from monitor.streams import bounds
from monitor.streams.instants import from_ms, span_ms, to_ms
from monitor.streams.keys import delivery_id, digest_id, generation, hash64
from monitor.streams.memory import store as shared
from monitor.streams.memory.store import Booked, Gathering, Lane, MemoryStore


class MemoryDeliveryLedger:
    """A `DeliveryLedger` in memory."""

    def __init__(self, store: MemoryStore) -> None:
        """Work on the shared state."""
        self._store = store

    async def enqueue(
        self, alert: Alert, target_id: str, due_at: datetime, hold: Hold | None = None
    ) -> str | None:
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
            alerts=(replace(alert, matches=news),),
            created_at=from_ms(to_ms(alert.created_at)),
            due_at=from_ms(to_ms(due_at)),
        )
        self._store.booked[new_id] = Booked(delivery)
        if hold and not self._is_free(target_id, hold):
            self._keep_back(delivery, self._or_surplus(target_id, hold))
        else:
            self._admit(new_id, to_ms(due_at))
        self._store.rung.set()
        return new_id

    def _is_free(self, target_id: str, hold: Hold) -> bool:
        lane, until = self._lane(target_id), to_ms(hold.until)
        window, used = lane.used
        used = used if window == until else 0
        if used < hold.free:
            lane.used = (until, used + 1)
            return True
        return False

    def _or_surplus(self, target_id: str, hold: Hold) -> Hold:
        """Return the hold, or that of the surplus where this would begin a group and none is free any more."""
        gathering = self._store.gatherings.get((target_id, hold.group))
        begins = gathering is None or not gathering.held
        spent = begins and hold.surplus and not self._is_free(target_id, hold.surplus)
        return hold.surplus if spent and hold.surplus else hold

    def _keep_back(self, delivery: Delivery, hold: Hold) -> None:
        gathering = self._store.gatherings.setdefault((delivery.target_id, hold.group), Gathering())
        if not gathering.held:
            gathering.until = to_ms(hold.until)
            if gathering.released is not None:
                gathering.until = max(gathering.until, gathering.released + span_ms(hold.interval))
                for start, end in hold.closed:
                    if to_ms(start) <= gathering.until < to_ms(end):
                        gathering.until = to_ms(end)
        gathering.held[delivery.id] = to_ms(delivery.created_at)
        booked = self._store.booked[delivery.id]
        booked.interval = span_ms(hold.interval)
        booked.delivery = replace(
            delivery,
            state=DeliveryState.HELD,
            due_at=from_ms(gathering.until),
            because=hold.reason,
            because_of=hold.detail,
        )

    def _admit(self, delivery_id: str, due: int, state: DeliveryState | None = None) -> None:
        """Send a delivery that was never in the lane on its way."""
        booked = self._store.booked[delivery_id]
        lane = self._lane(booked.delivery.target_id)
        if not booked.delivery.seq:
            lane.seq += 1
        lane.waiting[delivery_id] = due
        lane.numbers[delivery_id] = booked.delivery.seq or lane.seq
        booked.delivery = replace(
            booked.delivery,
            state=state or booked.delivery.state,
            due_at=from_ms(due),
            since=from_ms(due),
            seq=booked.delivery.seq or lane.seq,
        )

    def _fold(self, target_id: str, ids: Sequence[str], now: int, because: HoldReason) -> None:
        """Make one digest of several deliveries."""
        store = self._store
        parts = [store.booked[one].delivery for one in ids]
        new_id = digest_id(now, ids)
        store.booked[new_id] = Booked(
            Delivery(
                id=new_id,
                target_id=target_id,
                alerts=tuple(alert for part in parts for alert in part.alerts),
                created_at=from_ms(now),
                due_at=from_ms(now),
                because=because,
                because_of="" if because is HoldReason.CATCH_UP else parts[0].because_of,
            )
        )
        for part in parts:
            self._lane(target_id).waiting.pop(part.id, None)
            store.booked[part.id].delivery = replace(
                part, state=DeliveryState.FOLDED, detail=new_id
            )
        self._admit(new_id, now)

    def _release(self, now: int) -> None:
        ripe = sorted(
            (each.until, name)
            for name, each in self._store.gatherings.items()
            if each.held and each.until <= now
        )
        for _, (target_id, group) in ripe:
            gathering = self._store.gatherings[target_id, group]
            ids = sorted(gathering.held, key=lambda one: (gathering.held[one], one))
            ids = ids[: self._lane(target_id).terms.most_folded]
            first = self._store.booked[ids[0]]
            for one in ids:
                del gathering.held[one]
            interval = first.interval
            gathering.released = now if interval else None
            gathering.until = now
            if len(ids) == 1:
                self._admit(ids[0], now, DeliveryState.PENDING)
            else:
                because = first.delivery.because or HoldReason.GROUP
                self._fold(target_id, ids, now, because)

    def _coalesce(self, target_id: str, now: int) -> None:
        lane = self._lane(target_id)
        booked = self._store.booked
        terms = lane.terms
        waiting = lane.ripe(now, max(terms.most_waiting + 1, terms.most_folded))
        parts = [booked[one].delivery for one in waiting]
        untried = [one.id for one in parts if not one.attempts and not one.is_digest]
        if terms.most_waiting and len(untried) > terms.most_waiting:
            self._fold(target_id, untried[: terms.most_folded], now, HoldReason.CATCH_UP)

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

    async def arrange(self, terms: Mapping[str, LaneTerms]) -> None:
        """See `DeliveryLedger.arrange`."""
        for target_id, each in terms.items():
            self._lane(target_id).terms = each
        self._store.rung.set()

    async def claim(
        self,
        now: datetime,
        lease: timedelta,
        limit: int,
        wait: timedelta,
        slow_limit: int | None = None,
    ) -> Sequence[DeliveryLease]:
        """See `DeliveryLedger.claim`."""
        slow = limit if slow_limit is None else slow_limit
        start = shared.now()
        while True:
            elapsed = shared.now() - start
            at = now + timedelta(seconds=elapsed)
            leases = self._take(to_ms(at), span_ms(lease), limit, slow)
            left = wait.total_seconds() - elapsed
            if leases or left <= 0:
                return leases
            upcoming = await self.next_due()
            until_due = (upcoming - at).total_seconds() if upcoming else left
            await shared.wait_for(self._store.rung, max(0.005, min(left, until_due)))

    def _take(self, now: int, lease: int, limit: int, slow_room: int) -> list[DeliveryLease]:
        self._release(now)
        ripe = sorted(
            (at, target_id)
            for target_id, lane in self._store.lanes.items()
            if (at := lane.next_event()) is not None and at <= now
        )
        leases: list[DeliveryLease] = []
        for _, target_id in ripe:
            lane = self._lane(target_id)
            room = limit - len(leases)
            room = min(room, slow_room) if lane.health.slow else room
            if room <= 0:
                continue
            claimed = self._take_from(target_id, now, lease, room)
            slow_room -= len(claimed) if lane.health.slow else 0
            leases += claimed
        return leases

    def _take_from(self, target_id: str, now: int, lease: int, room: int) -> list[DeliveryLease]:
        lane = self._lane(target_id)
        if not lane.terms.ordered:
            self._coalesce(target_id, now)
        gap = span_ms(lane.terms.gap)
        room = min(room, lane.allowed(now, gap)) if gap else room
        stale = _ripe(lane.flying, now)[:room]
        free = min(room - len(stale), lane.most_in_flight - len(lane.flying))
        chosen = stale + lane.ripe(now, max(0, free))
        lane.paced = max(now, lane.paced) + gap * len(chosen) if gap else lane.paced
        for claimed in chosen:
            lane.waiting.pop(claimed, None)
            lane.flying[claimed] = now + lease
        return [self._lease(claimed, now + lease) for claimed in chosen]

    def _lease(self, claimed: str, until: int) -> DeliveryLease:
        booked = self._store.booked[claimed]
        booked.turn += 1
        booked.delivery = replace(
            booked.delivery,
            state=DeliveryState.LEASED,
            attempts=booked.delivery.attempts + 1,
        )
        return DeliveryLease(
            delivery=booked.delivery,
            token=str(booked.turn),
            until=from_ms(until),
            health=self._lane(booked.delivery.target_id).health,
        )

    async def record(
        self,
        lease: DeliveryLease,
        attempt: Attempt,
        ruling: Ruling,
        now: datetime,
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
        booked.died_at = now if ruling.state is DeliveryState.DEAD else None
        self._store.rung.set()
        return True

    async def health(self, target_ids: Sequence[str]) -> Mapping[str, TargetHealth]:
        """See `DeliveryLedger.health`."""
        lanes = self._store.lanes
        return {one: lanes[one].health if one in lanes else HEALTHY for one in target_ids}

    async def set_health(self, target_id: str, before: TargetHealth, health: TargetHealth) -> bool:
        """See `DeliveryLedger.set_health`."""
        lane = self._lane(target_id)
        if lane.health.version != before.version:
            return False
        if health.until:
            lane.hold = max(lane.hold, to_ms(health.until))
        elif is_freed(before, health):
            lane.hold = 0
        lane.health = health
        self._store.rung.set()
        return True

    async def standings(self, target_ids: Sequence[str]) -> Mapping[str, LaneStanding]:
        """See `DeliveryLedger.standings`."""
        lanes = {one: self._store.lanes.get(one, Lane()) for one in target_ids}
        return {
            one: LaneStanding(
                health=lane.health,
                waiting=len(lane.waiting),
                in_flight=len(lane.flying),
                held_until=from_ms(lane.hold) if lane.hold else None,
            )
            for one, lane in lanes.items()
        }

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
            if which.accepts(booked.delivery)
        ]
        found.sort(key=lambda delivery: (delivery.created_at, delivery.id), reverse=True)
        return found[: which.limit]

    async def replay(self, delivery_id: str, now: datetime) -> bool:
        """See `DeliveryLedger.replay`. One that is not finished is left alone: False."""
        booked = self._store.booked.get(delivery_id)
        if booked is None or booked.delivery.state not in FINAL:
            return False
        booked.delivery = replace(booked.delivery, attempts=0, reason=None, detail="")
        booked.died_at = None
        self._admit(delivery_id, to_ms(now), DeliveryState.PENDING)
        self._store.rung.set()
        return True

    async def next_due(self) -> datetime | None:
        """See `DeliveryLedger.next_due`."""
        events = [at for lane in self._store.lanes.values() if (at := lane.next_event())]
        events += [each.until for each in self._store.gatherings.values() if each.held]
        return from_ms(min(events)) if events else None


def _ripe(instants: dict[str, int], now: int) -> list[str]:
    return [key for at, key in sorted((at, key) for key, at in instants.items()) if at <= now]
