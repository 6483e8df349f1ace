"""Takes chapters of what was seen and decided, and keeps them in the archive."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

import structlog

from monitor.core.canary import CANARY
from monitor.core.chapter import Chapter
from monitor.ports import Archive, ArchiveLog, Clock, Entry, Linguist
from monitor.services.service import IDLE, Service
from monitor.telemetry import Metrics

_BATCH = 256
_TIDY_EVERY = timedelta(minutes=10)

log = structlog.get_logger()


class ArchiverService(Service):
    """Records in, archive out.

    A batch is archived before it is finished, so that a crash in between archives it again, which changes nothing.
    While the archive cannot be used a batch is held, and the rest waits in the log.
    """

    name: ClassVar = "archiver"

    def __init__(
        self,
        chapters: ArchiveLog,
        archive: Archive,
        clock: Clock,
        metrics: Metrics,
        *,
        linguist: Linguist,
        keep: timedelta,
    ) -> None:
        """Keep everything for `keep`."""
        super().__init__(metrics)
        self._records = chapters
        self._archive = archive
        self._clock = clock
        self._linguist = linguist
        self._keep = keep
        self._held: Sequence[Entry[Chapter]] = ()
        self._tidy_at: datetime | None = None

    async def step(self) -> int:
        """Archive a batch; from time to time delete what is too old."""
        if not self._held:
            self._held = await self._records.read(_BATCH, IDLE)
        if self._held:
            await self._keep_all(self._held)
        count, self._held = len(self._held), ()
        await self._tidy()
        return count

    async def _keep_all(self, entries: Sequence[Entry[Chapter]]) -> None:
        kept = [each.value for each in entries if each.value.article.feed_id != CANARY]
        if kept:
            await self._archive.add(await self._in_their_languages(kept))
        await self._records.done(entries)

    async def _in_their_languages(self, chapters: Sequence[Chapter]) -> Sequence[Chapter]:
        """Tell the languages of what was never to be matched; the poller told all others, before they were."""
        silent = {place: each for place, each in enumerate(chapters) if each.suppressed}
        told = await self._linguist.tell([each.article for each in silent.values()])
        found = {
            place: replace(chapter, article=article)
            for (place, chapter), article in zip(silent.items(), told, strict=True)
        }
        return [found.get(place, chapter) for place, chapter in enumerate(chapters)]

    async def _tidy(self) -> None:
        now = self._clock.now()
        if self._tidy_at and now < self._tidy_at:
            return
        gone = await self._archive.tidy(now - self._keep)
        if gone:
            log.info("archive_tidied", deleted=gone)
        size = await self._archive.size()
        self.metrics.archive_articles.set(size.articles)
        self.metrics.archive_bytes.set(size.bytes)
        self._tidy_at = now + _TIDY_EVERY
