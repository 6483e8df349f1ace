"""What can be asked of the API."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from monitor import lookback
from monitor.core.access import Scope
from monitor.core.engine import RuleSet
from monitor.core.made import LeftOut, Origin
from monitor.core.matchers import MatcherError, parse_matchers
from monitor.core.model import DeliveryState, Feed, FeedState, Rule
from monitor.core.query import to_text
from monitor.core.rehearsal import Rehearsal
from monitor.core.silences import Silence, expired, new_silence
from monitor.core.targets import Subscriber
from monitor.core.telling import RoutingTable
from monitor.core.trial import Trial
from monitor.ports import (
    Archive,
    Clock,
    DeliveryFilter,
    DeliveryLedger,
    Draft,
    FeedStore,
    Page,
    RecordKind,
    Registry,
)
from monitor.registry import SILENCES, Roster
from monitor.web.api.operation import ApiProblem, Asked, Nothing, Operation
from monitor.web.api.shapes import (
    AccountShape,
    ArticlesShape,
    BacktestShape,
    DeliveriesShape,
    DeliveryShape,
    FeedShape,
    FeedsShape,
    RuleShape,
    RulesShape,
    SilenceShape,
    SilencesShape,
    SubscriberShape,
    SubscribersShape,
    account_shape,
    article_shape,
    day_shape,
    delivery_shape,
    feed_shape,
    rule_shape,
    silence_shape,
    subscriber_shape,
)

_MOST_ARTICLES = 500
_ALL = 2**31
_KEPT_AFTER = timedelta(days=7)  # a silence that is over, for whoever asks what became of an alert
_LONGEST_SILENCE = timedelta(days=366)

QueryText = Annotated[str, Meta(description="A query of the language.", max_length=100_000)]
SearchText = Annotated[str, Meta(description="A query of the language.", max_length=2_000)]
Since = Annotated[datetime, Meta(tz=True, description="Seen at this instant or later.")]
Until = Annotated[datetime, Meta(tz=True, description="Seen before this instant.")]
Limit = Annotated[int, Meta(ge=1, le=_MOST_ARTICLES, description="How many at most.")]
Id = Annotated[str, Meta(max_length=300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The configuration that the process works by.

    `places` say where rules of files are written; `made` are the ids of those of the store, `left_out` those that
    cannot be used, and `filed` the ids of the feeds of files. `added` are the names of the subscribers of the store,
    and `untold` says why one cannot be told, by name: in force, what it is told of waits, else it is told of nothing.
    """

    rules: tuple[Rule, ...]
    rule_set: RuleSet
    feeds: Mapping[str, Feed]
    routing: RoutingTable = field(default_factory=RoutingTable)
    places: Mapping[str, str] = field(default_factory=dict)
    made: Collection[str] = frozenset()
    filed: Collection[str] = frozenset()
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)
    subscribers: tuple[Subscriber, ...] = ()
    added: Collection[str] = frozenset()
    untold: Mapping[str, str] = field(default_factory=dict)


class SearchQuery(Struct, kw_only=True):
    """Which articles to search for."""

    query: SearchText = ""
    rule: Annotated[Id, Meta(description="Only what this rule found when it came.")] | None = None
    since: Since | None = None
    until: Until | None = None
    cursor: Annotated[int, Meta(ge=1, description="`next` of the page before.")] | None = None
    limit: Limit = 50


class BacktestBody(Struct, kw_only=True):
    """What to try on the archive: a query, against a configured rule if one is named."""

    query: QueryText
    since: Since
    until: Until | None = None
    against: Id | None = None
    newest: Annotated[int, Meta(ge=0, le=_MOST_ARTICLES)] = 20


class CheckBody(Struct, kw_only=True):
    """A query to check."""

    query: QueryText


class CheckShape(Struct, kw_only=True):
    """The query in canonical form."""

    query: str


class FeedsQuery(Struct, kw_only=True):
    """Which feeds."""

    after: Annotated[Id, Meta(description="Feeds with ids after this one.")] = ""
    limit: Limit = 100


class DeliveriesQuery(Struct, kw_only=True):
    """Which deliveries."""

    state: Annotated[DeliveryState, Meta(description="In this state.")] | None = None
    target: Annotated[Id, Meta(description="To this target.")] | None = None
    limit: Limit = 50


class SilenceBody(Struct, kw_only=True):
    """A silence to make; `matchers` as in `monitor silence add`: `rule="talks", severity=~"info|warning"`."""

    matchers: Annotated[str, Meta(min_length=1, max_length=10_000)]
    ends_at: Annotated[datetime, Meta(tz=True)]
    author: Annotated[str, Meta(min_length=1, max_length=200)]
    comment: Annotated[str, Meta(max_length=1000)] = ""
    starts_at: Annotated[datetime, Meta(tz=True)] | None = None


class ReloadShape(Struct, kw_only=True):
    """What came of reading the configuration again; `problems` is empty when it is in force."""

    problems: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Everything that can be asked, over these ports."""

    in_force: Callable[[], InForce]
    reload: Callable[[], Awaitable[str]]
    archive: Archive | None
    feeds: FeedStore
    ledger: DeliveryLedger
    registry: Registry
    clock: Clock

    def all(self) -> tuple[Operation, ...]:
        """Return every operation, for the router and for the document."""
        read, write, admin = Scope
        return (
            Operation(
                method="GET",
                path="/api/articles",
                name="searchArticles",
                summary="Archived articles that a query finds, newest first.",
                scope=read,
                query=SearchQuery,
                answer=ArticlesShape,
                errors=(404, 422),
                handle=self.search,
            ),
            Operation(
                method="GET",
                path="/api/articles/{id}",
                name="explainArticle",
                summary="The story of an article or a delivery, from the poll to the last attempt.",
                scope=read,
                path_texts={"id": "The id of an article or a delivery."},
                answer=AccountShape,
                errors=(404,),
                handle=self.explain,
            ),
            Operation(
                method="GET",
                path="/api/rules",
                name="listRules",
                summary="The rules in force; last those that were made and cannot be used.",
                scope=read,
                answer=RulesShape,
                handle=self.list_rules,
            ),
            Operation(
                method="POST",
                path="/api/rules/check",
                name="checkQuery",
                summary="Whether a query can be used; if not, where the mistake is.",
                scope=read,
                body=CheckBody,
                answer=CheckShape,
                handle=self.check,
            ),
            Operation(
                method="POST",
                path="/api/backtest",
                name="backtest",
                summary="What a query would have found, and what it gains and loses against a rule.",
                scope=read,
                body=BacktestBody,
                answer=BacktestShape,
                errors=(404,),
                handle=self.backtest,
            ),
            Operation(
                method="GET",
                path="/api/feeds",
                name="listFeeds",
                summary="Feeds and how they do, by id.",
                scope=read,
                query=FeedsQuery,
                answer=FeedsShape,
                handle=self.list_feeds,
            ),
            Operation(
                method="GET",
                path="/api/feeds/{id}",
                name="showFeed",
                summary="One feed and how it does.",
                scope=read,
                answer=FeedShape,
                errors=(404,),
                handle=self.show_feed,
            ),
            Operation(
                method="GET",
                path="/api/subscribers",
                name="listSubscribers",
                summary="Who is told, and how their targets do; last those that were added and cannot be used.",
                scope=read,
                answer=SubscribersShape,
                handle=self.list_subscribers,
            ),
            Operation(
                method="GET",
                path="/api/deliveries",
                name="listDeliveries",
                summary="Deliveries, newest first.",
                scope=read,
                query=DeliveriesQuery,
                answer=DeliveriesShape,
                handle=self.list_deliveries,
            ),
            Operation(
                method="GET",
                path="/api/deliveries/{id}",
                name="showDelivery",
                summary="One delivery with its attempts.",
                scope=read,
                answer=DeliveryShape,
                errors=(404,),
                handle=self.show_delivery,
            ),
            Operation(
                method="POST",
                path="/api/deliveries/{id}/replay",
                name="replayDelivery",
                summary="Send a finished delivery again, under the same id.",
                scope=write,
                answer=DeliveryShape,
                errors=(404,),
                handle=self.replay,
            ),
            Operation(
                method="GET",
                path="/api/silences",
                name="listSilences",
                summary="Silences, those that are over included for a while.",
                scope=read,
                answer=SilencesShape,
                handle=self.list_silences,
            ),
            Operation(
                method="POST",
                path="/api/silences",
                name="addSilence",
                summary="Keep back what meets the matchers until an instant.",
                scope=write,
                body=SilenceBody,
                answer=SilenceShape,
                status=201,
                handle=self.add_silence,
            ),
            Operation(
                method="DELETE",
                path="/api/silences/{id}",
                name="expireSilence",
                summary="End a silence now.",
                scope=write,
                status=204,
                errors=(404,),
                handle=self.expire_silence,
            ),
            Operation(
                method="POST",
                path="/api/reload",
                name="reload",
                summary="Read the configuration again, as SIGHUP does.",
                scope=admin,
                answer=ReloadShape,
                handle=self.reload_now,
            ),
        )

    # --- articles ---

    async def search(self, asked: Asked) -> ArticlesShape:
        """See `searchArticles`."""
        query: SearchQuery = asked.query
        archive = self.kept()
        page = Page(
            since=query.since,
            until=query.until,
            before=query.cursor,
            rule=query.rule,
            limit=query.limit,
        )
        if query.query:
            rule = Rule(id="search", query=query.query)
            trial = await asyncio.to_thread(Trial, rule, self.in_force().rule_set)
            found = [one async for one in lookback.search(archive, trial, page)]
            articles = [article_shape(one.kept, one.match) for one in found]
            last = found[-1].kept.number if found else 0
        else:
            kept = await archive.page(page)
            articles = [article_shape(one) for one in kept]
            last = kept[-1].number if kept else 0
        more = len(articles) == query.limit
        return ArticlesShape(articles=articles, next=str(last) if more else None)

    async def explain(self, asked: Asked) -> AccountShape:
        """See `explainArticle`."""
        wanted = asked.path["id"]
        found = await lookback.stories(
            self.archive, self.ledger, self.in_force().routing.zone_of, wanted
        )
        if not found:
            raise ApiProblem(
                404, f"no article and no delivery {wanted!r}, or it is past its retention"
            )
        return account_shape(found[0].article.id, [e for story in found for e in story.events])

    # --- rules ---

    async def list_rules(self, asked: Asked) -> RulesShape:  # noqa: ARG002 - every operation is asked
        """See `listRules`."""
        return RulesShape(rules=list(self._rules()))

    def rule(self, rule_id: str) -> RuleShape | None:
        """Return a rule, in force or left out."""
        return next((each for each in self._rules() if each.id == rule_id), None)

    def _rules(self) -> Iterator[RuleShape]:
        current = self.in_force()
        for rule in current.rules:
            origin = _origin(rule.id in current.made)
            yield rule_shape(rule, origin, current.places.get(rule.id, ""))
        for each in current.left_out.values():
            yield rule_shape(each.rule, Origin.STORE, error=each.why)

    async def check(self, asked: Asked) -> CheckShape:
        """See `checkQuery`."""
        body: CheckBody = asked.body
        return CheckShape(
            query=await asyncio.to_thread(_checked, body.query, self.in_force().rule_set)
        )

    async def backtest(self, asked: Asked) -> BacktestShape:
        """See `backtest`."""
        body: BacktestBody = asked.body
        current = self.in_force()
        rules = {rule.id: rule for rule in current.rules}
        if body.against is not None and body.against not in rules:
            raise ApiProblem(404, f"no rule {body.against!r} is configured")
        rule, other = Rule(id="trial", query=body.query), rules.get(body.against or "")
        trial = await asyncio.to_thread(Trial, rule, current.rule_set)
        against = await asyncio.to_thread(Trial, other, current.rule_set) if other else None
        page = Page(since=body.since, until=body.until, limit=_ALL)
        rehearsal = Rehearsal(current.routing, other)
        tested = await lookback.backtest(self.kept(), trial, page, body.newest, against, rehearsal)
        change = tested.difference
        return BacktestShape(
            seen=tested.seen,
            articles=tested.tally.articles,
            stories=tested.tally.stories,
            alerts=rehearsal.alerts,
            days=[day_shape(day) for day in tested.tally.days()],
            newest=[article_shape(one.kept, one.match) for one in tested.newest],
            gained=list(change.gained) if change else None,
            lost=list(change.lost) if change else None,
        )

    # --- feeds ---

    async def list_feeds(self, asked: Asked) -> FeedsShape:
        """See `listFeeds`."""
        query: FeedsQuery = asked.query
        feeds = self.in_force().feeds
        ids = sorted(id_ for id_ in feeds if id_ > query.after)[: query.limit]
        states = await self.feeds.states(ids)
        return FeedsShape(
            feeds=[self._feed(feeds[id_], states.get(id_)) for id_ in ids],
            next=ids[-1] if len(ids) == query.limit else None,
        )

    async def show_feed(self, asked: Asked) -> FeedShape:
        """See `showFeed`."""
        wanted = asked.path["id"]
        feed = self.in_force().feeds.get(wanted)
        if feed is None:
            raise ApiProblem(404, f"no feed {wanted!r}; `GET /api/feeds` lists them")
        states = await self.feeds.states([wanted])
        return self._feed(feed, states.get(wanted))

    def _feed(self, feed: Feed, state: FeedState | None) -> FeedShape:
        filed = feed.id in self.in_force().filed
        return feed_shape(feed, state, Origin.FILE if filed else Origin.STORE)

    # --- subscribers ---

    async def list_subscribers(self, asked: Asked) -> SubscribersShape:  # noqa: ARG002 - every operation is asked
        """See `listSubscribers`."""
        return SubscribersShape(subscribers=await self._subscribers(None))

    async def subscriber(self, name: str) -> SubscriberShape | None:
        """Return a subscriber, in force or left out."""
        return next(iter(await self._subscribers(name)), None)

    async def _subscribers(self, name: str | None) -> list[SubscriberShape]:
        """Return the subscriber of a name, or all."""
        current = self.in_force()
        wanted = [each for each in current.subscribers if name in (None, each.name)]
        ids = [target.id for each in wanted for target in each.targets]
        standings = await self.ledger.standings(ids)
        shapes = {
            each.name: subscriber_shape(
                each,
                _origin(each.name in current.added),
                standings,
                current.untold.get(each.name, ""),
            )
            for each in wanted
        }
        for other, why in current.untold.items():
            if name in (None, other) and other not in shapes:
                shapes[other] = SubscriberShape(
                    name=other, origin=Origin.STORE, targets=[], error=why
                )
        return [*shapes.values()]

    # --- deliveries ---

    async def list_deliveries(self, asked: Asked) -> DeliveriesShape:
        """See `listDeliveries`."""
        query: DeliveriesQuery = asked.query
        which = DeliveryFilter(state=query.state, target_id=query.target, limit=query.limit)
        found = await self.ledger.find(which)
        return DeliveriesShape(deliveries=[delivery_shape(one) for one in found])

    async def show_delivery(self, asked: Asked) -> DeliveryShape:
        """See `showDelivery`."""
        return await self._delivery(asked.path["id"])

    async def replay(self, asked: Asked) -> DeliveryShape:
        """See `replayDelivery`."""
        wanted = asked.path["id"]
        await self._delivery(wanted)
        await self.ledger.replay(wanted, self.clock.now())
        return await self._delivery(wanted)

    async def _delivery(self, wanted: str) -> DeliveryShape:
        delivery = await self.ledger.get(wanted)
        if delivery is None:
            raise ApiProblem(404, f"no delivery {wanted!r}; `GET /api/deliveries` lists them")
        return delivery_shape(delivery, await self.ledger.attempts(wanted))

    # --- silences ---

    async def list_silences(self, asked: Asked) -> SilencesShape:  # noqa: ARG002 - every operation is asked
        """See `listSilences`."""
        roster, now = Roster(self.registry, SILENCES), self.clock.now()
        await roster.refresh()
        in_order = sorted(roster.values.values(), key=lambda each: (each.ends_at, each.id))
        return SilencesShape(silences=[silence_shape(each, now) for each in in_order])

    async def add_silence(self, asked: Asked) -> SilenceShape:
        """See `addSilence`."""
        body: SilenceBody = asked.body
        now = self.clock.now()
        starts_at = body.starts_at or now
        if not now < body.ends_at <= starts_at + _LONGEST_SILENCE or starts_at >= body.ends_at:
            raise ApiProblem(
                422, "a silence ends in the future, after it begins, and lasts a year at most"
            )
        try:
            matchers = parse_matchers(body.matchers)
        except MatcherError as error:
            raise ApiProblem(422, f"matchers: {error}") from None
        silence = new_silence(
            matchers,
            starts_at=starts_at,
            ends_at=body.ends_at,
            author=body.author,
            comment=body.comment,
        )
        await self._keep(silence)
        return silence_shape(silence, now)

    async def expire_silence(self, asked: Asked) -> Nothing:
        """See `expireSilence`."""
        record = await self.registry.get(RecordKind.SILENCE, asked.path["id"])
        if record is None:
            raise ApiProblem(404, f"no silence {asked.path['id']!r}")
        await self._keep(expired(SILENCES.decode(record.value), self.clock.now()))
        return Nothing()

    async def _keep(self, silence: Silence) -> None:
        draft = Draft(
            id=silence.id, value=SILENCES.encode(silence), expires_at=silence.ends_at + _KEPT_AFTER
        )
        await self.registry.put(RecordKind.SILENCE, draft, self.clock.now())

    # --- operate ---

    async def reload_now(self, asked: Asked) -> ReloadShape:  # noqa: ARG002 - every operation is asked
        """See `reload`."""
        return ReloadShape(problems=await self.reload())

    def kept(self) -> Archive:
        """Return the archive, or raise `ApiProblem` where there is none."""
        if self.archive is None:
            raise ApiProblem(404, "nothing is archived: `archive.enabled` is false in monitor.yaml")
        return self.archive


def _origin(in_store: bool) -> Origin:
    return Origin.STORE if in_store else Origin.FILE


def _checked(query: str, rules: RuleSet) -> str:
    """Return a query in canonical form, or raise `QueryError`."""
    _, expression, _ = rules.alone(Rule(id="check", query=query))
    return to_text(expression)
