"""Keeps the schedule that of the feeds there are: those of files, and those that were added while it runs."""

import asyncio
from collections import ChainMap
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import ClassVar

import structlog

from monitor.core.model import Feed
from monitor.core.moves import plain_address
from monitor.ports import Clock, FeedStore
from monitor.registry import Roster
from monitor.services.service import PeriodicService
from monitor.telemetry import Metrics

_SPREAD_A_FEED = timedelta(milliseconds=50)  # many new feeds are spread, up to a minute
_LONGEST_SPREAD = timedelta(minutes=1)

log = structlog.get_logger()


class ListingService(PeriodicService):
    """Follows the registry of feeds, and schedules and unschedules what changes in it. Several at once do no harm.

    `feeds` are all feeds there are, by id; of one that stands in a file and in the registry, the file counts.
    `files` are those of files; `addresses` are those of all, with the ids. `feeds` and `addresses` are the same
    objects from one `use` to the next, and kept up to date.
    """

    name: ClassVar = "poller"  # it has no life of its own: where feeds are polled, they are listed

    def __init__(
        self,
        store: FeedStore,
        roster: Roster[Feed],
        files: Mapping[str, Feed],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """List `files`, by id, beside what `roster` has."""
        super().__init__(metrics)
        self._store = store
        self._roster = roster
        self._clock = clock
        self.files = files
        self.feeds: Mapping[str, Feed] = {}
        self.addresses: dict[str, str] = {}
        self._changed: set[str] = set()
        self._removed: set[str] = set()
        self._turn = asyncio.Lock()
        self.use(files)

    def use(self, files: Mapping[str, Feed]) -> None:
        """List `files` from now on, instead of those before."""
        self.files = files
        # Mappings are only read through the chain; it names them as if it wrote.
        self.feeds = ChainMap(dict(files), self._roster.values)  # type: ignore[arg-type]
        self.addresses = {plain_address(feed.url): feed.id for feed in self.feeds.values()}

    async def sync(self) -> None:
        """Make the schedule that of all feeds."""
        change = await self._roster.refresh()
        feeds = list(self.feeds.values())
        self._learn(self.feeds[each] for each in change.changed)
        await self._store.sync(feeds, self._clock.now(), _spread(len(feeds)))

    async def step(self) -> int:
        """Schedule what was added since the last turn, and unschedule what was removed; return how many that were.

        What could not be written is written in the next turn. One turn at a time.
        """
        async with self._turn:
            return await self._step()

    async def _step(self) -> int:
        change = await self._roster.refresh()
        self._changed |= change.changed
        self._removed = (self._removed | change.removed) - change.changed
        gone = [each for each in self._removed if each not in self.feeds]
        if gone:
            await self._store.unschedule(gone)
        self._removed.clear()
        new = [self.feeds[each] for each in self._changed if each in self.feeds]
        self._learn(new)
        if new:
            await self._store.schedule(new, self._clock.now(), _spread(len(new)))
        self._changed.clear()
        if gone or new:
            log.info("feeds_changed", listed=len(new), unlisted=len(gone))
        return len(gone) + len(new)

    def _learn(self, feeds: Iterable[Feed]) -> None:
        """Note where feeds are. An address that nobody has any more stays until the next reload, and does no harm."""
        self.addresses.update((plain_address(feed.url), feed.id) for feed in feeds)


def _spread(count: int) -> timedelta:
    return min(_LONGEST_SPREAD, count * _SPREAD_A_FEED)
