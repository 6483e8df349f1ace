"""The schedule of feeds and what is remembered of them, in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from monitor.core.model import Article, Feed, FeedState
from monitor.ports import FeedLease, PollRecorded
from monitor.streams import bounds
from monitor.streams.instants import from_ms, span_ms, to_ms
from monitor.streams.keys import spread_over
from monitor.streams.memory.store import MemoryStore, Seen


class MemoryFeedStore:
    """A `FeedStore` in memory."""

    def __init__(self, store: MemoryStore) -> None:
        """Work on the shared state."""
        self._store = store

    async def sync(self, feeds: Sequence[Feed], now: datetime, spread: timedelta) -> None:
        """See `FeedStore.sync`."""
        listed = {feed.id for feed in feeds}
        await self.unschedule([known for known in self._store.due if known not in listed])
        await self.schedule(feeds, now, spread)

    async def schedule(self, feeds: Sequence[Feed], now: datetime, spread: timedelta) -> None:
        """See `FeedStore.schedule`."""
        for feed in feeds:
            self._store.due.setdefault(feed.id, to_ms(now + spread_over(feed.id, spread)))

    async def unschedule(self, feed_ids: Sequence[str]) -> None:
        """See `FeedStore.unschedule`."""
        for feed_id in feed_ids:
            self._store.due.pop(feed_id, None)

    async def take(self, feed_id: str, now: datetime, lease: timedelta) -> FeedLease | None:
        """See `FeedStore.take`."""
        if feed_id not in self._store.due:
            return None
        return self._lease(feed_id, to_ms(now) + span_ms(lease))

    async def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[FeedLease]:
        """See `FeedStore.claim`."""
        ripe = sorted((at, feed_id) for feed_id, at in self._store.due.items() if at <= to_ms(now))
        return [self._lease(feed_id, to_ms(now) + span_ms(lease)) for _, feed_id in ripe[:limit]]

    def _lease(self, feed_id: str, until: int) -> FeedLease:
        store = self._store
        store.due[feed_id] = until
        store.turns[feed_id] = store.turns.get(feed_id, 0) + 1
        return FeedLease(
            feed_id=feed_id,
            state=store.states.get(feed_id, FeedState()),
            token=str(store.turns[feed_id]),
            until=from_ms(until),
        )

    async def known(self, feed_id: str, keys: Sequence[int]) -> frozenset[int]:
        """See `FeedStore.known`."""
        seen = self._store.seen.get(feed_id, Seen())
        return frozenset(keys) & (seen.current | seen.previous)

    async def record(
        self,
        lease: FeedLease,
        state: FeedState,
        next_at: datetime,
        *,
        now: datetime,
        keys: Sequence[int] = (),
        articles: Sequence[Article] = (),
    ) -> PollRecorded:
        """See `FeedStore.record`."""
        store, feed_id = self._store, lease.feed_id
        if feed_id not in store.due or str(store.turns.get(feed_id)) != lease.token:
            return PollRecorded.FENCED
        store.turns[feed_id] += 1
        store.due[feed_id] = to_ms(next_at)
        if articles and len(store.articles.entries) >= store.high_water:
            return PollRecorded.FULL
        store.states[feed_id] = state
        if keys:
            self._remember(feed_id, keys, now)
        for article in articles:
            store.articles.append(article)
        return PollRecorded.DONE

    def _remember(self, feed_id: str, keys: Sequence[int], now: datetime) -> None:
        seen = self._store.seen.setdefault(feed_id, Seen())
        seen.since = seen.since or now
        if now - seen.since >= bounds.SEEN_GENERATION:
            seen.previous, seen.current, seen.since = seen.current, set(), now
        seen.current |= set(keys)

    async def states(self, feed_ids: Sequence[str]) -> Mapping[str, FeedState]:
        """See `FeedStore.states`."""
        states = self._store.states
        return {feed_id: states[feed_id] for feed_id in feed_ids if feed_id in states}

    async def next_due(self) -> datetime | None:
        """See `FeedStore.next_due`."""
        return from_ms(min(self._store.due.values())) if self._store.due else None
