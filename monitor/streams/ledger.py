"""Every delivery with its durable state and its attempts, on the server."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from monitor.core.breaker import HEALTHY, TargetHealth, is_freed
from monitor.core.holding import Hold
from monitor.core.model import Alert, Attempt, Delivery, DeliveryState
from monitor.core.outcome import DeliveryReason, HoldReason
from monitor.core.retry import Ruling
from monitor.errors import CodecError
from monitor.ports import DeliveryFilter, DeliveryLease, LaneTerms
from monitor.streams import codec, keys
from monitor.streams.client import Word, call, command
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
        self._round = 0

    async def enqueue(
        self, alert: Alert, target_id: str, due_at: datetime, hold: Hold | None = None
    ) -> str | None:
        """See `DeliveryLedger.enqueue`."""
        partition, number = self._store.partition_of(target_id), keys.generation(alert.created_at)
        bucket = keys.told_bucket(alert.article.id, target_id)
        ordered = replace(alert, matches=tuple(sorted(alert.matches, key=lambda m: m.rule_id)))
        touched = [
            key(partition, "lanes"),
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
        ]
        for match in ordered.matches:
            words += [match.rule_id, keys.hash64(alert.article.id, match.rule_id, target_id)]
        reply = await self._server.run(call("monitor_enqueue", touched, *words))
        return reply.decode() if reply else None

    async def arrange(self, terms: Mapping[str, LaneTerms]) -> None:
        """See `DeliveryLedger.arrange`."""
        by_partition: dict[int, list[Word]] = {}
        for target_id, each in terms.items():
            words = f"{span_ms(each.gap)},{each.in_flight},{each.most_waiting}"
            by_partition.setdefault(self._store.partition_of(target_id), []).extend(
                (target_id, words)
            )
        await self._server.each(
            [call("monitor_arrange", [key(p, "lanes")], *said) for p, said in by_partition.items()]
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
        slow = limit if slow_limit is None else slow_limit
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            elapsed = timedelta(seconds=loop.time() - start)
            # When something can next be claimed, for each partition with lanes.
            upcoming = await first_scores(self._store, "lanes")
            leases = await self._take(upcoming, now + elapsed, lease, limit, slow)
            if leases or elapsed >= wait:
                return leases
            pause = wait - elapsed
            if upcoming:
                until_due = from_ms(min(upcoming.values())) - now - elapsed
                # What is due and was not claimed belongs to slow targets, which have all the places they may have.
                pause = min(pause, max(until_due, PASSED_OVER))
            await self._listen(pause)

    async def _take(
        self, upcoming: Mapping[int, int], now: datetime, length: timedelta, limit: int, slow: int
    ) -> list[DeliveryLease]:
        """Claim an equal share from each ripe partition, and again from those that had as much as that."""
        until = to_ms(now) + span_ms(length)
        ripe = [p for at, p in sorted((at, p) for p, at in upcoming.items()) if at <= to_ms(now)]
        leases: list[DeliveryLease] = []
        while ripe and len(leases) < limit:
            asked = ripe[: limit - len(leases)]
            share = (limit - len(leases)) // len(asked)
            rooms = self._shared_out(slow, len(asked))
            replies = await self._server.each(
                [
                    call(
                        "monitor_claim_deliveries",
                        [key(p, "lanes")],
                        to_ms(now),
                        until,
                        share,
                        room,
                    )
                    for p, room in zip(asked, rooms, strict=True)
                ]
            )
            ripe = [p for p, claimed in zip(asked, replies, strict=True) if len(claimed) == share]
            for raw_id, flat, said, health in (one for claimed in replies for one in claimed):
                fields = dict(zip(flat[::2], flat[1::2], strict=True))
                lease = await self._lease(raw_id.decode(), fields, said, health, until)
                leases += [lease] if lease else []
                slow -= 1 if lease and lease.health.slow else 0
        return leases

    def _shared_out(self, room: int, parts: int) -> list[int]:
        """Divide the room for slow targets; what does not come out even goes to other parts each time."""
        each, rest = divmod(max(0, room), parts)
        self._round += 1
        return [each + ((number + self._round) % parts < rest) for number in range(parts)]

    async def _lease(
        self,
        delivery_id: str,
        fields: Mapping[bytes, bytes],
        said: Sequence[bytes],
        health: bytes | None,
        until: int,
    ) -> DeliveryLease | None:
        """Return the lease; a delivery that cannot be read is dead, so that it is not claimed for ever."""
        turn = fields[b"turn"].decode()
        try:
            delivery = _delivery(delivery_id, fields, said)
            known = codec.healths.decode(health) if health else HEALTHY
        except CodecError as error:
            _log.error("delivery_unreadable", delivery=delivery_id, why=str(error))
            lanes = key(self._store.partition_of(fields[b"target"].decode()), "lanes")
            words = (delivery_id, turn, "", DeliveryState.DEAD.value, "", "", str(error), "")
            await self._server.run(call("monitor_record_delivery", [lanes], *words))
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
        now: datetime,  # noqa: ARG002 - the port's; the function needs no instant but those of the ruling
    ) -> bool:
        """See `DeliveryLedger.record`."""
        delivery = lease.delivery
        lanes = key(self._store.partition_of(delivery.target_id), "lanes")
        words: tuple[Word, ...] = (
            delivery.id,
            lease.token,
            codec.attempts.encode(attempt),
            ruling.state.value,
            to_ms(ruling.due_at) if ruling.due_at else "",
            ruling.reason.value if ruling.reason else "",
            ruling.detail,
            to_ms(ruling.lane_until) if ruling.lane_until else "",
        )
        return bool(await self._server.run(call("monitor_record_delivery", [lanes], *words)))

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
        lanes = key(self._store.partition_of(target_id), "lanes")
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
        found: dict[str, Delivery] = {}
        while len(found) < which.limit:
            page = command("ZRANGE", index, start, start + PAGE - 1, "REV")
            ids = [raw_id.decode() for raw_id in await self._server.run(page)]
            if not ids:
                break
            for one in await self._readable(partition, ids):
                if one.state is state and which.target_id in {None, one.target_id}:
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
                    command("HGETALL", key(partition, f"delivery:{one}")),
                    command("LRANGE", key(partition, f"said:{one}"), 0, -1),
                )
            ]
        )
        deliveries: list[Delivery] = []
        for one, fields, said in zip(ids, replies[::2], replies[1::2], strict=True):
            with suppress(CodecError, KeyError):
                deliveries.append(_delivery(one, fields, said))
        return deliveries

    async def replay(self, delivery_id: str, now: datetime) -> bool:
        """See `DeliveryLedger.replay`. One that is not finished is left alone: False."""
        words = (delivery_id, to_ms(now))
        lanes = [key(partition, "lanes") for partition in self._store.all()]
        replies = await self._server.each([call("monitor_replay", [one], *words) for one in lanes])
        return any(replies)

    async def next_due(self) -> datetime | None:
        """See `DeliveryLedger.next_due`."""
        return await earliest(self._store, "lanes")


def _hold_words(hold: Hold | None) -> tuple[Word, ...]:
    if hold is None:
        return ("",) * 7
    until, interval = to_ms(hold.until), span_ms(hold.interval)
    closed = "".join(f"{to_ms(start)},{to_ms(end)};" for start, end in hold.closed)
    return (hold.group, hold.reason.value, hold.detail, until, interval, hold.free, closed)


def _delivery(
    delivery_id: str, fields: Mapping[bytes, bytes], said: Sequence[bytes] = ()
) -> Delivery:
    """Read a delivery; `said` has, for a digest, what was accepted of each alert and the alert, by turns."""
    own = said or (fields[b"accepted"], fields[b"alert"])
    reason, because = fields[b"reason"].decode(), fields.get(b"because", b"").decode()
    return Delivery(
        id=delivery_id,
        target_id=fields[b"target"].decode(),
        alerts=tuple(map(_alert, own[::2], own[1::2])),
        state=DeliveryState(fields[b"state"].decode()),
        attempts=int(fields[b"attempts"]),
        created_at=from_ms(int(fields[b"created"])),
        due_at=from_ms(int(fields[b"due"])),
        reason=DeliveryReason(reason) if reason else None,
        detail=fields[b"detail"].decode(),
        because=HoldReason(because) if because else None,
        because_of=fields.get(b"because_of", b"").decode(),
        seq=int(fields.get(b"seq", 0)),
        since=from_ms(int(fields[b"since"])) if b"since" in fields else None,
    )


def _alert(accepted: bytes, data: bytes) -> Alert:
    alert = codec.alerts.decode(data)
    return replace(
        alert, matches=tuple(alert.matches[int(index)] for index in accepted.split(b","))
    )
