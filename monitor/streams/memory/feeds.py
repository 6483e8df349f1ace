"""The schedule of feeds and what is remembered of them, in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from monitor.core.chapter import Chapter
from monitor.core.model import Article, Feed, FeedState
from monitor.core.schedule import UNRESTRAINED, Restraint
from monitor.ports import FeedLease, PollRecorded
from monitor.streams import bounds
from monitor.streams.instants import from_ms, span_ms, to_ms
from monitor.streams.keys import domain_of, mood_of, registrable_host, spread_over, terms_of
from monitor.streams.memory.store import Bucket, MemoryStore, Seen

_MINUTE, _HOUR = 60_000, 3_600_000


class MemoryFeedStore:
    """A `FeedStore` in memory."""

    def __init__(self, store: MemoryStore, *, domain_gap: timedelta = timedelta()) -> None:
        """Work on the shared state; between two polls of one registrable domain lies at least `domain_gap`."""
        self._store = store
        self._domain_gap = span_ms(domain_gap)

    async def sync(self, feeds: Sequence[Feed], now: datetime, spread: timedelta) -> None:
        """See `FeedStore.sync`."""
        listed = {feed.id for feed in feeds}
        await self.unschedule([known for known in self._store.due if known not in listed])
        await self.schedule(feeds, now, spread)

    async def schedule(self, feeds: Sequence[Feed], now: datetime, spread: timedelta) -> None:
        """See `FeedStore.schedule`."""
        store = self._store
        for feed in feeds:
            at = to_ms(now + spread_over(feed.id, spread))
            was, terms = store.terms.get(feed.id), terms_of(feed)
            if was != terms:
                store.terms[feed.id] = terms
                store.domains[feed.id] = registrable_host(feed.url)
                if was is not None and feed.id in store.due:
                    store.due[feed.id] = at
            store.due.setdefault(feed.id, at)

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
        self._right_the_clock(to_ms(now))
        ripe = sorted((at, feed_id) for feed_id, at in self._store.due.items() if at <= to_ms(now))
        booked: dict[str, int] = {}
        leases: list[FeedLease] = []
        for _, feed_id in ripe[: bounds.LOOKED_AT_ONCE]:
            if len(leases) == limit:
                break
            if self._is_put_off(feed_id, to_ms(now), booked):
                continue
            leases.append(self._lease(feed_id, to_ms(now) + span_ms(lease)))
        return leases

    def _right_the_clock(self, now: int) -> None:
        store = self._store
        latest = now + span_ms(bounds.CLOCK_TOLERANCE)
        for feed_id in [one for one, at in store.polled.items() if at > latest]:
            del store.polled[feed_id]
            if feed_id in store.due:
                store.due[feed_id] = now

    def _is_put_off(self, feed_id: str, now: int, booked: dict[str, int]) -> bool:
        store, domain = self._store, self._store.domains[feed_id]
        bucket = self._bucket(domain, now)
        gap = max(bucket.gap, self._domain_gap)
        if bucket.free_at > now:
            booked[domain] = booked[domain] + gap if domain in booked else bucket.free_at
            store.due[feed_id] = booked[domain]
            return True
        if gap:
            bucket.free_at, bucket.used_at = now + gap, now
        return False

    async def turn(self, feed: Feed, url: str, now: datetime, latest: datetime) -> datetime | None:  # noqa: ARG002 - there is one partition
        """See `Turns.turn`."""
        bucket = self._bucket(registrable_host(url), to_ms(now))
        at = max(to_ms(now), bucket.free_at)
        if at > to_ms(latest):
            return None
        bucket.free_at, bucket.used_at = at + max(bucket.gap, self._domain_gap), to_ms(now)
        return from_ms(at)

    async def answered(
        self,
        feed: Feed,  # noqa: ARG002 - there is one partition
        url: str,
        restraint: Restraint,
        *,
        well: bool,
        now: datetime,
    ) -> None:
        """See `Turns.answered`."""
        self._heed(registrable_host(url), now, restraint, well=well)

    def _bucket(self, domain: str, now: int) -> Bucket:
        bucket = self._store.buckets.setdefault(domain, Bucket())
        if bucket.used_at > now + span_ms(bounds.CLOCK_TOLERANCE):
            bucket.free_at = bucket.changed_at = bucket.used_at = 0
        return bucket

    def _heed(self, domain: str, at: datetime, restraint: Restraint, *, well: bool) -> None:
        now, mood = to_ms(at), mood_of(restraint, well=well)
        until = to_ms(restraint.until) if restraint.until else 0
        bucket = self._bucket(domain, now)
        least = max(self._domain_gap, span_ms(bounds.SLOWED_GAP) // 2)
        if mood == "slower":
            if now - bucket.changed_at >= _MINUTE:
                bucket.gap = min(2 * max(bucket.gap, least), span_ms(bounds.LONGEST_GAP))
                bucket.changed_at = now
            bucket.free_at = max(bucket.free_at, now + bucket.gap)
        elif mood == "well" and bucket.gap and now - bucket.changed_at >= _HOUR:
            slower = bucket.gap * 7 // 8
            bucket.gap, bucket.changed_at = (slower if slower > least else 0), now
        elif not until:
            return
        bucket.free_at, bucket.used_at = max(bucket.free_at, until), now

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
        silent: Sequence[Chapter] = (),
        restraint: Restraint = UNRESTRAINED,
    ) -> PollRecorded:
        """See `FeedStore.record`."""
        store, feed_id = self._store, lease.feed_id
        if feed_id not in store.due or str(store.turns.get(feed_id)) != lease.token:
            return PollRecorded.FENCED
        store.turns[feed_id] += 1
        store.due[feed_id] = to_ms(next_at)
        store.polled[feed_id] = to_ms(now)
        self._heed(store.domains[feed_id], now, restraint, well=state.reason is None)
        if articles and len(store.articles.entries) >= store.high_water:
            return PollRecorded.FULL
        store.states[feed_id] = state
        store.domains[feed_id] = domain_of(state) or store.domains[feed_id]
        if keys:
            self._remember(feed_id, keys, now)
        for chapter in silent:
            store.keep(chapter, share=2)
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

    async def scheduled(self, feed_ids: Sequence[str]) -> frozenset[str]:
        """See `FeedStore.scheduled`."""
        return frozenset(feed_ids) & self._store.due.keys()

    async def next_due(self) -> datetime | None:
        """See `FeedStore.next_due`."""
        return from_ms(min(self._store.due.values())) if self._store.due else None
