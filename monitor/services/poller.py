"""Takes feeds that are due, fetches and parses each, and records what is new."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

import structlog

from monitor.core.canary import CANARY
from monitor.core.feed import Document, ParsedFeed
from monitor.core.identity import flat, keys_of
from monitor.core.model import Article, Feed, FeedState
from monitor.core.moves import has_moved, plain_address, serves
from monitor.core.poll import (
    PollDecision,
    decide,
    decide_busy,
    decide_failed,
    decide_pushed,
    decide_too_early,
    decide_unchanged,
    document_keys,
    is_unchanged,
)
from monitor.core.rhythm import has_missed
from monitor.core.schedule import PollNext, behind
from monitor.errors import FeedError, FeedReason, HostBusyError, ParseError, StreamError
from monitor.ports import Clock, FeedLease, FeedStore, Fetcher, Linguist, Parser, PollRecorded
from monitor.services.pages import PageReading
from monitor.services.service import IDLE, LeasingService, pause_until
from monitor.telemetry import Metrics
from monitor.tracing import ROOT, hop

log = structlog.get_logger()


class Hubs(Protocol):
    """Knows which feeds are pushed."""

    def put_off(self, feed_id: str, following: PollNext, now: datetime) -> PollNext:
        """Return when to poll a feed next that may be pushed."""
        ...

    async def polled(self, feed: Feed, *, found_news: bool) -> None:
        """Learn from a poll that was recorded."""
        ...


class Companions:
    """Which feeds are asked at the address of another, as far as their polls have told this process."""

    def __init__(self) -> None:
        """Know of none."""
        self._of: dict[str, set[str]] = {}

    def learn(self, feed_id: str, same_as: str) -> None:
        """Note that a feed is asked where `same_as` is."""
        if same_as:
            self._of.setdefault(same_as, set()).add(feed_id)

    def of(self, feed_id: str, same_as: str) -> set[str]:
        """Return the feeds that may be asked where this one is: each knows whether it still is."""
        first = same_as or feed_id
        return {first, *self._of.get(first, ())} - {feed_id}


class PollerService(LeasingService[FeedLease]):
    """Due feeds in, articles out. What is new is decided before it is recorded, and recorded in one step.

    A poll that takes longer than two seconds gives its place back, so that hosts that do not answer keep out no others.
    """

    name: ClassVar = "poller"
    patience = 2.0

    def __init__(
        self,
        store: FeedStore,
        fetcher: Fetcher,
        parser: Parser,
        feeds: Mapping[str, Feed],
        clock: Clock,
        metrics: Metrics,
        *,
        linguist: Linguist,
        concurrency: int,
        lease: timedelta,
        new_trace: Callable[[], str],
        reading: PageReading | None = None,
    ) -> None:
        """Poll `feeds`, by id, until others are put in use; `lease` outlasts any one poll.

        With a `reading` the pages of articles are read where their texts are wanted.
        """
        super().__init__(metrics, concurrency)
        self._store = store
        self._fetcher = fetcher
        self._parser = parser
        self._linguist = linguist
        self._feeds: Mapping[str, Feed] = {}
        self._addresses: Mapping[str, str] = {}
        self.use(feeds)
        self._clock = clock
        self._lease = lease
        self._new_trace = new_trace
        self._reading = reading
        self._hubs: Hubs | None = None
        self._companions = Companions()
        # Of a feed in work, the next due time is that of its lease: only the end of its poll tells the real one.
        self._recorded = asyncio.Event()

    def use(self, feeds: Mapping[str, Feed], addresses: Mapping[str, str] | None = None) -> None:
        """Poll `feeds` from the next turn on; `addresses` are theirs, with the ids. Both may change meanwhile."""
        self._feeds = feeds
        if addresses is None:
            addresses = {plain_address(feed.url): feed.id for feed in feeds.values()}
        self._addresses = addresses

    def follow(self, hubs: Hubs) -> None:
        """Heed what `hubs` know of feeds that are pushed, and tell them what polls find."""
        self._hubs = hubs

    async def _claim(self, limit: int) -> Sequence[FeedLease]:
        now = self._clock.now()
        leases = await self._store.claim(now, self._lease, limit)
        if not leases:
            self._recorded.clear()
            due = await self._store.next_due()
            rest = min(IDLE, due - now) if due else IDLE
            await pause_until(self._recorded, max(0.0, rest.total_seconds()))
        return leases

    async def _handle(self, lease: FeedLease) -> None:
        feed = self._feeds.get(lease.feed_id)
        if feed is None:
            await self._give_back(lease)
            return
        await self.poll(feed, lease)

    async def poll(self, feed: Feed, lease: FeedLease) -> tuple[PollDecision, PollRecorded]:
        """Poll a feed that is leased; record what follows from it, and return it and whether that was recorded.

        What its server sends serves the other feeds that are asked at the same address too.
        """
        trace = self._new_trace()
        with hop(ROOT, trace, feed=feed.id):
            started_at = self._clock.now()
            early = decide_too_early(feed, lease.state, started_at)
            if early is not None:
                return await self._conclude(feed, lease, early)
            try:
                document, decision = await self._decide(feed, lease.state, trace)
            except HostBusyError as error:
                log.info("poll_put_off", why=error.detail)
                return await self._conclude(
                    feed, lease, decide_busy(lease.state, self._clock.now())
                )
            decision, recorded = await self._conclude(feed, lease, decision)
            now = self._clock.now()
            self.metrics.poll_seconds.observe((now - started_at).total_seconds())
            self._tell(lease.state, decision, recorded, now)
        if document is not None and recorded is PollRecorded.DONE:
            await self._share(feed, lease.state, document, decision)
        return decision, recorded

    async def _conclude(
        self, feed: Feed, lease: FeedLease, decision: PollDecision
    ) -> tuple[PollDecision, PollRecorded]:
        """Record a decision; one that a hub changes is returned as it was recorded."""
        now = self._clock.now()
        decision = self._put_off(feed, decision, now)
        recorded = await self._store.record(
            lease,
            decision.state,
            decision.next.at,
            now=now,
            keys=decision.keys,
            articles=(*decision.articles, *decision.notices),
            silent=decision.silent,
            restraint=decision.restraint,
        )
        self._recorded.set()
        if recorded is PollRecorded.DONE and self._hubs is not None:
            await self._hubs.polled(feed, found_news=bool(decision.articles))
        return decision, recorded

    def _put_off(self, feed: Feed, decision: PollDecision, now: datetime) -> PollDecision:
        """Poll a feed rarely that its hub pushes."""
        if self._hubs is None or decision.state.reason is not None:
            return decision
        return _next(decision, self._hubs.put_off(feed.id, decision.next, now))

    async def _share(
        self, feed: Feed, state: FeedState, document: Document, decision: PollDecision
    ) -> None:
        """Have what was fetched for a feed that was in `state` serve its companions, as if each had been asked."""
        same_as = decision.state.same_as
        self._companions.learn(feed.id, same_as)
        for other_id in self._companions.of(feed.id, same_as):
            other, now = self._feeds.get(other_id), self._clock.now()
            lease = await self._store.take(other_id, now, self._lease) if other else None
            if other is None or lease is None:
                continue
            if serves(feed, state, document, other, lease.state):
                await self._serve(other, lease, document, decision.next)
            else:
                due_at = lease.state.next_poll_at or now
                await self._store.record(lease, lease.state, due_at, now=now)

    async def _serve(
        self, feed: Feed, lease: FeedLease, document: Document, first: PollNext
    ) -> None:
        """Poll a feed that is leased without a request; the next poll of the one that was asked is the `first`."""
        trace = self._new_trace()
        with hop(ROOT, trace, feed=feed.id):
            _, decision = await self._decide(feed, lease.state, trace, document)
            if decision.state.same_as:  # the other one stays ahead, whoever is asked first
                decision = _next(decision, behind(decision.next, first))
            decision, recorded = await self._conclude(feed, lease, decision)
            self._tell(lease.state, decision, recorded, self._clock.now())

    async def push(
        self, feed: Feed, lease: FeedLease, document: Document
    ) -> tuple[bool, PollRecorded]:
        """Take in a document that a hub pushed for a feed that is leased; return whether it could be read and recorded.

        One that cannot be read makes the feed due at once: there is something to fetch.
        """
        trace, state = self._new_trace(), lease.state
        with hop(ROOT, trace, feed=feed.id):
            try:
                parsed, known = await self._read(feed, state, document)
            except FeedError as error:
                log.warning("push_not_read", reason=error.reason, detail=error.detail)
                now = self._clock.now()
                return False, await self._store.record(lease, state, now, now=now)
            now = self._clock.now()
            decision = decide_pushed(feed, state, document, parsed, known, now=now, trace_id=trace)
            decision = await self._completed(feed, decision)
            recorded = await self._store.record(
                lease,
                decision.state,
                decision.next.at,
                now=now,
                keys=decision.keys,
                articles=decision.articles,
                silent=decision.silent,
            )
            self._recorded.set()
            if recorded is PollRecorded.DONE:
                for reason, count in decision.suppressed.items():
                    self.metrics.suppressed.labels(reason).inc(count)
                for article in decision.articles:
                    self._count(article, now)
            log.info("feed_pushed", articles=len(decision.articles), recorded=recorded)
            return True, recorded

    async def _give_back(self, lease: FeedLease) -> None:
        """Leave a feed to others that this process does not know: unlisted meanwhile, or listed a moment ago."""
        now = self._clock.now()
        await self._store.record(lease, lease.state, now + IDLE, now=now)

    async def _decide(
        self, feed: Feed, state: FeedState, trace: str, document: Document | None = None
    ) -> tuple[Document | None, PollDecision]:
        """Decide about a document, which is fetched if there is none, and return it; None if nothing could be had."""
        try:
            if document is None:
                document = await self._fetcher.fetch(feed, state)
            return document, await self._decide_about(document, feed, state, trace)
        except (StreamError, HostBusyError):
            raise
        except FeedError as error:
            return None, decide_failed(feed, state, error, self._clock.now())
        except Exception as error:  # the wall around one feed: a defect costs this poll, no other
            self.metrics.failures.labels(self.name).inc()
            log.exception("poll_crashed")
            defect = ParseError(FeedReason.PARSER_FAILED, f"defect: {type(error).__name__}")
            return None, decide_failed(feed, state, defect, self._clock.now())

    async def _decide_about(
        self, document: Document, feed: Feed, state: FeedState, trace: str
    ) -> PollDecision:
        if is_unchanged(state, document):
            return decide_unchanged(feed, state, document, self._clock.now(), self._addresses)
        parsed, known = await self._read(feed, state, document)
        decision = decide(
            feed,
            state,
            document,
            parsed,
            known,
            now=self._clock.now(),
            trace_id=trace,
            listed=self._addresses,
        )
        return await self._completed(feed, decision)

    async def _read(
        self, feed: Feed, state: FeedState, document: Document
    ) -> tuple[ParsedFeed, frozenset[int]]:
        """Return what a document says, and which of its keys are known."""
        parsed = await self._parser.parse(document, pruned=True)
        standing = frozenset(flat(entry.keys for entry in parsed.standing.values()))
        if standing and parsed.stood_in == state.body_hash:
            # The document before is what was recorded last, with all its keys.
            fresh = flat(map(keys_of, parsed.articles))
            return parsed, standing | await self._store.known(feed.id, fresh)
        known = await self._store.known(feed.id, document_keys(parsed))
        if not standing <= known:
            # It was read before, but what came of it not recorded.
            parsed = await self._parser.parse(document)
            known = await self._store.known(feed.id, document_keys(parsed))
        return parsed, known

    async def _completed(self, feed: Feed, decision: PollDecision) -> PollDecision:
        """Return a decision with the texts of pages in its articles, where they are wanted, and their languages."""
        articles: Sequence[Article] = decision.articles
        if self._reading is not None:
            articles = await self._reading.complete(feed, articles)
        return replace(decision, articles=await self._linguist.tell(articles))

    def _tell(
        self, before: FeedState, decision: PollDecision, recorded: PollRecorded, now: datetime
    ) -> None:
        state = decision.state
        if recorded is not PollRecorded.DONE:
            self.metrics.polls.labels(recorded).inc()
            log.warning("poll_not_recorded", why=recorded)
            return
        result = state.reason or ("articles" if decision.articles else "unchanged")
        self.metrics.polls.labels(result).inc()
        if state.known_shares and not state.reason:
            self.metrics.overlap.observe(state.known_shares[0])
        for reason, count in decision.suppressed.items():
            self.metrics.suppressed.labels(reason).inc(count)
        for article in decision.articles:
            self._count(article, now)
        self._tell_trouble(before, decision)
        next_poll = f"{decision.next.at:%Y-%m-%d %H:%M:%S}, {decision.next.because}"
        if state.reason:
            log.warning("poll_failed", reason=state.reason, detail=state.detail, next=next_poll)
        else:
            kept_back = {str(reason): count for reason, count in decision.suppressed.items()}
            log.info(
                "feed_polled", articles=len(decision.articles), kept_back=kept_back, next=next_poll
            )

    def _tell_trouble(self, before: FeedState, decision: PollDecision) -> None:
        state = decision.state
        if has_missed(before, state):
            self.metrics.windows_missed.inc()
            log.warning(
                "articles_may_be_missed", times=state.missed, hint="nothing known: poll more often"
            )
        if has_moved(before, state):
            log.warning("feed_moved", to=state.address, same_as=state.same_as or None)
        for notice in decision.notices:
            self.metrics.feed_notices.labels(notice.fingerprint.removeprefix("feed-")).inc()
            log.warning("feed_noticed", what=notice.title, why=notice.summary)

    def _count(self, article: Article, now: datetime) -> None:
        if article.feed_id == CANARY:
            return
        self.metrics.articles.labels(article.kind).inc()
        if article.published_at and article.published_at <= now:
            self.metrics.published_to_seen.observe((now - article.published_at).total_seconds())


def _next(decision: PollDecision, following: PollNext) -> PollDecision:
    """Return a decision with another next poll."""
    state = replace(decision.state, next_poll_at=following.at, because=following.because)
    return replace(decision, next=following, state=state)
