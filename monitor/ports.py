"""What the services need from the outside, as Protocols. `app` decides which implementation stands behind each.

Instants are passed in by the caller, who has them from a `Clock`, so that every implementation obeys a test's clock.
Every method that talks to the server raises `StreamError` when it cannot; the caller backs off and repeats the step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from monitor.core.breaker import HEALTHY, TargetHealth
from monitor.core.chapter import Chapter, Decided, Kept
from monitor.core.feed import Document, ParsedFeed
from monitor.core.fulltext import PageText
from monitor.core.holding import Hold
from monitor.core.model import (
    Alert,
    Article,
    Attempt,
    Delivery,
    DeliveryState,
    Feed,
    FeedState,
    Match,
    MatchedArticle,
)
from monitor.core.narrowing import EVERYTHING, Narrowing
from monitor.core.outcome import Outcome
from monitor.core.retry import Ruling
from monitor.core.schedule import UNRESTRAINED, Restraint

T_co = TypeVar("T_co", covariant=True)


class Clock(Protocol):
    """The wall clock."""

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""
        ...


# --- poll ---


class Fetcher(Protocol):
    """Gets a feed's document over the network."""

    async def fetch(self, feed: Feed, state: FeedState) -> Document:
        """Fetch with the validators in `state`; follow redirects within bounds.

        Bounded in bytes (after decompression), time and redirects. Raise `FetchError` for all but 200, 226 and 304.
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
    """Asks the hubs of feeds to push (WebSub)."""

    async def subscribe(self, hub: str, topic: str, callback: str, secret: str) -> str:
        """Ask `hub` to push `topic` to `callback`; return "" when it took the request, else what is wrong."""
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


class FeedStore(Protocol):
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
        restraint: Restraint = UNRESTRAINED,
    ) -> PollRecorded:
        """End a lease: remember `state` and all `keys` of the document, append `articles`, set the next due time.

        All or nothing: fenced by the lease, refused as a whole when the article log is full. The `restraint` holds in
        either case, for all feeds of the domain.
        """
        ...

    async def states(self, feed_ids: Sequence[str]) -> Mapping[str, FeedState]:
        """Return what is remembered of these feeds; a feed never polled is absent."""
        ...

    async def next_due(self) -> datetime | None:
        """Return the earliest instant at which a feed is due or a lease runs out."""
        ...


# --- logs ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[T_co]):
    """One element of a log, held by this consumer until it is forwarded, finished or buried."""

    id: str
    partition: int
    value: T_co
    deliveries: int = 1


class ArticleLog(Protocol):
    """Articles on their way to matching; every article is handled once, by one of the consumers."""

    async def read(self, limit: int, wait: timedelta) -> Sequence[Entry[Article]]:
        """Return up to `limit` entries, oldest first within a partition; block at most `wait` for the first.

        Entries that another consumer left unfinished are handed out again. Entries that cannot be decoded, or were
        handed out too often, are buried here and not returned.
        """
        ...

    async def forward(self, entry: Entry[Article], matches: Sequence[Match]) -> bool:
        """Finish the entry and, if there are `matches`, append them to the match log, in one step.

        Return False when another consumer has done so already; then nothing happens.
        """
        ...


class Matcher(Protocol):
    """Every rule at once. Pure and synchronous: the matching service runs it off the event loop."""

    def match(self, article: Article, now: datetime) -> tuple[Match, ...]:
        """Return a match for each rule that is not expired and finds the article, in the order of rule ids."""
        ...


class MatchLog(Protocol):
    """Matched articles on their way to routing."""

    async def read(self, limit: int, wait: timedelta) -> Sequence[Entry[MatchedArticle]]:
        """As `ArticleLog.read`."""
        ...

    async def done(self, entry: Entry[MatchedArticle], chapter: Chapter | None = None) -> bool:
        """Finish the entry and leave `chapter` for the archive; call it after all that follows from it is durable."""
        ...


class ArchiveLog(Protocol):
    """Chapters on their way to the archive. Both hops before leave one in the step in which they finish an entry."""

    async def read(self, limit: int, wait: timedelta) -> Sequence[Entry[Chapter]]:
        """As `ArticleLog.read`."""
        ...

    async def done(self, entries: Sequence[Entry[Chapter]]) -> int:
        """Finish these entries, once they are archived; return how many were not finished before."""
        ...


@dataclass(frozen=True, slots=True)
class PublicEntry:
    """One entry of the public stream: its id, which grows, and its fields as docs/stream.md describes them."""

    id: str
    fields: Mapping[str, str]


class PublicStream(Protocol):
    """The stream `monitor:matches`, which other programs read."""

    async def read(self, after: str, limit: int, wait: timedelta) -> Sequence[PublicEntry]:
        """Return up to `limit` entries that come after this id, oldest first; wait at most `wait` for the first.

        `0` begins at the oldest entry that is kept. An id that was never given is as good as any.
        """
        ...

    async def last(self) -> str:
        """Return the id of the newest entry, or `0` when there was none."""
        ...

    async def publish(self, matched: MatchedArticle, now: datetime) -> int:
        """Append one entry for each match that was not published before; return how many that were.

        A match is the pair of article and rule: an edit of the article does not publish it again.
        """
        ...


# --- what people add while the system runs ---


class RecordKind(StrEnum):
    """What a registry keeps. A new kind needs no more than a line here and a codec (`monitor.registry`)."""

    FEED = "feed"
    RULE = "rule"
    SUBSCRIBER = "subscriber"
    SILENCE = "silence"
    CHOICE = "choice"  # what the reader of a target chose
    INHIBITION = "inhibition"  # when something came that inhibits
    LINK_USE = "link_use"
    THREAD = "thread"
    HEADLINE = "headline"
    HUB_SUBSCRIPTION = "hub_subscription"
    TOKEN = "token"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as it is kept. `version` is that of its kind when it was last written.

    `expires_at` is when the record itself goes, some time after that; what it says may end sooner.
    """

    id: str
    value: bytes
    version: int
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record to write.

    With `expected` it replaces that version alone; 0: there must be none. A `unique` text is held by one record of the
    kind at a time, whatever its id: the canonical address of a feed, for instance.
    """

    id: str
    value: bytes
    expires_at: datetime | None = None
    expected: int | None = None
    unique: str = ""


class Refusal(StrEnum):
    """Why a record was not written."""

    CHANGED = "changed"  # there is another version than the one expected
    TAKEN = "taken"  # another record holds what has to be unique


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """What became of a draft: its `version`; or a `refusal`, with the version there is and the id that holds it."""

    version: int
    refusal: Refusal | None = None
    holder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What was written and removed, in the order of versions; `last` is where to go on.

    `more` says that there is more than fitted. Removals up to version `forgotten` are no longer known: whoever was
    up to date before that reads everything again, from 0.
    """

    records: tuple[Record, ...]
    removed: tuple[str, ...]
    last: int
    more: bool
    forgotten: int


class Registry(Protocol):
    """Records that people create while the system runs, beside what the files say.

    Each kind has a version, which grows with every write and removal, so that a process learns of changes by one small
    question, and reads only what changed. Every write is one step: whole, in order, seen by all processes after it.
    Writing a record again as it is changes nothing, not even the version.
    """

    async def put(self, kind: RecordKind, draft: Draft, now: datetime) -> Put:
        """Write one record, or refuse it."""
        ...

    async def put_all(
        self, kind: RecordKind, drafts: Sequence[Draft], now: datetime
    ) -> Sequence[Put]:
        """Write many, in order; each is written or refused for itself, so that a repetition does no harm."""
        ...

    async def remove(
        self, kind: RecordKind, record_id: str, now: datetime, expected: int | None = None
    ) -> bool:
        """Remove a record, if it is there and of the `expected` version; tell whether it was."""
        ...

    async def get(self, kind: RecordKind, record_id: str) -> Record | None:
        """Return one record."""
        ...

    async def holder(self, kind: RecordKind, unique: str) -> str | None:
        """Return the id of the record that holds what has to be unique, if one does."""
        ...

    async def versions(self) -> Mapping[RecordKind, int]:
        """Return the version of each kind that was ever written; one command, cheap enough for every second."""
        ...

    async def changes(self, kind: RecordKind, since: int = 0, limit: int = 1000) -> Changes:
        """Return what changed after version `since`, each record once, as it is now.

        From 0 that is every record, page by page; one that is written meanwhile comes again at the end.
        """
        ...


# --- deliver ---


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLease:
    """The right to attempt one delivery until `until`. `token` fences, as for feeds. `health` is its target's."""

    delivery: Delivery
    token: str
    until: datetime
    health: TargetHealth = HEALTHY


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries to list; an absent field does not restrict.

    `since` and `until` bound when they were made, `until` exclusive. `text` stands in a title, whatever the case. Of a
    digest one alert is enough.
    """

    state: DeliveryState | None = None
    target_id: str | None = None
    subscriber: str | None = None
    rule_id: str | None = None
    article_id: str | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 50

    def accepts(self, delivery: Delivery) -> bool:
        """Tell whether a delivery is one of them."""
        return (
            self.state in {None, delivery.state}
            and self.target_id in {None, delivery.target_id}
            and (self.since is None or self.since <= delivery.created_at)
            and (self.until is None or delivery.created_at < self.until)
            and any(map(self._accepts_alert, delivery.alerts))
        )

    def _accepts_alert(self, alert: Alert) -> bool:
        return (
            self.subscriber in {None, alert.subscriber}
            and self.article_id in {None, alert.article.id}
            and (self.rule_id is None or any(m.rule_id == self.rule_id for m in alert.matches))
            and self.text.casefold() in alert.article.title.casefold()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTerms:
    """How a target wants its deliveries.

    `gap` is the least time between the starts of two, `in_flight` how many may be under way at once. When more than
    `most_waiting` are due that were not tried yet, they become digests; 0: never. A digest tells at most `most_folded`.
    """

    gap: timedelta = timedelta()
    in_flight: int = 2
    most_waiting: int = 0
    most_folded: int = 200


USUAL_TERMS = LaneTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStanding:
    """How a target stands: its health, how many wait for it or are under way, and until when all are held back."""

    health: TargetHealth = HEALTHY
    waiting: int = 0
    in_flight: int = 0
    held_until: datetime | None = None


class DeliveryLedger(Protocol):
    """Every delivery with its durable state and its attempts, in one lane per target."""

    async def enqueue(
        self, alert: Alert, target_id: str, due_at: datetime, hold: Hold | None = None
    ) -> str | None:
        """Create a delivery for those matches of which this target was not told before; return its id.

        None when it was told of all of them. Told-ness is per (article, rule, target), whatever feed, edit or replay
        brought it, and is recorded in the same step as the delivery. With a `hold` it is held until its group is
        released, unless it is free of that: then, and without one, it is due at `due_at`.
        """
        ...

    async def arrange(self, terms: Mapping[str, LaneTerms]) -> None:
        """Deliver to these targets on these terms from the next claim on; the terms of others stay."""
        ...

    async def claim(
        self,
        now: datetime,
        lease: timedelta,
        limit: int,
        wait: timedelta,
        slow_limit: int | None = None,
    ) -> Sequence[DeliveryLease]:
        """Lease up to `limit` due deliveries, oldest first in a lane, on the terms of their targets.

        At most `slow_limit` of them go to targets whose health says that they are slow. An open target gets one at a
        time, a disabled one nothing. First, groups whose time has come are released: several deliveries become one
        digest, and so do those of a lane in which too many wait. Block at most `wait` for the first. The attempt count
        is raised here, so that a crash in the send is visible.
        """
        ...

    async def record(
        self, lease: DeliveryLease, attempt: Attempt, ruling: Ruling, now: datetime
    ) -> bool:
        """End a lease with what came of it: delivered, due again, dead or dropped. False when the lease was lost.

        The attempt is kept either way. A ruling with `lane_until` holds back the whole target until then.
        """
        ...

    async def health(self, target_ids: Sequence[str]) -> Mapping[str, TargetHealth]:
        """Return how these targets are doing; one that nothing is known of is well."""
        ...

    async def set_health(self, target_id: str, before: TargetHealth, health: TargetHealth) -> bool:
        """Replace what was `before`; return False, and do nothing, when that is no longer what it was.

        A target that is open is left alone until `health.until`. One that was not active and now is, is held back no
        longer.
        """
        ...

    async def standings(self, target_ids: Sequence[str]) -> Mapping[str, LaneStanding]:
        """Return how these targets stand; what is held for a group is not counted."""
        ...

    async def get(self, delivery_id: str) -> Delivery | None:
        """Return one delivery."""
        ...

    async def attempts(self, delivery_id: str) -> Sequence[Attempt]:
        """Return the attempts of one delivery, oldest first."""
        ...

    async def find(self, which: DeliveryFilter) -> Sequence[Delivery]:
        """Return deliveries, newest first."""
        ...

    async def replay(self, delivery_id: str, now: datetime) -> bool:
        """Make a finished one due now under the same id, its attempts counted from 0. False if unknown."""
        ...

    async def next_due(self) -> datetime | None:
        """Return the earliest instant at which a delivery is due or a lease runs out."""
        ...


class Channel(Protocol):
    """A way to reach a subscriber: one target, its address and its secrets."""

    async def deliver(self, delivery: Delivery, now: datetime) -> Outcome:
        """Make one attempt, bounded in time and bytes. `now` is the instant of the attempt.

        Whatever the receiver does is an `Outcome`; only a defect of ours raises.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


# --- look back ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which archived articles to return, newest first: those seen in [`since`, `until`), archived before `before`.

    `rule`: only those that matched it when they came.
    """

    narrowing: Narrowing = EVERYTHING
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    rule: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSize:
    """How much the archive holds."""

    articles: int
    bytes: int
    oldest: datetime | None


class Archive(Protocol):
    """Everything that was seen, with what came of it, for as long as it is kept.

    Every method raises `ArchiveError` when the database cannot be used; the caller backs off and repeats the step.
    """

    async def add(self, chapters: Sequence[Chapter]) -> None:
        """Keep these chapters, all or none. What is kept already is not kept twice, so that a step can be repeated."""
        ...

    async def page(self, which: Page) -> Sequence[Kept]:
        """Return articles that have what the narrowing asks, maybe some that have not: newest first."""
        ...

    async def count(self, since: datetime | None, until: datetime | None) -> int:
        """Return how many articles were seen in [`since`, `until`)."""
        ...

    async def versions(self, article_id: str) -> Sequence[Kept]:
        """Return an article in every text it had, oldest first; nothing when it is not kept."""
        ...

    async def decided(self, article_id: str) -> Sequence[Decided]:
        """Return what routing decided about an article, oldest first."""
        ...

    async def tidy(self, before: datetime) -> int:
        """Delete what was seen before this instant, in small steps; return how many articles went."""
        ...

    async def size(self) -> ArchiveSize:
        """Count what there is."""
        ...


# --- operate ---


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCensus:
    """How a log stands: entries in it, of which handed out and unfinished, and the age of the oldest."""

    name: str
    length: int
    pending: int
    oldest: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """How the store stands. `archive_missed` counts what came while too much waited for the archive."""

    feeds: int
    feeds_due: int
    logs: tuple[LogCensus, ...]
    deliveries: Mapping[DeliveryState, int]
    dead_entries: int
    archive_missed: int
    memory_bytes: int
    memory_limit_bytes: int
    server: str


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
