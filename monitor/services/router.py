"""Takes matched articles, publishes the matches, and makes a delivery for each target that is to be told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

import structlog

from monitor.core.canary import waited
from monitor.core.chapter import Chapter, Decision
from monitor.core.inhibition import Source, asked
from monitor.core.localtime import to_the_minute
from monitor.core.matchers import Subject
from monitor.core.model import Alert, Article, ArticleKind, DeliveryState, MatchedArticle
from monitor.core.outcome import Suppression
from monitor.core.telling import (
    Answer,
    Circumstances,
    Message,
    RoutingTable,
    Suppressed,
    aloud,
    answers,
    messages,
    own_traces,
)
from monitor.errors import CodecError
from monitor.ports import (
    Clock,
    DeliveryLedger,
    Draft,
    Entry,
    Habits,
    MatchLog,
    PublicStream,
    Record,
    RecordKind,
    Registry,
)
from monitor.registry import SOURCES
from monitor.services.bursts import Bursts
from monitor.services.headlines import Headlines
from monitor.services.service import EntryService
from monitor.services.wishes import Wishes
from monitor.telemetry import Metrics
from monitor.tracing import hop

TOLD_RETENTION = timedelta(days=30)  # the ledger remembers for so long who was told of what

log = structlog.get_logger()


class RouterService(EntryService[MatchedArticle]):
    """Matched articles in, deliveries and public entries out.

    Both are idempotent and the entry is finished after them, so that a crash in between repeats the turn and tells
    nobody twice.
    """

    name: ClassVar = "router"

    def __init__(
        self,
        matches: MatchLog,
        public: PublicStream,
        ledger: DeliveryLedger,
        registry: Registry,
        habits: Habits,
        table: RoutingTable,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """Route by `table` until another is put in use, and by the silences and choices in the registry."""
        super().__init__(metrics)
        self._matches = matches
        self._public = public
        self._ledger = ledger
        self._registry = registry
        self._wishes = Wishes(registry)
        self._headlines = Headlines(registry)
        self._bursts = Bursts(habits, metrics)
        self._table = table
        self._clock = clock

    def use(self, table: RoutingTable) -> None:
        """Route by `table` from the next article on."""
        self._table = table

    async def _read(self, limit: int, wait: timedelta) -> Sequence[Entry[MatchedArticle]]:
        entries = await self._matches.read(limit, wait)
        if entries:  # after the wait: what was silenced meanwhile is silenced
            await self._wishes.refresh()
        return entries

    async def _handle(self, entry: Entry[MatchedArticle]) -> None:
        matched = entry.value
        article, now = matched.article, self._clock.now()
        with hop("route", article.trace_id, article=article.id):
            delay = waited(article, now)
            decisions: list[Decision] = []
            if delay is not None:
                self.metrics.canary.observe(delay.total_seconds())
            elif _is_old_edit(article, now):
                rules = tuple(match.rule_id for match in matched.matches)
                decisions = [self._suppress(Suppression.OLD_EDIT, *rules)]
            else:
                article = await self._headlines.compared(article, now)
                matched = replace(matched, article=article)
                heard = aloud(self._table, matched)
                if heard.matches:
                    await self._public.publish(heard, now)
                decisions = await self._tell(matched, now)
                if self._table.bursts:
                    await self._bursts.watch(heard, self._table.bursts, now)
            chapter = Chapter(article=article, decisions=tuple(decisions), decided_at=now)
            await self._matches.done(entry, chapter)

    async def _tell(self, matched: MatchedArticle, now: datetime) -> list[Decision]:
        around = await self._circumstances(aloud(self._table, matched), now)
        given = tuple(answers(self._table, around, matched, now))
        decisions = [
            self._tell_suppressed(answer, answer.decision)
            for answer in given
            if isinstance(answer.decision, Suppressed)
        ]
        told = [await self._enqueue(each, matched.article, now) for each in messages(given)]
        return [*decisions, *told]

    async def _circumstances(self, matched: MatchedArticle, now: datetime) -> Circumstances:
        """Leave a trace of what inhibits others, then look for what inhibits these."""
        rules, remembered = self._table.inhibit, dict[str, datetime]()
        for trace, at in own_traces(rules, matched, now).items():
            remembered[trace.key] = at
            value = SOURCES.encode(Source(at))
            draft = Draft(id=trace.key, value=value, expires_at=at + trace.window)
            await self._registry.put(RecordKind.INHIBITION, draft, now)
        subjects = (Subject(matched.article, match) for match in matched.matches)
        keys = {key for subject in subjects for key in asked(rules, subject)}
        for key in keys - remembered.keys():
            record = await self._registry.get(RecordKind.INHIBITION, key)
            came_at = _came_at(record) if record else None
            if came_at:
                remembered[key] = came_at
        return Circumstances(
            silences=self._wishes.silences,
            choices=self._wishes.choices,
            remembered=remembered,
        )

    async def _enqueue(self, message: Message, article: Article, now: datetime) -> Decision:
        alert = Alert(
            subscriber=message.subscriber,
            article=article,
            matches=message.matches,
            created_at=now,
        )
        target_id, hold = message.target_id, message.hold
        delivery_id = await self._ledger.enqueue(alert, target_id, now, hold)
        rules = tuple(match.rule_id for match in message.matches)
        if delivery_id is None:
            return self._suppress(
                Suppression.ALREADY_TOLD, *rules, subscriber=message.subscriber, target=target_id
            )
        decided = Decision(
            rule_ids=rules,
            subscriber=message.subscriber,
            target_id=target_id,
            delivery_id=delivery_id,
        )
        delivery = await self._ledger.get(delivery_id) if hold else None
        if hold and delivery and delivery.state is DeliveryState.HELD:
            self.metrics.held.labels(hold.reason).inc()
            log.info(
                "delivery_held",
                delivery=delivery_id,
                target=target_id,
                reason=hold.reason,
                detail=hold.detail,
                until=delivery.due_at.isoformat(),
            )
            until = to_the_minute(delivery.due_at, self._table.zone_of(message.subscriber))
            said = f"{hold.detail}, until {until}"
            return replace(decided, held=hold.reason, detail=said)
        log.info("delivery_enqueued", delivery=delivery_id, target=target_id)
        return decided

    def _tell_suppressed(self, answer: Answer, why: Suppressed) -> Decision:
        return self._suppress(
            why.reason,
            answer.match.rule_id,
            detail=why.detail,
            route=answer.path[-1].title,
            subscriber=answer.subscriber,
            target=answer.target_id,
        )

    def _suppress(
        self,
        reason: Suppression,
        *rules: str,
        subscriber: str = "",
        target: str = "",
        route: str = "",
        detail: str = "",
    ) -> Decision:
        self.metrics.suppressed.labels(reason).inc()
        decided = Decision(
            rule_ids=rules,
            subscriber=subscriber,
            target_id=target,
            route=route,
            suppressed=reason,
            detail=detail,
        )
        context = {
            "rules": rules,
            "subscriber": subscriber,
            "target": target,
            "route": route,
            "detail": detail,
        }
        log.info("alert_suppressed", reason=reason, **{k: v for k, v in context.items() if v})
        return decided


def _came_at(record: Record) -> datetime | None:
    """Return when a source came; None if this release cannot read it, so that nothing is kept back without a reason."""
    try:
        return SOURCES.decode(record.value).came_at
    except CodecError as error:
        log.warning("record_not_read", kind=SOURCES.kind, record=record.id, error=str(error))
        return None


def _is_old_edit(article: Article, now: datetime) -> bool:
    """Whether this is an edit of an article so old that the ledger has forgotten whom it told of it."""
    return (
        article.kind is ArticleKind.EDITED
        and article.published_at is not None
        and now - article.published_at > TOLD_RETENTION
    )
