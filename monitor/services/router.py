"""Takes matched articles, publishes the matches, and makes a delivery for each target that is to be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import structlog

from monitor.core.model import Alert, Article, ArticleKind, MatchedArticle
from monitor.core.outcome import Suppression
from monitor.core.routing import Route, route
from monitor.ports import Clock, DeliveryLedger, Entry, MatchLog, PublicStream
from monitor.services.service import EntryService
from monitor.telemetry import Metrics

TOLD_RETENTION = timedelta(days=30)  # the ledger remembers for so long who was told of what

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingTable:
    """Who is told of what: the tree of routes, and the ids of each subscriber's targets that are switched on."""

    tree: Route
    targets: Mapping[str, Sequence[str]]


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
        table: RoutingTable,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """Route by `table` until another is put in use."""
        super().__init__(metrics)
        self._matches = matches
        self._public = public
        self._ledger = ledger
        self._table = table
        self._clock = clock

    def use(self, table: RoutingTable) -> None:
        """Route by `table` from the next article on."""
        self._table = table

    async def _read(self, limit: int, wait: timedelta) -> Sequence[Entry[MatchedArticle]]:
        return await self._matches.read(limit, wait)

    async def _handle(self, entry: Entry[MatchedArticle]) -> None:
        matched = entry.value
        article, now = matched.article, self._clock.now()
        with structlog.contextvars.bound_contextvars(trace=article.trace_id, article=article.id):
            if _is_old_edit(article, now):
                self._suppress(Suppression.OLD_EDIT)
            else:
                await self._public.publish(matched, now)
                await self._tell(matched, now)
            await self._matches.done(entry)

    async def _tell(self, matched: MatchedArticle, now: datetime) -> None:
        routed = route(self._table.tree, matched)
        for match in routed.unrouted:
            self._suppress(Suppression.NO_ROUTE, rule=match.rule_id)
        for subscriber, matches in routed.alerts:
            alert = Alert(
                subscriber=subscriber, article=matched.article, matches=matches, created_at=now
            )
            targets = self._table.targets.get(subscriber, ())
            if not targets:
                self._suppress(Suppression.NO_TARGET, subscriber=subscriber)
            for target_id in targets:
                delivery_id = await self._ledger.enqueue(alert, target_id, now)
                if delivery_id is None:
                    self._suppress(Suppression.ALREADY_TOLD, target=target_id)
                else:
                    log.info("delivery_enqueued", delivery=delivery_id, target=target_id)

    def _suppress(self, reason: Suppression, **context: str) -> None:
        self.metrics.suppressed.labels(reason).inc()
        log.info("alert_suppressed", reason=reason, **context)


def _is_old_edit(article: Article, now: datetime) -> bool:
    """Whether this is an edit of an article so old that the ledger has forgotten whom it told of it."""
    return (
        article.kind is ArticleKind.EDITED
        and article.published_at is not None
        and now - article.published_at > TOLD_RETENTION
    )
