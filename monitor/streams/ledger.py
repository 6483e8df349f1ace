"""Every delivery with its durable state and its attempts, on the server."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from monitor.core.breaker import HEALTHY, TargetHealth, is_freed
from monitor.core.holding import Hold
from monitor.core.model import Alert, Attempt, Delivery, DeliveryState
from monitor.core.retry import Ruling
from monitor.errors import CodecError
from monitor.ports import DeliveryFilter, DeliveryLease, LaneStanding, LaneTerms
from monitor.streams import codec, keys
from monitor.streams.batch import Batched
from monitor.streams.client import Word, call, command
from monitor.streams.deliveries import FIELDS, TARGET, TURN, read_delivery
from monitor.streams.feeds import earliest, first_scores
from monitor.streams.instants import from_ms, span_ms, to_ms
from monitor.streams.keys import key
from monitor.streams.store import Store

ASK_CLUSTER_EVERY = timedelta(milliseconds=100)
PAGE = 200
PASSED_OVER = timedelta(milliseconds=20)

_log = structlog.get_logger(__name__)


class StreamDeliveryLedger:
    """A `DeliveryLedger` on the server; a delivery lives in the partition of its target."""

    def __init__(self, store: Store) -> None:
        """Work on an open store."""
        self._store = store
        self._server = store.server
        self._lanes = [key(partition, "lanes") for partition in store.all()]
        self._records = Batched(store.server, "monitor_record_deliveries")
        self._round = 0

    async def enqueue(
        self, alert: Alert, target_id: str, due_at: datetime, hold: Hold | None = None
    ) -> str | None:
        """See `DeliveryLedger.enqueue`."""
        partition, number = self._store.partition_of(target_id), keys.generation(alert.created_at)
        bucket = keys.told_bucket(alert.article.id, target_id)
        ordered = replace(alert, matches=tuple(sorted(alert.matches, key=lambda m: m.rule_id)))
        touched = [
            self._lanes[partition],
            keys.told(partition, number, bucket),
            keys.told(partition, number - 1, bucket),
        ]
        words: list[Word] = [
            alert.article.id,
            target_id,
            to_ms(due_at),
            to_ms(alert.created_at),
            codec.alerts.encode(ordered),
            *_hold_words(hold),
            *_surplus_words(hold.surplus if hold else None),
        ]
        for match in ordered.matches:
            words += [match.rule_id, keys.hash64(alert.article.id, match.rule_id, target_id)]
        reply = await self._server.run(call("monitor_enqueue", touched, *words))
        return reply.decode() if reply else None

    async def arrange(self, terms: Mapping[str, LaneTerms]) -> None:
        """See `DeliveryLedger.arrange`."""
        by_partition: dict[int, list[Word]] = {}
        for target_id, each in terms.items():
            folding = (each.most_waiting, each.most_folded)
            numbers = (span_ms(each.gap), each.in_flight, *folding, int(each.ordered))
            words = ",".join(map(str, numbers))
            by_partition.setdefault(self._store.partition_of(target_id), []).extend(
                (target_id, words)
            )
        await self._server.each(
            [call("monitor_arrange", [self._lanes[p]], *said) for p, said in by_partition.items()]
        )

    async def claim(
        self,
        now: datetime,
        lease: timedelta,
        limit: int,
        wait: timedelta,
        slow_limit: int | None = None,
    ) -> Sequence[DeliveryLease]:
        """See `DeliveryLedger.claim`."""
        slow = limit if slow_limit is None else max(0, slow_limit)
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            elapsed = timedelta(seconds=loop.time() - start)
            upcoming, leases = await self._take(now + elapsed, lease, limit, slow)
            if leases or elapsed >= wait:
                return leases
            pause = wait - elapsed
            if upcoming is not None:
                until_due = from_ms(upcoming) - now - elapsed
                # What is due and was not claimed belongs to slow targets, which have all the places they may have.
                pause = min(pause, max(until_due, PASSED_OVER))
            await self._listen(pause)

    async def _take(
        self, now: datetime, length: timedelta, limit: int, slow: int
    ) -> tuple[int | None, list[DeliveryLease]]:
        """Claim what is ripe; return when something can next be claimed, and the leases."""
        until = to_ms(now) + span_ms(length)
        instants = (to_ms(now), until)
        if self._server.clustered:
            upcoming, claimed = await self._claim_by_part(instants, limit, slow)
        else:
            upcoming, claimed = await self._server.run(
                call("monitor_claim_deliveries", self._lanes, *instants, limit, slow)
            )
        leases: list[DeliveryLease] = []
        for raw_id, values, said, health in claimed:
            lease = await self._lease(raw_id.decode(), values, said, health, until, length)
            leases += [lease] if lease else []
        return int(upcoming) if upcoming else None, leases

    async def _claim_by_part(
        self, instants: tuple[int, int], limit: int, slow: int
    ) -> tuple[int | None, list[Any]]:
        """Claim an equal share from each ripe partition of a cluster, which no one call can reach."""
        upcoming = await first_scores(self._store, "lanes")
        ripe = [p for at, p in sorted((at, p) for p, at in upcoming.items()) if at <= instants[0]]
        asked = ripe[:limit]
        if not asked:
            return min(upcoming.values(), default=None), []
        rooms = self._shared_out(slow, len(asked))
        replies = await self._server.each(
            [
                call("monitor_claim_deliveries", [self._lanes[p]], *instants, share, room)
                for p, share, room in zip(
                    asked, self._shared_out(limit, len(asked)), rooms, strict=True
                )
            ]
        )
        left = [at for p, at in upcoming.items() if p not in asked]
        left += [int(at) for at, _ in replies if at]
        return min(left, default=None), [one for _, claimed in replies for one in claimed]

    def _shared_out(self, room: int, parts: int) -> list[int]:
        """Divide the room; what does not come out even goes to other parts each time."""
        each, rest = divmod(max(0, room), parts)
        self._round += 1
        return [each + ((number + self._round) % parts < rest) for number in range(parts)]

    async def _lease(
        self,
        delivery_id: str,
        values: Sequence[bytes],
        said: Sequence[bytes],
        health: bytes | None,
        until: int,
        length: timedelta,
    ) -> DeliveryLease | None:
        """Return the lease; a delivery that cannot be read is dead, so that it is not claimed for ever."""
        turn = values[TURN].decode()
        try:
            delivery = read_delivery(delivery_id, values, said)
            known = codec.healths.decode(health) if health else HEALTHY
        except CodecError as error:
            _log.error("delivery_unreadable", delivery=delivery_id, why=str(error))
            lanes = self._lanes_of(values[TARGET].decode())
            ended = (DeliveryState.DEAD.value, "", "", str(error), "")
            words = (delivery_id, turn, "", *ended, until - span_ms(length))
            await self._records.call(lanes, *words)
            return None
        return DeliveryLease(delivery=delivery, token=turn, until=from_ms(until), health=known)

    async def _listen(self, pause: timedelta) -> None:
        """Return when a bell rings, or after `pause`."""
        if self._server.clustered:
            await asyncio.sleep(min(pause, ASK_CLUSTER_EVERY).total_seconds())
            return
        bells = [key(partition, "bell") for partition in self._store.all()]
        await self._server.wait(("BLPOP", *bells, f"{pause.total_seconds():.3f}"), pause)

    async def record(
        self,
        lease: DeliveryLease,
        attempt: Attempt,
        ruling: Ruling,
        now: datetime,
    ) -> bool:
        """See `DeliveryLedger.record`."""
        delivery = lease.delivery
        lanes = self._lanes_of(delivery.target_id)
        words: tuple[Word, ...] = (
            delivery.id,
            lease.token,
            codec.attempts.encode(attempt),
            ruling.state.value,
            to_ms(ruling.due_at) if ruling.due_at else "",
            ruling.reason.value if ruling.reason else "",
            ruling.detail,
            to_ms(ruling.lane_until) if ruling.lane_until else "",
            to_ms(now),
        )
        return bool(await self._records.call(lanes, *words))

    async def health(self, target_ids: Sequence[str]) -> Mapping[str, TargetHealth]:
        """See `DeliveryLedger.health`."""
        keys_ = [key(self._store.partition_of(one), f"health:{one}") for one in target_ids]
        known = await self._server.each([command("HGET", one, "health") for one in keys_])
        return {
            target_id: codec.healths.decode(data) if data else HEALTHY
            for target_id, data in zip(target_ids, known, strict=True)
        }

    async def set_health(self, target_id: str, before: TargetHealth, health: TargetHealth) -> bool:
        """See `DeliveryLedger.set_health`."""
        lanes = self._lanes_of(target_id)
        words: tuple[Word, ...] = (
            target_id,
            before.version,
            codec.healths.encode(health),
            health.version,
            health.status.value,
            int(health.slow),
            to_ms(health.until) if health.until else 0 if is_freed(before, health) else "",
        )
        return bool(await self._server.run(call("monitor_set_health", [lanes], *words)))

    async def standings(self, target_ids: Sequence[str]) -> Mapping[str, LaneStanding]:
        """See `DeliveryLedger.standings`."""
        asked = [
            ask
            for one, p in ((one, self._store.partition_of(one)) for one in target_ids)
            for ask in (
                command("HMGET", key(p, f"health:{one}"), "health", "hold"),
                command("ZCARD", key(p, f"lane:{one}")),
                command("ZCARD", key(p, f"flight:{one}")),
            )
        ]
        replies = iter(await self._server.each(asked))
        return {
            one: LaneStanding(
                health=codec.healths.decode(health) if health else HEALTHY,
                waiting=waiting,
                in_flight=flying,
                held_until=from_ms(int(held)) if held else None,
            )
            for one, (health, held), waiting, flying in zip(
                target_ids, replies, replies, replies, strict=True
            )
        }

    async def get(self, delivery_id: str) -> Delivery | None:
        """See `DeliveryLedger.get`."""
        for partition in self._store.all():
            found = await self._readable(partition, [delivery_id])
            if found:
                return found[0]
        return None

    async def attempts(self, delivery_id: str) -> Sequence[Attempt]:
        """See `DeliveryLedger.attempts`."""
        name = f"attempts:{delivery_id}"
        replies = await self._server.each(
            [command("LRANGE", key(partition, name), 0, -1) for partition in self._store.all()]
        )
        return tuple(codec.attempts.decode(data) for reply in replies for data in reply)

    async def find(self, which: DeliveryFilter) -> Sequence[Delivery]:
        """See `DeliveryLedger.find`. Not one instant: a delivery that changes state meanwhile may be missed."""
        everywhere: Sequence[int] = self._store.all()
        target, states = which.target_id, [which.state] if which.state else list(DeliveryState)
        found: dict[str, Delivery] = {}
        for partition in everywhere if target is None else [self._store.partition_of(target)]:
            for state in states:
                found |= await self._newest(partition, state, which)
        newest = sorted(found.values(), key=lambda one: (one.created_at, one.id), reverse=True)
        return newest[: which.limit]

    async def _newest(
        self, partition: int, state: DeliveryState, which: DeliveryFilter
    ) -> dict[str, Delivery]:
        """Return at least the newest `which.limit` in one state, if there are so many."""
        index, start = key(partition, f"index:{state}"), 0
        oldest = to_ms(which.since) if which.since else "-inf"
        newest = f"({to_ms(which.until)}" if which.until else "+inf"
        found: dict[str, Delivery] = {}
        while len(found) < which.limit:
            bounded: tuple[Word, ...] = (newest, oldest, "BYSCORE", "REV", "LIMIT", start, PAGE)
            raw_ids = await self._server.run(command("ZRANGE", index, *bounded))
            if not raw_ids:
                break
            for one in await self._readable(partition, [raw_id.decode() for raw_id in raw_ids]):
                if one.state is state and which.accepts(one):
                    found[one.id] = one
            start += PAGE
        return found

    async def _readable(self, partition: int, ids: Sequence[str]) -> list[Delivery]:
        """Return those deliveries that are still there and can be read; the others were logged when claimed."""
        replies = await self._server.each(
            [
                ask
                for one in ids
                for ask in (
                    command("HMGET", key(partition, f"delivery:{one}"), *FIELDS),
                    command("LRANGE", key(partition, f"said:{one}"), 0, -1),
                )
            ]
        )
        deliveries: list[Delivery] = []
        for one, values, said in zip(ids, replies[::2], replies[1::2], strict=True):
            with suppress(CodecError):
                deliveries.append(read_delivery(one, values, said))
        return deliveries

    async def replay(self, delivery_id: str, now: datetime) -> bool:
        """See `DeliveryLedger.replay`. One that is not finished is left alone: False."""
        words = (delivery_id, to_ms(now))
        replies = await self._server.each(
            [call("monitor_replay", [one], *words) for one in self._lanes]
        )
        return any(replies)

    def _lanes_of(self, target_id: str) -> str:
        return self._lanes[self._store.partition_of(target_id)]

    async def next_due(self) -> datetime | None:
        """See `DeliveryLedger.next_due`."""
        return await earliest(self._store, "lanes")


def _hold_words(hold: Hold | None) -> tuple[Word, ...]:
    if hold is None:
        return ("",) * 7
    until, interval = to_ms(hold.until), span_ms(hold.interval)
    closed = "".join(f"{to_ms(start)},{to_ms(end)};" for start, end in hold.closed)
    return (hold.group, hold.reason.value, hold.detail, until, interval, hold.free, closed)


def _surplus_words(hold: Hold | None) -> tuple[Word, ...]:
    if hold is None:
        return ("",) * 5
    return (hold.group, hold.reason.value, hold.detail, to_ms(hold.until), hold.free)
