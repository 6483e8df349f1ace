"""What polling needs: the network, the parser, and what is remembered of each feed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from monitor.core.chapter import Chapter
from monitor.core.feed import Document, ParsedFeed
from monitor.core.fulltext import PageText
from monitor.core.model import (
    Article,
    Feed,
    FeedState,
)
from monitor.core.schedule import UNRESTRAINED, Restraint


class Fetcher(Protocol):
    """Gets a feed's document over the network."""

    async def fetch(self, feed: Feed, state: FeedState) -> Document:
        """Fetch with the validators in `state`; follow redirects within bounds.

        Bounded in bytes (after decompression), time and redirects. Raise `FetchError` for all but 200, 226 and 304;
        `HostBusyError` among them when the host was not asked, because it does not answer other requests.
        """
        ...


class Parser(Protocol):
    """Turns a document into records, off the event loop."""

    async def parse(self, document: Document, *, pruned: bool = False) -> ParsedFeed:
        """Parse, or raise `ParseError`. A hostile document costs bounded time and memory, and only this call.

        When it is `pruned`, entries that stood in the document before may come without their text.
        """
        ...


class Pages(Protocol):
    """Reads the text of the pages that articles are on."""

    async def read(self, feed: Feed, url: str) -> PageText:
        """Return the text of the page at `url`, an article of `feed`, or why there is none. Bounded like a feed."""
        ...


class HubClient(Protocol):
    """Asks the hubs of feeds to push, or to push no more (WebSub)."""

    async def subscribe(self, hub: str, topic: str, callback: str, secret: str) -> str:
        """Ask `hub` to push `topic` to `callback`; return "" when it took the request, else what is wrong."""
        ...

    async def unsubscribe(self, hub: str, topic: str, callback: str) -> str:
        """Ask `hub` to push `topic` to `callback` no more; return as `subscribe` does."""
        ...


class Linguist(Protocol):
    """Tells which languages articles are in, off the event loop."""

    async def tell(self, articles: Sequence[Article]) -> tuple[Article, ...]:
        """Return the articles, each with its language as far as it can be told. Costs microseconds an article."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLease:
    """The right to poll one feed until `until`. `token` fences: a poll that outlived its lease cannot be recorded."""

    feed_id: str
    state: FeedState
    token: str
    until: datetime


class PollRecorded(StrEnum):
    """What became of a finished poll."""

    DONE = "done"
    FENCED = "fenced"  # the lease was lost; another poller has the feed, nothing was written
    FULL = "full"  # downstream is behind; only the due time was written, the document will be fetched again


class Turns(Protocol):
    """Keeps requests to one registrable domain apart, whoever makes them."""

    async def turn(self, feed: Feed, url: str, now: datetime, latest: datetime) -> datetime | None:
        """Take the next turn of the registrable domain of `url`, and return when it is; it is nobody else's.

        None when that is after `latest`: then none is taken. `feed` is the one on whose behalf it is, and the turns are
        those of its partition. The polls of feeds take theirs with their leases.
        """
        ...

    async def answered(
        self, feed: Feed, url: str, restraint: Restraint, *, well: bool, now: datetime
    ) -> None:
        """Heed how the registrable domain of `url` took a turn that was not a poll's: `well` when it gave what it has.

        The `restraint` holds for all requests to the domain. Polls tell it when they are recorded.
        """
        ...


class FeedStore(Turns, Protocol):
    """Which feeds are due, what is remembered of each, and which articles are known."""

    async def sync(self, feeds: Sequence[Feed], now: datetime, spread: timedelta) -> None:
        """Schedule feeds that are not yet known, spread over `spread`; unschedule those no longer listed.

        What is remembered of an unlisted feed is kept, so that listing it again does not alert its backlog. A feed that
        has got another address or interval is due anew.
        """
        ...

    async def schedule(self, feeds: Sequence[Feed], now: datetime, spread: timedelta) -> None:
        """Schedule those of `feeds` that are not yet, spread over `spread`; leave all others as they are."""
        ...

    async def unschedule(self, feed_ids: Sequence[str]) -> None:
        """Poll these no more; what is remembered of them is kept."""
        ...

    async def take(self, feed_id: str, now: datetime, lease: timedelta) -> FeedLease | None:
        """Lease one feed whether it is due or not; None when it is not scheduled.

        A poll of it that is under way elsewhere is fenced.
        """
        ...

    async def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[FeedLease]:
        """Lease up to `limit` due feeds, most overdue first. A lease that runs out makes the feed due again.

        A feed whose registrable domain must not be asked yet is put off to the next instant at which it may. When the
        clock has been set back, feeds that were last polled in the future are due.
        """
        ...

    async def known(self, feed_id: str, keys: Sequence[int]) -> frozenset[int]:
        """Return those of the 64-bit `keys` that were seen in this feed."""
        ...

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
        """End a lease: remember `state` and all `keys` of the document, append `articles`, set the next due time.

        All or nothing: fenced by the lease, refused as a whole when the article log is full. The `restraint` holds in
        either case, for all feeds of the domain. `silent` chapters are left for the archive as far as half of its log
        has room, so that they do not take that of articles that are matched; the rest is counted as missed.
        """
        ...

    async def states(self, feed_ids: Sequence[str]) -> Mapping[str, FeedState]:
        """Return what is remembered of these feeds; a feed never polled is absent."""
        ...

    async def scheduled(self, feed_ids: Sequence[str]) -> frozenset[str]:
        """Return those of these feeds that are polled, by whatever process."""
        ...

    async def next_due(self) -> datetime | None:
        """Return the earliest instant at which a feed is due or a lease runs out."""
        ...
