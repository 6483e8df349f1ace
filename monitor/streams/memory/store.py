"""What the in-memory ports share: two streams, and the state of feeds and deliveries."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from monitor.core.breaker import HEALTHY, TargetHealth, TargetStatus
from monitor.core.chapter import Chapter
from monitor.core.model import Article, Attempt, Delivery, FeedState, MatchedArticle
from monitor.ports import LaneTerms, Record, RecordKind
from monitor.streams import bounds
from monitor.streams.instants import span_ms

T = TypeVar("T")


@dataclass(slots=True)
class Held:
    """An entry in the hands of a consumer."""

    consumer: str
    since: float
    deliveries: int = 1


class MemoryStream(Generic[T]):
    """A stream with one consumer group."""

    def __init__(self, name: str) -> None:
        """Start empty."""
        self.name = name
        self.entries: dict[str, T] = {}
        self.appended_at: dict[str, float] = {}
        self.held: dict[str, Held] = {}
        self.fresh: deque[str] = deque()
        self.arrived = asyncio.Event()
        self._last = 0

    def append(self, value: T) -> None:
        """Add an entry at the end."""
        self._last += 1
        entry_id = f"{self._last}-0"
        self.entries[entry_id] = value
        self.appended_at[entry_id] = now()
        self.fresh.append(entry_id)
        self.arrived.set()

    def finish(self, entry_id: str) -> T | None:
        """Remove an entry that is held by somebody; None when it is not."""
        if self.held.pop(entry_id, None) is None:
            return None
        del self.appended_at[entry_id]
        return self.entries.pop(entry_id)


@dataclass(slots=True)
class Seen:
    """Two generations of what was seen in a feed."""

    current: set[int] = field(default_factory=set)
    previous: set[int] = field(default_factory=set)
    since: datetime | None = None


@dataclass(slots=True)
class Bucket:
    """What is left of a domain's patience, in milliseconds; as in `1_feeds.lua`."""

    free_at: int = 0
    gap: int = 0
    changed_at: int = 0
    used_at: int = 0


@dataclass(slots=True)
class Lane:
    """The unfinished deliveries of one target, each with the instant (in milliseconds) of its next event.

    `numbers` has the number of each that ever waited; `paced` as `paces` in `3_lanes.lua`.
    """

    waiting: dict[str, int] = field(default_factory=dict)
    flying: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    hold: int = 0
    paced: int = 0
    terms: LaneTerms = field(default_factory=LaneTerms)
    health: TargetHealth = HEALTHY
    seq: int = 0
    used: tuple[int, int] = (0, 0)

    @property
    def most_in_flight(self) -> int:
        """How many may be in flight now."""
        alone = self.terms.ordered or self.health.status is TargetStatus.OPEN
        return 1 if alone else self.terms.in_flight

    def ripe(self, now: int, count: int) -> list[str]:
        """Return so many of those that are due, or of those in order the first if it is."""
        if self.terms.ordered:
            first = sorted(self.waiting, key=self.numbers.__getitem__)[: min(count, 1)]
            return [one for one in first if self.waiting[one] <= now]
        due = sorted((at, one) for one, at in self.waiting.items() if at <= now)
        return [one for _, one in due[:count]]

    def allowed(self, now: int, gap: int) -> int:
        """Return how many may go now by the pace of the target, which sends one in `gap` milliseconds."""
        left = now + _allowance(gap) - max(now, self.paced)
        return max(0, left // gap + 1)

    def next_event(self) -> int | None:
        """Return when something can be claimed here, barring what is recorded before."""
        full = len(self.flying) >= self.most_in_flight
        instants: list[int] = [*self.flying.values()]
        if not full and self.terms.ordered and self.waiting:
            instants.append(self.waiting[min(self.waiting, key=self.numbers.__getitem__)])
        elif not full:
            instants += self.waiting.values()
        if not instants or self.health.status is TargetStatus.DISABLED:
            return None
        gap = span_ms(self.terms.gap)
        pace = self.paced - _allowance(gap) if gap else 0
        return max(min(instants), self.hold, pace)


def _allowance(gap: int) -> int:
    return max(0, span_ms(bounds.BURST) - gap)


@dataclass(slots=True)
class Gathering:
    """The held deliveries of a group, when they are released, and when that was done last."""

    held: dict[str, int] = field(default_factory=dict)
    until: int = 0
    released: int | None = None


@dataclass(slots=True)
class Booked:
    """A delivery with what the ledger alone knows of it."""

    delivery: Delivery
    turn: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    interval: int = 0
    died_at: datetime | None = None


@dataclass(slots=True)
class Shelf:
    """The records of one kind; `changes` has the version of each that is there or was removed."""

    version: int = 0
    forgotten: int = 0
    records: dict[str, Record] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    removed: dict[str, datetime] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)

    def advance(self, record_id: str) -> int:
        """Count a change of this record."""
        self.version += 1
        self.changes[record_id] = self.version
        return self.version

    def hold(self, record_id: str, unique: str) -> None:
        """Let this record alone hold `unique`, if that is anything, instead of what it held."""
        self.holders.pop(self.held.pop(record_id, ""), None)
        if unique:
            self.holders[unique] = record_id
            self.held[record_id] = unique

    def drop(self, record_id: str, now: datetime) -> None:
        """Remove a record."""
        self.hold(record_id, "")
        del self.records[record_id]
        self.advance(record_id)
        self.removed[record_id] = now


@dataclass(slots=True)
class Habit:
    """What a rule found; as in `8_habits.lua`."""

    stories: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    hours: dict[int, int] = field(default_factory=dict)
    since: int | None = None
    told: int | None = None


class MemoryStore:
    """The shared state. Build the ports from it."""

    def __init__(
        self,
        *,
        high_water: int = bounds.HIGH_WATER,
        min_idle: timedelta = bounds.MIN_IDLE,
        archive: int = 0,
    ) -> None:
        """Start empty; `high_water` bounds what waits for matching, `archive` what waits for the archive."""
        self.high_water = high_water
        self.min_idle = min_idle
        self.articles: MemoryStream[Article] = MemoryStream("articles")
        self.matches: MemoryStream[MatchedArticle] = MemoryStream("matches")
        self.archive: MemoryStream[Chapter] = MemoryStream("archive")
        self.archive_limit = archive
        self.missed = 0
        self.dead: list[tuple[str, object, str]] = []
        self.due: dict[str, int] = {}
        self.polled: dict[str, int] = {}
        self.terms: dict[str, int] = {}
        self.domains: dict[str, str] = {}
        self.buckets: dict[str, Bucket] = {}
        self.turns: dict[str, int] = {}
        self.states: dict[str, FeedState] = {}
        self.seen: dict[str, Seen] = {}
        self.told: dict[int, set[int]] = {}
        self.public: list[dict[str, str]] = []
        self.published: dict[int, set[int]] = {}
        self.published_one = asyncio.Event()
        self.lanes: dict[str, Lane] = {}
        self.gatherings: dict[tuple[str, str], Gathering] = {}
        self.booked: dict[str, Booked] = {}
        self.shelves: dict[RecordKind, Shelf] = {}
        self.habits: dict[tuple[str, str], Habit] = {}
        self.rung = asyncio.Event()

    def keep(self, chapter: Chapter, share: int = 1) -> None:
        """Leave a chapter for the archive; when too many wait for this `share` of its room, count it as missed."""
        if len(self.archive.entries) < self.archive_limit // share:
            self.archive.append(chapter)
        elif self.archive_limit:
            self.missed += 1


def now() -> float:
    """Return seconds on the running loop's clock, which never jumps."""
    return asyncio.get_running_loop().time()


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Return when `event` is set next, or after `seconds`."""
    event.clear()
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
