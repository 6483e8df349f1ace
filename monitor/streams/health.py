"""Counting and upkeep of the store on the server."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import inf
from typing import Any

from monitor.core.model import DeliveryState
from monitor.core.outcome import DeliveryReason
from monitor.ports import Census, LogCensus
from monitor.streams import bounds, keys
from monitor.streams.bounds import RETENTION, Retention
from monitor.streams.client import Word, call, command
from monitor.streams.instants import from_ms, span_ms, to_ms
from monitor.streams.keys import key
from monitor.streams.log import GROUP
from monitor.streams.registry import StreamRegistry
from monitor.streams.store import Store, server_facts, server_name

BATCH = 200
CONSUMER_GONE = timedelta(days=1)


class StreamStoreHealth:
    """A `StoreHealth` on the server."""

    def __init__(self, store: Store, keep: Retention = RETENTION) -> None:
        """Work on an open store; what is finished stays as `keep` says."""
        self._store = store
        self._keep = keep
        self._server = store.server

    async def ping(self) -> None:
        """See `StoreHealth.ping`."""
        await self._server.everywhere("PING")

    async def census(self, now: datetime) -> Census:
        """See `StoreHealth.census`."""
        logs = (keys.ARTICLES, keys.MATCHES, keys.DEAD, keys.ARCHIVE)
        names = ("lanes", "due", *logs, keys.MISSED)
        counted = await self._server.each(
            [
                call("monitor_census", [key(p, name) for name in names], to_ms(now), GROUP)
                for p in self._store.all()
            ]
        )
        feeds, due, articles, matches, dead, states, archive, missed, made = zip(
            *counted, strict=True
        )
        facts = await server_facts(self._server)
        return Census(
            feeds=sum(feeds),
            feeds_due=sum(due),
            logs=(
                _log(keys.ARTICLES, articles, now),
                _log(keys.MATCHES, matches, now),
                _log(keys.ARCHIVE, archive, now),
            ),
            archive_missed=sum(missed),
            deliveries=dict(zip(DeliveryState, map(sum, zip(*states, strict=True)), strict=True)),
            oldest_undelivered=_age(map(int, filter(None, made)), now),
            dead_entries=sum(dead),
            memory_bytes=sum(int(node["used_memory"]) for node in facts),
            memory_limit_bytes=sum(int(node["maxmemory"]) for node in facts),
            server=", ".join(sorted(Counter(map(server_name, facts)))),
            durable=all(node.get("aof_enabled") for node in facts),
            server_at=from_ms(int(facts[0]["server_time_usec"]) // 1000),
        )

    async def tidy(self, now: datetime) -> int:
        """See `StoreHealth.tidy`. When memory runs short, what was finished without trouble goes sooner."""
        at_most = await self._relief()
        count = 0
        for state in DeliveryState:
            kept = self._keep.of(state)
            if kept is not None:
                spared = state is DeliveryState.DEAD
                count += await self._forget(state, now - (kept if spared else min(kept, at_most)))
        count += await self._expire(now)
        public = now - min(self._keep.matches, at_most)
        count += await self._trim([keys.PUBLIC], "MINID", to_ms(public))
        count += await self._trim([keys.PUBLIC], "MAXLEN", bounds.KEEP_PUBLIC_ENTRIES)
        dead = [key(partition, keys.DEAD) for partition in self._store.all()]
        count += await self._trim(dead, "MINID", to_ms(now - self._keep.dead))
        count += await StreamRegistry(self._store).tidy(now)
        return count + await self._dismiss()

    async def _relief(self) -> timedelta:
        """Return how long finished work may stay, by the node that is fullest."""
        facts = await server_facts(self._server)
        used = max(int(node["used_memory"]) / (int(node["maxmemory"]) or inf) for node in facts)
        return next((keep for share, keep in bounds.RELIEF if used > share), timedelta.max)

    async def _forget(self, state: DeliveryState, before: datetime) -> int:
        return await self._until_none_is_left("monitor_forget", state.value, to_ms(before), BATCH)

    async def _expire(self, now: datetime) -> int:
        """Give up what nobody has come for; it stays as a dead letter."""
        count = 0
        for state in (DeliveryState.PENDING, DeliveryState.RETRY):
            words = (state.value, to_ms(now - self._keep.dead), to_ms(now))
            why = (DeliveryReason.EXPIRED.value, bounds.NOT_FETCHED)
            count += await self._until_none_is_left("monitor_expire", *words, *why, BATCH)
        return count

    async def _until_none_is_left(self, function: str, *words: Word) -> int:
        """Repeat a function, which goes in small steps, in every partition; return how many things it changed."""
        count = 0
        for partition in self._store.all():
            step = call(function, [key(partition, "lanes")], *words)
            while changed := int(await self._server.run(step)):
                count += changed
        return count

    async def _trim(self, streams: Sequence[str], strategy: str, threshold: int) -> int:
        trims = [command("XTRIM", stream, strategy, "~", threshold) for stream in streams]
        return sum(await self._server.each(trims))

    async def _dismiss(self) -> int:
        names = (keys.ARTICLES, keys.MATCHES, keys.ARCHIVE)
        logs = [key(p, name) for p in self._store.all() for name in names]
        idle = span_ms(CONSUMER_GONE)
        return sum(
            await self._server.each([call("monitor_dismiss", [log], GROUP, idle) for log in logs])
        )


def _log(name: str, counted: Sequence[Any], now: datetime) -> LogCensus:
    lengths, pending, firsts = zip(*counted, strict=True)
    appended = [int(first.split(b"-")[0]) for first in firsts if first]
    oldest = _age(appended, now)
    return LogCensus(name=name, length=sum(lengths), pending=sum(pending), oldest=oldest)


def _age(instants: Iterable[int], now: datetime) -> timedelta | None:
    """Return the age of the oldest of these instants, in milliseconds, if there is one."""
    oldest = min(instants, default=None)
    return None if oldest is None else max(timedelta(), now - from_ms(oldest))
