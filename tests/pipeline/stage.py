"""The program as `app` puts it together, taken step by step at instants that the test chooses."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from monitor.app.parts import Outside, StoreParts, open_outside, open_store_parts
from monitor.app.program import Program
from monitor.config.load import load
from monitor.config.settings import Settings
from monitor.core.outcome import Suppression
from monitor.streams.memory import (
    MemoryArchiveLog,
    MemoryArticleLog,
    MemoryDeliveryLedger,
    MemoryFeedStore,
    MemoryHabits,
    MemoryMatchLog,
    MemoryPublicStream,
    MemoryRegistry,
    MemoryStore,
    MemoryStoreHealth,
)
from monitor.telemetry import Metrics
from tests import configuration
from tests.clock import StandingClock

EMBEDDED = "embedded"


class Pipeline:
    """A program whose services take turns only when told to."""

    def __init__(
        self, settings: Settings, parts: StoreParts, outside: Outside, clock: StandingClock
    ) -> None:
        self.settings = settings
        self.parts = parts
        self.outside = outside
        self.clock = clock
        self.metrics = Metrics()
        self.program = Program(settings, parts, outside, self.metrics)

    async def take_in(self) -> None:
        """Poll every feed that is due now."""
        while await self._is_due(self.parts.feeds):
            await self.program.poller.step()

    async def poll(self) -> None:
        """Poll every feed that is due now, and do all that follows from it at this instant."""
        await self.take_in()
        await self.settle()

    async def settle(self) -> None:
        """Match, route and deliver until there is nothing left to do at this instant."""
        while True:
            waiting = await self._waiting()
            if waiting["articles"]:
                await self.program.matcher.step()
            elif waiting["matches"]:
                await self.program.router.step()
            elif await self._is_due(self.parts.ledger):
                await self.program.deliverer.step()
            else:
                return

    async def finish(self) -> None:
        """Settle, and let time pass until nothing waits any more to be delivered."""
        await self.settle()
        while (due := await self.parts.ledger.next_due()) is not None:
            self.clock.advance(max(due - self.clock.now(), timedelta()))
            await self.settle()

    async def poll_after(self, pause: timedelta) -> None:
        """Let time pass, then poll."""
        self.clock.advance(pause)
        await self.poll()

    def suppressed(self) -> dict[Suppression, int]:
        """What alerted nobody so far, by reason."""
        counts = {
            reason: int(self.metrics.suppressed.labels(reason)._value.get())
            for reason in Suppression
        }
        return {reason: count for reason, count in counts.items() if count}

    async def _is_due(self, schedule: Any) -> bool:
        due = await schedule.next_due()
        return due is not None and due <= self.clock.now()

    async def _waiting(self) -> Mapping[str, int]:
        census = await self.parts.health.census(self.clock.now())
        return {log.name: log.length for log in census.logs}


@asynccontextmanager
async def pipeline(
    directory: Path, url: str | None, clock: StandingClock | None = None, **written: Any
) -> AsyncIterator[Pipeline]:
    """Open the program on the server at `url`, with a configuration written as by `configuration.write`.

    Without a URL the store is in memory. `EMBEDDED` starts a server, which stops at the end and keeps its data beside
    the directory.
    """
    clock = clock or StandingClock()
    settings = await load_written(directory, url, **written)
    async with AsyncExitStack() as stack:
        if url is None:
            parts = in_memory(clock)
        else:
            parts = await stack.enter_async_context(open_store_parts(settings, clock))
        outside = await stack.enter_async_context(open_outside(settings, parts.registry))
        opened = Pipeline(settings, parts, outside, clock)
        await parts.feeds.sync(settings.feeds, clock.now(), timedelta())
        yield opened


def in_memory(clock: StandingClock) -> StoreParts:
    """Return the ports of a store in memory."""
    store = MemoryStore()
    return StoreParts(
        clock=clock,
        feeds=MemoryFeedStore(store),
        articles=MemoryArticleLog(store, "one"),
        matches=MemoryMatchLog(store, "one"),
        public=MemoryPublicStream(store),
        chapters=MemoryArchiveLog(store, "one"),
        ledger=MemoryDeliveryLedger(store),
        health=MemoryStoreHealth(store),
        registry=MemoryRegistry(store),
        habits=MemoryHabits(store),
    )


async def load_written(directory: Path, url: str | None, **written: Any) -> Settings:
    """Write a configuration and load it."""

    def write_and_load() -> Settings:
        configuration.write(directory, **written)
        if url == EMBEDDED:
            return load(directory, {"MONITOR_DATA": str(directory.with_name("data"))})
        return load(directory, {"REDIS_URL": url} if url else {})

    return await asyncio.to_thread(write_and_load)
