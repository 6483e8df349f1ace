"""What the API answers with: names and types that stay the same within a major version."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from monitor.core.account import Event
from monitor.core.chapter import Kept
from monitor.core.made import Origin
from monitor.core.model import (
    Attempt,
    Delivery,
    Feed,
    FeedState,
    FullText,
    LimitScope,
    Match,
    Rule,
    Span,
)
from monitor.core.silences import Silence
from monitor.core.targets import Subscriber, Target, kind_of
from monitor.core.trial import DayTally
from monitor.core.wording import format_duration
from monitor.ports import LaneStanding


class SpanShape(msgspec.Struct, kw_only=True):
    """A place in the article that a query found; `end` is exclusive, both count characters."""

    field: str
    start: int
    end: int
    text: str


class ArticleShape(msgspec.Struct, kw_only=True):
    """An article as it was seen. `rules` are those that found it when it came; `spans` belong to the query asked."""

    id: str
    seen_at: datetime | None
    published_at: datetime | None
    feed: str
    feed_name: str
    title: str
    summary: str
    body: str
    url: str
    author: str
    lang: str | None
    tags: list[str]
    country: str | None
    category: str | None
    rules: list[str]
    suppressed: str | None
    spans: list[SpanShape] = []


class ArticlesShape(msgspec.Struct, kw_only=True):
    """A page of articles, newest first; `next` is the cursor of the page after, if there may be one."""

    articles: list[ArticleShape]
    next: str | None = None


class EventShape(msgspec.Struct, kw_only=True):
    """One thing that happened to an article; `depth` says how far it is a part of the one before."""

    at: datetime | None
    said: str
    depth: int


class AccountShape(msgspec.Struct, kw_only=True):
    """The whole story of an article, from the poll to the last attempt."""

    article: str
    events: list[EventShape]


class RuleShape(msgspec.Struct, kw_only=True):
    """A rule. `place` is where a file has it; `error` says why one of the store is not in force.

    `settings` are those of a rule of the store, as they were put; only where one rule is asked for.
    """

    id: str
    name: str
    query: str
    severity: str
    owner: str
    labels: Mapping[str, str]
    expires_at: datetime | None
    shadow: bool
    origin: Origin
    place: str = ""
    error: str = ""
    settings: Mapping[str, Any] | None = None


class RulesShape(msgspec.Struct, kw_only=True):
    """Rules, in the order of the files, then those of the store."""

    rules: list[RuleShape]


class DayShape(msgspec.Struct, kw_only=True):
    """What a query finds in a day, in UTC."""

    day: str
    articles: int
    stories: int


class BacktestShape(msgspec.Struct, kw_only=True):
    """What a query finds in the archive, out of `seen` articles; `gained` and `lost` against another rule.

    `alerts` is how many messages the routes in force would have made of that, to all targets together.
    """

    seen: int
    articles: int
    stories: int
    alerts: int
    days: list[DayShape]
    newest: list[ArticleShape]
    gained: list[str] | None = None
    lost: list[str] | None = None


class FeedShape(msgspec.Struct, kw_only=True):
    """A feed and how it does. Times are absent for what has not happened yet.

    What can be put is said in the words in which it is put, and in all of them: what was left out has its default.
    """

    id: str
    name: str
    url: str
    every: str
    hints: Literal["obey", "ignore"]
    limits: LimitScope
    full_text: FullText
    since: str | None
    lang: str | None
    country: str | None
    category: str | None
    labels: Mapping[str, str]
    origin: Origin
    polled_at: datetime | None = None
    succeeded_at: datetime | None = None
    next_poll_at: datetime | None = None
    because: str = ""
    failures: int = 0
    reason: str | None = None
    detail: str = ""


class FeedsShape(msgspec.Struct, kw_only=True):
    """Feeds by id."""

    feeds: list[FeedShape]
    next: str | None = None


class TargetShape(msgspec.Struct, kw_only=True):
    """A way to reach a subscriber, and how it does. `until` is when it is asked again, while it is left alone."""

    id: str
    kind: str
    status: str
    slow: bool
    waiting: int
    in_flight: int
    reason: str
    detail: str
    until: datetime | None = None


class SubscriberShape(msgspec.Struct, kw_only=True):
    """A subscriber with its targets that are switched on; `error` says why one of the store cannot be told.

    `settings` are those of a subscriber of the store, as they were put; only where one subscriber is asked for.
    """

    name: str
    origin: Origin
    targets: list[TargetShape]
    error: str = ""
    settings: Mapping[str, Any] | None = None


class SubscribersShape(msgspec.Struct, kw_only=True):
    """Subscribers, in the order of the files, then those of the store."""

    subscribers: list[SubscriberShape]


class AttemptShape(msgspec.Struct, kw_only=True):
    """One try at a delivery."""

    number: int
    started_at: datetime
    milliseconds: int
    verdict: str
    status: int | None
    reason: str | None
    detail: str


class DeliveryShape(msgspec.Struct, kw_only=True):
    """A delivery: what was or will be told to one target in one message."""

    id: str
    target: str
    subscriber: str
    state: str
    tries: int
    created_at: datetime
    due_at: datetime
    reason: str | None
    detail: str
    articles: list[str]
    title: str
    rules: list[str]
    attempts: list[AttemptShape] | None = None


class DeliveriesShape(msgspec.Struct, kw_only=True):
    """Deliveries, newest first."""

    deliveries: list[DeliveryShape]


class SilenceShape(msgspec.Struct, kw_only=True):
    """What somebody does not want to hear of; matchers are written as Alertmanager writes them."""

    id: str
    matchers: list[str]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str
    status: str


class SilencesShape(msgspec.Struct, kw_only=True):
    """Silences, those that end first first."""

    silences: list[SilenceShape]


def article_shape(kept: Kept, match: Match | None = None) -> ArticleShape:
    """Return an archived article, with the places that `match` found."""
    article = kept.article
    return ArticleShape(
        id=article.id,
        seen_at=article.seen_at,
        published_at=article.published_at,
        feed=article.feed_id,
        feed_name=article.feed_name,
        title=article.title,
        summary=article.summary,
        body=article.body,
        url=article.url,
        author=article.author,
        lang=article.lang,
        tags=list(article.tags),
        country=article.country,
        category=article.category,
        rules=[one.rule_id for one in kept.matches],
        suppressed=kept.suppressed,
        spans=[span_shape(span) for span in (match.spans if match else ())],
    )


def span_shape(span: Span) -> SpanShape:
    """Return a place in an article."""
    return SpanShape(field=span.field, start=span.start, end=span.end, text=span.text)


def account_shape(article_id: str, events: Sequence[Event]) -> AccountShape:
    """Return the story of an article."""
    return AccountShape(
        article=article_id,
        events=[EventShape(at=one.at, said=one.said, depth=one.depth) for one in events],
    )


def rule_shape(rule: Rule, origin: Origin, place: str = "", error: str = "") -> RuleShape:
    """Return a rule."""
    return RuleShape(
        id=rule.id,
        name=rule.name,
        query=rule.query,
        severity=rule.severity,
        owner=rule.owner,
        labels=dict(rule.labels),
        expires_at=rule.expires_at,
        shadow=rule.shadow,
        origin=origin,
        place=place,
        error=error,
    )


def day_shape(tally: DayTally) -> DayShape:
    """Return the count of a day."""
    return DayShape(day=tally.day.isoformat(), articles=tally.articles, stories=tally.stories)


def feed_shape(feed: Feed, state: FeedState | None, origin: Origin) -> FeedShape:
    """Return a feed and what is remembered of it."""
    state = state or FeedState()
    return FeedShape(
        id=feed.id,
        name=feed.name,
        url=feed.url,
        every="auto" if feed.every is None else format_duration(feed.every),
        hints="obey" if feed.obey_hints else "ignore",
        limits=feed.limit_scope,
        full_text=feed.full_text,
        since=None if feed.since is None else format_duration(feed.since),
        lang=feed.lang,
        country=feed.country,
        category=feed.category,
        labels=feed.labels,
        origin=origin,
        polled_at=state.polled_at,
        succeeded_at=state.succeeded_at,
        next_poll_at=state.next_poll_at,
        because=state.because,
        failures=state.failures,
        reason=state.reason,
        detail=state.detail,
    )


def subscriber_shape(
    subscriber: Subscriber, origin: Origin, standings: Mapping[str, LaneStanding], error: str = ""
) -> SubscriberShape:
    """Return a subscriber, with the standing of each target by its id."""
    return SubscriberShape(
        name=subscriber.name,
        origin=origin,
        targets=[
            _target(each, standings.get(each.id, LaneStanding())) for each in subscriber.targets
        ],
        error=error,
    )


def _target(target: Target, standing: LaneStanding) -> TargetShape:
    health = standing.health
    return TargetShape(
        id=target.id,
        kind=kind_of(target),
        status=health.status,
        slow=health.slow,
        waiting=standing.waiting,
        in_flight=standing.in_flight,
        reason=health.reason or "",
        detail=health.detail,
        until=health.until,
    )


def delivery_shape(delivery: Delivery, attempts: Sequence[Attempt] | None = None) -> DeliveryShape:
    """Return a delivery, with its attempts if they are given."""
    return DeliveryShape(
        id=delivery.id,
        target=delivery.target_id,
        subscriber=delivery.alert.subscriber,
        state=delivery.state,
        tries=delivery.attempts,
        created_at=delivery.created_at,
        due_at=delivery.due_at,
        reason=delivery.reason,
        detail=delivery.detail,
        articles=[alert.article.id for alert in delivery.alerts],
        title=delivery.alert.article.title,
        rules=list(
            dict.fromkeys(match.rule_id for alert in delivery.alerts for match in alert.matches)
        ),
        attempts=None if attempts is None else [_attempt(each) for each in attempts],
    )


def _attempt(attempt: Attempt) -> AttemptShape:
    return AttemptShape(
        number=attempt.number,
        started_at=attempt.started_at,
        milliseconds=round(attempt.duration.total_seconds() * 1000),
        verdict=attempt.verdict,
        status=attempt.status,
        reason=attempt.reason,
        detail=attempt.detail,
    )


def silence_shape(silence: Silence, now: datetime) -> SilenceShape:
    """Return a silence as it stands."""
    return SilenceShape(
        id=silence.id,
        matchers=[str(matcher) for matcher in silence.matchers],
        starts_at=silence.starts_at.astimezone(UTC),
        ends_at=silence.ends_at.astimezone(UTC),
        author=silence.author,
        comment=silence.comment,
        status=silence.status(now),
    )
