"""Keeps the store tidy and the gauges true."""

from datetime import timedelta
from typing import ClassVar

import structlog

from monitor.ports import Census, Clock, StoreHealth
from monitor.services.service import PeriodicService
from monitor.telemetry import Metrics

_EVERY = timedelta(seconds=15)

log = structlog.get_logger()


class HousekeeperService(PeriodicService):
    """Deletes what is past its retention, and counts what there is. Several at once do no harm."""

    name: ClassVar = "housekeeper"

    def __init__(
        self, store: StoreHealth, clock: Clock, metrics: Metrics, every: timedelta = _EVERY
    ) -> None:
        """Take a turn `every` so often."""
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        self.every = every

    async def step(self) -> int:
        """Tidy once and count once; return how many things went."""
        now = self._clock.now()
        gone = await self._store.tidy(now)
        if gone:
            log.info("store_tidied", deleted=gone)
        self._show(await self._store.census(now))
        return gone

    def _show(self, census: Census) -> None:
        metrics = self.metrics
        metrics.feeds.set(census.feeds)
        metrics.feeds_due.set(census.feeds_due)
        metrics.dead_entries.set(census.dead_entries)
        metrics.archive_missed.set(census.archive_missed)
        metrics.store_bytes.set(census.memory_bytes)
        metrics.store_limit.set(census.memory_limit_bytes)
        for each in census.logs:
            metrics.log_entries.labels(each.name).set(each.length)
            metrics.log_pending.labels(each.name).set(each.pending)
            oldest = each.oldest.total_seconds() if each.oldest else 0
            metrics.log_oldest.labels(each.name).set(oldest)
        undelivered = census.oldest_undelivered or timedelta()
        metrics.oldest_undelivered.set(undelivered.total_seconds())
        for state, count in census.deliveries.items():
            metrics.deliveries.labels(state).set(count)
