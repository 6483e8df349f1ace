"""What operators need to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from monitor.core.model import (
    DeliveryState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCensus:
    """How a log stands: entries in it, of which handed out and unfinished, and the age of the oldest."""

    name: str
    length: int
    pending: int
    oldest: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """How the store stands. `archive_missed` counts what came while too much waited for the archive.

    `oldest_undelivered` is the age of the oldest delivery that is neither finished nor held back.
    `durable` says whether every server of it keeps a log; `server_at` is the time by the clock of the first.
    """

    feeds: int
    feeds_due: int
    logs: tuple[LogCensus, ...]
    deliveries: Mapping[DeliveryState, int]
    oldest_undelivered: timedelta | None
    dead_entries: int
    archive_missed: int
    memory_bytes: int
    memory_limit_bytes: int
    server: str
    durable: bool
    server_at: datetime


class StoreHealth(Protocol):
    """What the operator and the housekeeper need to know of the store, and the store's own upkeep."""

    async def ping(self) -> None:
        """Return when the server answers; raise `StreamError` otherwise."""
        ...

    async def census(self, now: datetime) -> Census:
        """Count what there is."""
        ...

    async def tidy(self, now: datetime) -> int:
        """Delete what is past its retention, in small steps; return how many things went."""
        ...
