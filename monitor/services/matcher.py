"""Takes articles, finds the rules they match, and forwards them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import structlog

from monitor.core.model import Article, Match
from monitor.core.notice import own_matches
from monitor.core.outcome import Suppression
from monitor.ports import ArticleLog, Clock, Entry, Matcher
from monitor.services.service import EntryService
from monitor.telemetry import Metrics
from monitor.tracing import hop

log = structlog.get_logger()


class MatcherService(EntryService[Article]):
    """Articles in, matched articles out. Matching runs in a thread, never on the event loop."""

    name: ClassVar = "matcher"

    def __init__(
        self, articles: ArticleLog, rules: Matcher, clock: Clock, metrics: Metrics
    ) -> None:
        """Match with `rules` until others are put in use."""
        super().__init__(metrics)
        self._articles = articles
        self._rules = rules
        self._clock = clock

    def use(self, rules: Matcher) -> None:
        """Match with `rules` from the next article on."""
        self._rules = rules

    async def _read(self, limit: int, wait: timedelta) -> Sequence[Entry[Article]]:
        return await self._articles.read(limit, wait)

    async def _handle(self, entry: Entry[Article]) -> None:
        article = entry.value
        now = self._clock.now()
        with hop("match", article.trace_id, article=article.id):
            matches = await asyncio.to_thread(self._rules.match, article, now)
            own = own_matches(article)
            if own is not None:
                matches = own
            if await self._articles.forward(entry, matches):
                self._count(article, matches)

    def _count(self, article: Article, matches: tuple[Match, ...]) -> None:
        if not matches:
            self.metrics.suppressed.labels(Suppression.NO_RULE).inc()
            return
        for severity, count in Counter(match.severity for match in matches).items():
            self.metrics.matches.labels(severity).inc(count)
        if article.seen_at:
            waited = self._clock.now() - article.seen_at
            self.metrics.seen_to_matched.observe(waited.total_seconds())
        log.info("article_matched", rules=[match.rule_id for match in matches], title=article.title)
