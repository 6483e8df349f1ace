import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.archive.sqlite import SqliteArchive, _indexes, open_sqlite
from monitor.core.chapter import Chapter
from monitor.core.narrowing import narrow_to
from monitor.core.outcome import Suppression
from monitor.core.query.expression import Attribute
from monitor.errors import ArchiveError
from monitor.feeds.linguist import ModelLinguist
from monitor.ports import Page
from monitor.services.archiver import ArchiverService
from monitor.streams.memory import MemoryArchiveLog, MemoryStore
from monitor.telemetry import Metrics
from tests.clock import StandingClock
from tests.factories import NOW, article, match

DAY = timedelta(days=1)


class Stage:
    """An archiver over a store in memory and an archive on disk."""

    def __init__(self, archive: SqliteArchive) -> None:
        self.archive = archive
        self.store = MemoryStore(archive=100)
        self.clock = StandingClock()
        self.metrics = Metrics()
        self.service = ArchiverService(
            MemoryArchiveLog(self.store),
            archive,
            self.clock,
            self.metrics,
            linguist=ModelLinguist(),
            keep=30 * DAY,
        )

    async def archived(self) -> list[str]:
        return [kept.article.id for kept in await self.archive.page(Page())]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_sqlite(tmp_path / "archive.sqlite") as archive:
        yield Stage(archive)


async def test_records_are_archived_and_finished(stage: Stage) -> None:
    stage.store.keep(Chapter(article=article(), matches=(match(),)))
    stage.store.keep(Chapter(article=article(id="a2")))
    assert await stage.service.step() == 2
    assert await stage.archived() == ["a2", "a1"]
    assert not stage.store.archive.entries


async def test_what_was_kept_back_is_archived_in_the_language_that_it_is_in(stage: Stage) -> None:
    russian = article(title="Министры обсудили вопросы", summary="", body="", lang="en")
    stage.store.keep(Chapter(article=russian, suppressed=Suppression.BASELINE))
    await stage.service.step()
    [kept] = await stage.archive.page(Page())
    assert (kept.article.lang, kept.suppressed) == ("ru", Suppression.BASELINE)


async def test_what_is_past_its_time_is_deleted(stage: Stage) -> None:
    stage.store.keep(Chapter(article=article(seen_at=NOW - 31 * DAY)))
    stage.store.keep(Chapter(article=article(id="a2", seen_at=NOW - 29 * DAY)))
    await stage.service.step()
    assert await stage.archived() == ["a2"]
    assert stage.metrics.archive_articles._value.get() == 1
    assert stage.metrics.archive_bytes._value.get() > 0


async def test_the_archive_is_not_tidied_at_every_turn(stage: Stage) -> None:
    stage.store.keep(Chapter(article=article()))
    await stage.service.step()
    stage.store.keep(Chapter(article=article(id="a2", seen_at=NOW - 31 * DAY)))
    await stage.service.step()
    assert await stage.archived() == ["a2", "a1"]


async def test_a_batch_is_held_while_the_archive_cannot_be_used(tmp_path: Path) -> None:
    place = tmp_path / "archive.sqlite"
    place.mkdir()
    stage = Stage(SqliteArchive(place))
    stage.store.keep(Chapter(article=article()))
    for _ in range(2):
        with pytest.raises(ArchiveError, match=r"archive\.sqlite cannot be used"):
            await stage.service.step()
    place.rmdir()
    await stage.archive.open()
    assert await stage.service.step() == 1
    assert await stage.archived() == ["a1"]
    assert not stage.store.archive.entries
    await stage.archive.close()


def drop_indexes(db: sqlite3.Connection) -> None:
    for index in _indexes(db):
        db.execute(f"DROP TABLE {index}")


async def test_an_archive_of_an_earlier_release_is_indexed_anew(tmp_path: Path) -> None:
    place = tmp_path / "archive.sqlite"
    async with open_sqlite(place) as archive:
        await archive.add(
            [Chapter(article=article(id=f"a{n}", seen_at=NOW + n * DAY)) for n in (0, 1)]
        )
        await archive._write(drop_indexes)
        await archive._writer.run(lambda db: db.execute("PRAGMA user_version=1"))
    async with open_sqlite(place) as archive:
        wanted = Page(narrowing=narrow_to(Attribute.FEED, article().feed_id))
        assert [kept.article.id for kept in await archive.page(wanted)] == ["a1", "a0"]


async def test_an_archive_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "archive.sqlite"
    async with open_sqlite(place) as archive:
        await archive._writer.run(lambda db: db.execute("PRAGMA user_version=99"))
    with pytest.raises(ArchiveError, match="newer release"):
        async with open_sqlite(place):
            pass
