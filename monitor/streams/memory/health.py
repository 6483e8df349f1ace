"""Counting and upkeep of the store in memory."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.model import DeliveryState
from monitor.core.outcome import DeliveryReason
from monitor.ports import Census, LogCensus
from monitor.streams import bounds
from monitor.streams.bounds import RETENTION, Retention
from monitor.streams.instants import to_ms
from monitor.streams.memory import store as shared
from monitor.streams.memory.registry import MemoryRegistry
from monitor.streams.memory.store import MemoryStore, MemoryStream, T


class MemoryStoreHealth:
    """A `StoreHealth` in memory."""

    def __init__(self, store: MemoryStore, keep: Retention = RETENTION) -> None:
        """Work on the shared state; what is finished stays as `keep` says."""
        self._store = store
        self._keep = keep

    async def ping(self) -> None:
        """See `StoreHealth.ping`."""

    async def census(self, now: datetime) -> Census:
        """See `StoreHealth.census`."""
        store = self._store
        states = Counter(booked.delivery.state for booked in store.booked.values())
        return Census(
            feeds=len(store.due),
            feeds_due=sum(at <= to_ms(now) for at in store.due.values()),
            logs=(_census(store.articles), _census(store.matches), _census(store.archive)),
            archive_missed=store.missed,
            deliveries={state: states[state] for state in DeliveryState},
            oldest_undelivered=self._oldest_undelivered(now),
            dead_entries=len(store.dead),
            memory_bytes=0,
            memory_limit_bytes=0,
            server="memory",
            durable=False,
            server_at=now,
        )

    def _oldest_undelivered(self, now: datetime) -> timedelta | None:
        under_way = {DeliveryState.PENDING, DeliveryState.LEASED, DeliveryState.RETRY}
        deliveries = (each.delivery for each in self._store.booked.values())
        made = [each.created_at for each in deliveries if each.state in under_way]
        return max(timedelta(), now - min(made)) if made else None

    async def tidy(self, now: datetime) -> int:
        """See `StoreHealth.tidy`."""
        booked = self._store.booked
        old = [
            key
            for key, it in booked.items()
            if (kept := self._keep.of(it.delivery.state)) is not None
            and (it.died_at or it.delivery.created_at) <= now - kept
        ]
        for key in old:
            del booked[key]
        expired = self._expire(now)
        return len(old) + expired + await MemoryRegistry(self._store).tidy(now)

    def _expire(self, now: datetime) -> int:
        count = 0
        for key, it in self._store.booked.items():
            delivery = it.delivery
            waits = delivery.state in {DeliveryState.PENDING, DeliveryState.RETRY}
            if waits and (delivery.since or delivery.created_at) <= now - self._keep.dead:
                self._store.lanes[delivery.target_id].waiting.pop(key, None)
                it.died_at = now
                it.delivery = replace(
                    delivery,
                    state=DeliveryState.DEAD,
                    reason=DeliveryReason.EXPIRED,
                    detail=bounds.NOT_FETCHED,
                )
                count += 1
        return count


def _census(stream: MemoryStream[T]) -> LogCensus:
    oldest = min(stream.appended_at.values(), default=None)
    return LogCensus(
        name=stream.name,
        length=len(stream.entries),
        pending=len(stream.held),
        oldest=None if oldest is None else timedelta(seconds=shared.now() - oldest),
    )
