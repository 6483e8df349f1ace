"""The schedule of feeds and what is remembered of them, on the server."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import compress, islice
from typing import Any, TypeVar

from monitor.core.chapter import Chapter
from monitor.core.model import Article, Feed, FeedState
from monitor.core.schedule import UNRESTRAINED, Restraint
from monitor.ports import FeedLease, PollRecorded
from monitor.streams import bounds, codec, keys
from monitor.streams.client import Command, Word, call, command, scored
from monitor.streams.instants import from_ms, span_ms, to_ms
from monitor.streams.keys import ARCHIVE, MISSED, domain_of, key, mood_of
from monitor.streams.store import Store

CHUNK = 1000
_FLAGS = bytes.maketrans(b"01", b"\x00\x01")

T = TypeVar("T")


class StreamFeedStore:
    """A `FeedStore` on the server.

    A feed lives in the partition of the host it had when it was first listed, so that one partition owns a host; its
    home record says which, and stays when the address changes, so that nothing seen is forgotten.
    """

    def __init__(
        self,
        store: Store,
        *,
        high_water: int = bounds.HIGH_WATER,
        domain_gap: timedelta = timedelta(),
        archive: int = 0,
    ) -> None:
        """Refuse polls of a partition in which `high_water` articles wait to be matched.

        Between two polls of one registrable domain lies at least `domain_gap`. `archive` chapters a partition may wait
        for the archive, 0: there is none.
        """
        self._store = store
        self._domain_gap = domain_gap
        self._server = store.server
        self._high_water = high_water
        self._archive = archive
        self._homes: dict[str, int] = {}

    async def sync(self, feeds: Sequence[Feed], now: datetime, spread: timedelta) -> None:
        """See `FeedStore.sync`. Small steps, each of which may be repeated; no poll in between is disturbed."""
        await self._settle(feeds)
        listed: list[set[str]] = [set() for _ in self._store.all()]
        for feed in feeds:
            listed[self._homes[feed.id]].add(feed.id)
        commands: list[Command] = []
        for partition in self._store.all():
            due = key(partition, "due")
            scheduled = {
                feed_id.decode()
                for feed_id in await self._server.run(command("ZRANGE", due, 0, -1))
            }
            commands += [
                command("ZREM", due, *chunk) for chunk in _chunks(scheduled - listed[partition])
            ]
        await self._server.each(commands)
        await self.schedule(feeds, now, spread)

    async def schedule(self, feeds: Sequence[Feed], now: datetime, spread: timedelta) -> None:
        """See `FeedStore.schedule`."""
        await self._settle(feeds)
        moved = await self._note_addresses(feeds)
        await self._server.each(
            [
                addition
                for partition, named in self._by_home(feed.id for feed in feeds).items()
                for which, flag in ((named, "NX"), ([one for one in named if one in moved], "XX"))
                for addition in _instants(key(partition, "due"), flag, which, now, spread)
            ]
        )

    async def _note_addresses(self, feeds: Sequence[Feed]) -> set[str]:
        """Note where and how often each feed is asked; return the feeds for which that is another now."""
        by_id = {feed.id: feed for feed in feeds}
        asked = [
            (p, chunk) for p, named in self._by_home(by_id).items() for chunk in _chunks(named)
        ]
        replies = await self._server.each(
            [command("HMGET", key(partition, "terms"), *chunk) for partition, chunk in asked]
        )
        moved: set[str] = set()
        notes: list[Command] = []
        for (partition, chunk), noted in zip(asked, replies, strict=True):
            hashes = {feed_id: b"%d" % keys.terms_of(by_id[feed_id]) for feed_id in chunk}
            before = dict(zip(chunk, noted, strict=True))
            news = [feed_id for feed_id in chunk if before[feed_id] != hashes[feed_id]]
            moved |= {feed_id for feed_id in news if before[feed_id] is not None}
            domains = {one: keys.registrable_host(by_id[one].url) for one in news}
            if news:
                notes += [
                    command("HSET", key(partition, "domains"), *_flat(domains.items())),
                    command("HSET", key(partition, "terms"), *_flat((n, hashes[n]) for n in news)),
                ]
        await self._server.each(notes)
        return moved

    async def unschedule(self, feed_ids: Sequence[str]) -> None:
        """See `FeedStore.unschedule`."""
        await self._look_up(feed_ids)
        await self._server.each(
            [
                command("ZREM", key(partition, "due"), *chunk)
                for partition, named in self._by_home(feed_ids).items()
                for chunk in _chunks(named)
            ]
        )

    def _by_home(self, feed_ids: Iterable[str]) -> Mapping[int, list[str]]:
        """Sort feeds by partition; those that have no home are left out."""
        named: dict[int, list[str]] = defaultdict(list)
        for feed_id in feed_ids:
            if feed_id in self._homes:
                named[self._homes[feed_id]].append(feed_id)
        return named

    async def _settle(self, feeds: Sequence[Feed]) -> None:
        """Find the homes of all, and give one to those that never had any; the first to do so wins."""
        await self._look_up([feed.id for feed in feeds])
        homeless = {feed.id: feed.url for feed in feeds if feed.id not in self._homes}
        for chunk in _chunks(homeless):
            await self._server.each([self._move_in(one, homeless[one]) for one in chunk])
        await self._look_up(homeless)

    def _move_in(self, feed_id: str, url: str) -> Command:
        homes = key(self._store.partition_of(feed_id), "homes")
        home = self._store.partition_of(keys.registrable_host(url))
        return command("HSETNX", homes, feed_id, home)

    async def _look_up(self, feed_ids: Iterable[str]) -> None:
        """Learn the homes of feeds; the record of a feed's home lies in the partition of its id."""
        unknown: dict[int, list[str]] = defaultdict(list)
        for feed_id in feed_ids:
            if feed_id not in self._homes:
                unknown[self._store.partition_of(feed_id)].append(feed_id)
        lookups = [(p, chunk) for p, named in unknown.items() for chunk in _chunks(named)]
        replies = await self._server.each(
            [command("HMGET", key(partition, "homes"), *chunk) for partition, chunk in lookups]
        )
        for (_, chunk), homes in zip(lookups, replies, strict=True):
            known = zip(chunk, homes, strict=True)
            self._homes |= {feed_id: int(home) for feed_id, home in known if home is not None}

    async def _home(self, feed_id: str) -> int | None:
        await self._look_up([feed_id])
        return self._homes.get(feed_id)

    async def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[FeedLease]:
        """See `FeedStore.claim`."""
        ripe = await self._ripe(now, limit)
        first = sorted(
            (at, feed_id, partition)
            for partition, feeds in enumerate(ripe)
            for at, feed_id in scored(feeds)
        )[:limit]
        shares = Counter(partition for _, _, partition in first)
        until = to_ms(now) + span_ms(lease)
        claimed = await self._server.each(
            [
                call(
                    "monitor_claim_feeds",
                    _feed_keys(partition),
                    *(to_ms(now), until, share, span_ms(self._domain_gap)),
                )
                for partition, share in shares.items()
            ]
        )
        leases: list[FeedLease] = []
        for partition, feeds in zip(shares, claimed, strict=True):
            leases += [_lease(feed, until) for feed in feeds]
            self._homes |= {feed_id.decode(): partition for feed_id, _, _ in feeds}
        order = {feed_id: place for place, (_, feed_id, _) in enumerate(first)}
        return sorted(leases, key=lambda one: order.get(one.feed_id, limit))

    async def _ripe(self, now: datetime, limit: int) -> list[Any]:
        """Return what is due in each partition; on a single server in one call, as in `first_scores`."""
        pairs = [[key(one, "due"), key(one, "polled")] for one in self._store.all()]
        asked = pairs if self._server.clustered else [[each for pair in pairs for each in pair]]
        replies = await self._server.each(
            [call("monitor_ripe_feeds", each, to_ms(now), limit) for each in asked]
        )
        return [ripe for reply in replies for ripe in reply]

    async def take(self, feed_id: str, now: datetime, lease: timedelta) -> FeedLease | None:
        """See `FeedStore.take`."""
        home = await self._home(feed_id)
        if home is None:
            return None
        until = to_ms(now) + span_ms(lease)
        taken = await self._server.run(call("monitor_take_feed", _feed_keys(home), feed_id, until))
        return _lease(taken[0], until) if taken else None

    async def turn(self, feed: Feed, url: str, now: datetime, latest: datetime) -> datetime | None:
        """See `Turns.turn`."""
        await self._settle([feed])
        buckets = key(self._homes[feed.id], "buckets")
        domain, instants = keys.registrable_host(url), (to_ms(now), to_ms(latest))
        asked = call("monitor_take_turn", [buckets], domain, *instants, span_ms(self._domain_gap))
        at = await self._server.run(asked)
        return from_ms(at) if at >= 0 else None

    async def answered(
        self, feed: Feed, url: str, restraint: Restraint, *, well: bool, now: datetime
    ) -> None:
        """See `Turns.answered`."""
        await self._settle([feed])
        buckets = key(self._homes[feed.id], "buckets")
        mood = _heeded(restraint, well=well)
        domain, gap = keys.registrable_host(url), span_ms(self._domain_gap)
        await self._server.run(
            call("monitor_note_answer", [buckets], domain, to_ms(now), *mood, gap)
        )

    async def known(self, feed_id: str, keys: Sequence[int]) -> frozenset[int]:
        """See `FeedStore.known`."""
        home = await self._home(feed_id)
        if home is None or not keys:
            return frozenset()
        asked = call("monitor_known_keys", _seen_keys(home, feed_id), _as_text(keys))
        found = await self._server.run(asked)
        return frozenset(compress(keys, found.translate(_FLAGS)))

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
        home = await self._home(lease.feed_id)
        if home is None:
            return PollRecorded.FENCED
        chapters = silent if self._archive else ()
        touched = [
            *_feed_keys(home),
            key(home, "generations"),
            *_seen_keys(home, lease.feed_id),
            key(home, "articles"),
            *(key(home, name) for name in (ARCHIVE, MISSED) if chapters),
        ]
        words: list[Word] = [
            lease.feed_id,
            lease.token,
            codec.feed_states.encode(state),
            to_ms(next_at),
            to_ms(now),
            self._high_water,
            span_ms(bounds.SEEN_GENERATION),
            domain_of(state),
            *_heeded(restraint, well=state.reason is None),
            span_ms(self._domain_gap),
            _as_text(keys),
            len(chapters),
            self._archive // 2,
            *map(codec.chapters.encode, chapters),
            *map(codec.articles.encode, articles),
        ]
        outcome = await self._server.run(call("monitor_record_poll", touched, *words))
        return PollRecorded(outcome.decode())

    async def states(self, feed_ids: Sequence[str]) -> Mapping[str, FeedState]:
        """See `FeedStore.states`."""
        found = await self._looked_up("HMGET", "states", feed_ids)
        return {feed_id: codec.feed_states.decode(state) for feed_id, state in found.items()}

    async def scheduled(self, feed_ids: Sequence[str]) -> frozenset[str]:
        """See `FeedStore.scheduled`."""
        return frozenset(await self._looked_up("ZMSCORE", "due", feed_ids))

    async def _looked_up(self, verb: str, name: str, feed_ids: Sequence[str]) -> Mapping[str, Any]:
        """Return what the keys `name` have for feeds, by a command that takes many; what is absent is left out."""
        await self._look_up(feed_ids)
        asked = [(p, chunk) for p, ids in self._by_home(feed_ids).items() for chunk in _chunks(ids)]
        replies = await self._server.each(
            [command(verb, key(partition, name), *chunk) for partition, chunk in asked]
        )
        return {
            feed_id: value
            for (_, chunk), found in zip(asked, replies, strict=True)
            for feed_id, value in zip(chunk, found, strict=True)
            if value is not None
        }

    async def next_due(self) -> datetime | None:
        """See `FeedStore.next_due`."""
        return await earliest(self._store, "due")


async def earliest(store: Store, name: str) -> datetime | None:
    """Return the least instant in the sorted sets `name` of all partitions."""
    firsts = await first_scores(store, name)
    return from_ms(min(firsts.values())) if firsts else None


async def first_scores(store: Store, name: str) -> dict[int, int]:
    """Return the least score in the sorted set `name` of each partition where it is not empty.

    One command for a single server: sixteen in a pipeline cost us four times the CPU (51 and 190 µs).
    """
    sets = [key(partition, name) for partition in store.all()]
    asked = [[one] for one in sets] if store.server.clustered else [sets]
    replies = await store.server.each([call("monitor_first_scores", each) for each in asked])
    scores = (score for reply in replies for score in reply)
    return {partition: int(at) for partition, at in enumerate(scores) if at is not None}


def _instants(
    due: str, flag: str, feed_ids: Iterable[str], now: datetime, spread: timedelta
) -> Iterable[Command]:
    for chunk in _chunks(feed_ids):
        at = [(to_ms(now + keys.spread_over(feed_id, spread)), feed_id) for feed_id in chunk]
        yield command("ZADD", due, flag, *_flat(at))


def _feed_keys(partition: int) -> list[str]:
    names = ("due", "turns", "states", "polled", "domains", "buckets")
    return [key(partition, name) for name in names]


def _as_text(keys: Sequence[int]) -> str:
    """Return keys as one word of a command, a tenth of the work of as many words."""
    return " ".join(map(str, keys))


def _seen_keys(partition: int, feed_id: str) -> list[str]:
    return [key(partition, f"seen:{feed_id}:a"), key(partition, f"seen:{feed_id}:b")]


def _heeded(restraint: Restraint, *, well: bool) -> tuple[Word, Word]:
    until = to_ms(restraint.until) if restraint.until else 0
    return mood_of(restraint, well=well), until


def _lease(feed: list[Any], until: int) -> FeedLease:
    feed_id, turn, state = feed
    return FeedLease(
        feed_id=feed_id.decode(),
        state=codec.feed_states.decode(state) if state else FeedState(),
        token=str(turn),
        until=from_ms(until),
    )


def _flat(pairs: Iterable[tuple[Word, Word]]) -> Iterable[Word]:
    return (word for pair in pairs for word in pair)


def _chunks(things: Iterable[T]) -> Iterable[list[T]]:
    rest = iter(things)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
