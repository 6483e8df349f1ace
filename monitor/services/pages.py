"""Reads the pages of articles before they are recorded, within bounds, and never keeps an article for want of one."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog

from monitor.core.fulltext import MOST_PAGES, MOST_TIME, PageOutcome, PageText, lacking, with_page
from monitor.core.model import Article, Feed
from monitor.core.schedule import restraint_after
from monitor.ports import Clock, Pages, Turns
from monitor.telemetry import Metrics

log = structlog.get_logger()


class PageReading:
    """Completes the articles of a poll. At most `places` polls do so at once: the rest go on as they are.

    So slow pages take up no more than that of the poller, and other feeds are polled in time.
    """

    def __init__(
        self, pages: Pages, turns: Turns, clock: Clock, metrics: Metrics, *, places: int
    ) -> None:
        """Read nothing that only rules would need, until they are said to read bodies.

        Each page waits for a turn of its domain, among the polls of its feeds.
        """
        self._pages = pages
        self._turns = turns
        self._clock = clock
        self._metrics = metrics
        self._free = places
        self._rules_read_body = False

    def use(self, *, rules_read_body: bool) -> None:
        """Take whether some rule asks for the body of articles."""
        self._rules_read_body = rules_read_body

    async def complete(self, feed: Feed, articles: Sequence[Article]) -> tuple[Article, ...]:
        """Return the articles, with the texts of their pages where they are wanted and can be had."""
        wanted = lacking(feed, articles, rules_read_body=self._rules_read_body)
        if not wanted:
            return tuple(articles)
        if not self._free:
            self._count(PageOutcome.BUSY, len(wanted))
            return tuple(articles)
        self._free -= 1
        try:
            return await self._read(feed, list(articles), wanted)
        finally:
            self._free += 1

    async def _read(
        self, feed: Feed, articles: list[Article], wanted: Sequence[int]
    ) -> tuple[Article, ...]:
        done, why = 0, PageOutcome.TOO_MANY
        latest = self._clock.now() + MOST_TIME
        try:
            async with asyncio.timeout(MOST_TIME.total_seconds()):
                for place in wanted[:MOST_PAGES]:
                    page = await self._ask(feed, articles[place].url, latest)
                    articles[place] = with_page(articles[place], page)
                    done += 1
                    self._count(page.outcome, 1)
                    if page.outcome is not PageOutcome.EXTRACTED:
                        url, detail = articles[place].url, page.detail
                        log.info("page_not_read", url=url, outcome=page.outcome, detail=detail)
                    if page.ends:
                        why = PageOutcome.NOT_FETCHED
                        break
        except TimeoutError:
            why = PageOutcome.OUT_OF_TIME
        self._count(why, len(wanted) - done)
        return tuple(articles)

    async def _ask(self, feed: Feed, url: str, latest: datetime) -> PageText:
        """Read a page in its turn, and have all requests to its domain heed how that was taken."""
        await self._wait_for_turn(feed, url, latest)
        page, now = await self._pages.read(feed, url), self._clock.now()
        restraint = restraint_after(feed, page.reason, page.retry_after, now)
        well = page.outcome is not PageOutcome.NOT_FETCHED
        await self._turns.answered(feed, url, restraint, well=well, now=now)
        return page

    async def _wait_for_turn(self, feed: Feed, url: str, latest: datetime) -> None:
        """Return when the page may be asked for; raise `TimeoutError` when that is too late."""
        now = self._clock.now()
        at = await self._turns.turn(feed, url, now, latest)
        if at is None:
            raise TimeoutError
        await asyncio.sleep((at - now).total_seconds())

    def _count(self, outcome: PageOutcome, pages: int) -> None:
        if pages:
            self._metrics.full_text.labels(outcome).inc(pages)
