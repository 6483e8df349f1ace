"""The records that every layer shares, in the order in which they come to be.

All are frozen. Instants end in `_at` and are aware UTC; durations are `timedelta`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.core.feed import NO_WISHES, Wishes
from monitor.core.outcome import DeliveryReason, HoldReason, Verdict
from monitor.errors import FeedReason


class LimitScope(StrEnum):
    """What a "too many requests" from a feed's server concerns."""

    HOST = "host"
    FEED = "feed"


class FullText(StrEnum):
    """Whether the pages of a feed's articles are read: never, always, or for articles without a body if a rule asks."""

    NEVER = "never"
    AUTO = "auto"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A source we poll, as the operator configured it.

    `every` is the interval asked for; None: it is learned, between `shortest` and `longest`. `since` is how far back
    the first poll may alert (none: the backlog is silent). `obey_hints` says whether what stands in the document about
    when to read it counts.
    """

    id: str
    url: str
    name: str
    every: timedelta | None = None
    shortest: timedelta = timedelta(minutes=5)
    longest: timedelta = timedelta(hours=2)
    since: timedelta | None = None
    obey_hints: bool = True
    limit_scope: LimitScope = LimitScope.HOST
    full_text: FullText = FullText.AUTO
    lang: str | None = None
    country: str | None = None
    category: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A permanent redirect that was seen at `polls` polls in a row since `since`, and leads to `to`."""

    to: str
    since: datetime
    polls: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What is remembered about a feed between polls, across restarts.

    What was asked and found:
    `configured` is the address in the configuration that all this is about. `address` is asked instead of it, since a
    permanent redirect to there proved stable; `moving` is one that has not yet. `same_as` is the feed whose address
    that is too. `etag` and `last_modified` are returned byte for byte as the server sent them, and belong to `url`.
    `baseline_at` is the first successful poll: what stood in it is known and alerted nobody. `shared_urls` says that
    several entries of one document had the same link, so that the link identifies nothing.

    How it goes:
    `failures` counts those in a row since `failing_since`, `weight` adds them up by how much each says. `errors` counts
    all since `errors_since`, by reason, over a week. `gone_at` is when the server said that the feed is gone for good.
    `told` are the troubles that the operator has been told of and that are not over.

    When to come back:
    `fresh_for` is what the server last said of how long its answers are good, `wishes` what the document says.
    `interval` is the one that was learned. `slowdown` multiplies every interval since a server said that we ask too
    often, last at `slowed_at`. Nothing is asked before `not_before`, at the wish of the server. `because` is the reason
    for `next_poll_at` in words.

    What may be missing:
    `known_shares` are the parts of the entries that were known already at the last two successful polls, newest first.
    `missed` counts the polls in which nothing was known, the last at `missed_at`. `quiet` is the longest time without
    news that is usual; `silent_since` is set when it has been far longer.
    """

    configured: str = ""
    url: str | None = None
    address: str | None = None
    moving: Move | None = None
    same_as: str = ""
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    baseline_at: datetime | None = None
    shared_urls: bool = False
    polled_at: datetime | None = None
    succeeded_at: datetime | None = None
    changed_at: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    weight: float = 0.0
    reason: FeedReason | None = None
    detail: str = ""
    errors: Mapping[FeedReason, int] = field(default_factory=dict)
    errors_since: datetime | None = None
    gone_at: datetime | None = None
    told: tuple[str, ...] = ()
    fresh_for: timedelta | None = None
    wishes: Wishes = NO_WISHES
    interval: timedelta | None = None
    slowdown: float = 1.0
    slowed_at: datetime | None = None
    not_before: datetime | None = None
    next_poll_at: datetime | None = None
    because: str = ""
    known_shares: tuple[float, ...] = ()
    missed: int = 0
    missed_at: datetime | None = None
    quiet: timedelta | None = None
    silent_since: datetime | None = None


class ArticleKind(StrEnum):
    """Whether an article is seen for the first time or has changed."""

    NEW = "new"
    EDITED = "edited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One thing a feed published, after parsing. Texts are plain: tags gone, entities decoded.

    `id` stays the same over edits; `fingerprint` changes with the text. `published_at` is what the feed says and
    may be absent, in the future or wrong; `seen_at` is ours. `was_title` is the headline before an edit, where it is
    known. `trace_id` names the poll, and follows the article into every log line.
    """

    id: str
    feed_id: str = ""
    url: str = ""
    title: str = ""
    summary: str = ""
    body: str = ""
    author: str = ""
    lang: str | None = None
    tags: tuple[str, ...] = ()
    country: str | None = None
    category: str | None = None
    feed_name: str = ""
    published_at: datetime | None = None
    seen_at: datetime | None = None
    kind: ArticleKind = ArticleKind.NEW
    was_title: str = ""
    fingerprint: str = ""
    trace_id: str = ""


class Severity(StrEnum):
    """How much a match matters, least first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A named, configured interest. `version` changes whenever `query` does. One in `shadow` alerts nobody."""

    id: str
    query: str
    name: str = ""
    version: str = ""
    owner: str = ""
    severity: Severity = Severity.INFO
    labels: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None
    shadow: bool = False


class TextField(StrEnum):
    """The parts of an article that have positions, in reading order."""

    TITLE = "title"
    SUMMARY = "summary"
    BODY = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A place in an article that satisfied part of a query.

    `start` and `end` count characters of the article's own text in `field`, end exclusive; `text` is what stands there.
    `part` is the piece of the query, in canonical form.
    """

    field: str
    start: int
    end: int
    text: str
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A rule found in an article, with every span, and the rule as it was at that moment."""

    rule_id: str
    article_id: str
    rule_version: str = ""
    rule_name: str = ""
    severity: Severity = Severity.INFO
    labels: Mapping[str, str] = field(default_factory=dict)
    score: int | None = None
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedArticle:
    """An article with every match it has, at least one: what goes from matching to routing."""

    article: Article
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What one subscriber is told: an article and the matches that were routed to it. Immutable."""

    subscriber: str
    article: Article
    matches: tuple[Match, ...]
    created_at: datetime


class DeliveryState(StrEnum):
    """Where a delivery stands. `held` waits for its group to be released; `folded` was told in another, a digest.

    `delivered`, `dead`, `dropped` and `folded` are final until someone replays it.
    """

    PENDING = "pending"
    LEASED = "leased"
    RETRY = "retry"
    DELIVERED = "delivered"
    DEAD = "dead"
    DROPPED = "dropped"
    HELD = "held"
    FOLDED = "folded"


FINAL = frozenset(
    {DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.DROPPED, DeliveryState.FOLDED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What goes to one target in one message, with an id that is a hash of what it says and to whom.

    The id is the same however often the alert is computed: a replay after a crash is recognised here and there.
    `alerts` has one element, or in a digest several, oldest first. `because` says why a held one waits, and why a
    digest was gathered; `because_of` says it in words. `since` is when it was first due, or due again by a replay, and
    `seq` counts what became due for this target, from 1: none and 0 while it is held. `attempts` counts tries that
    began, the current one included while it is leased. The `detail` of a folded one is the id of the digest.
    """

    id: str
    target_id: str
    alerts: tuple[Alert, ...]
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    created_at: datetime
    due_at: datetime
    reason: DeliveryReason | None = None
    detail: str = ""
    because: HoldReason | None = None
    because_of: str = ""
    since: datetime | None = None
    seq: int = 0

    @property
    def alert(self) -> Alert:
        """The only alert, or the newest of a digest."""
        return self.alerts[-1]

    @property
    def is_digest(self) -> bool:
        """Whether this tells several alerts."""
        return len(self.alerts) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a delivery, as it went. `response` is at most the first kilobyte of what came back."""

    number: int
    started_at: datetime
    duration: timedelta
    verdict: Verdict
    reason: DeliveryReason | None = None
    status: int | None = None
    detail: str = ""
    response: str = ""
