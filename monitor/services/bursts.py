"""Notices that a rule finds far more than it usually does."""

from datetime import datetime

import structlog

from monitor.core.burst import Least, burst_in, slot_of
from monitor.core.model import MatchedArticle
from monitor.core.notice import is_our_own, rule_burst
from monitor.core.stories import story_of
from monitor.ports import Habits
from monitor.telemetry import Metrics

log = structlog.get_logger()


class Bursts:
    """Counts what rules find and tells of bursts, as an article of our own that is matched and routed as any other.

    An article that is counted again, after a crash, counts once; and a burst of which it is told is told once.
    """

    def __init__(self, habits: Habits, metrics: Metrics) -> None:
        """Count with `habits`."""
        self._habits = habits
        self._metrics = metrics

    async def watch(self, matched: MatchedArticle, least: Least, now: datetime) -> None:
        """Count an article for each of its rules, and tell of those that have a burst now."""
        article, slot = matched.article, slot_of(matched.article)
        if slot is None or is_our_own(article.feed_id):
            return
        story = story_of(article)
        tallies = await self._habits.count(
            matched.matches, slot, story, article.feed_id, least.stories
        )
        for match in matched.matches:
            tally = tallies.get(match.rule_id)
            burst = burst_in(tally, least) if tally else None
            if burst is None:
                continue
            notice = rule_burst(match, burst, now)
            if await self._habits.tell(match, burst.slot, notice):
                self._metrics.rule_bursts.inc()
                log.info("rule_burst_noticed", rule=match.rule_id, what=notice.title)
