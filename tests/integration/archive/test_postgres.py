import asyncio
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import psycopg
import pytest

from monitor.archive.postgres import PostgresArchive, open_postgres
from monitor.core.chapter import Chapter, Decision
from monitor.core.narrowing import HasWord
from monitor.errors import ArchiveError
from monitor.feeds.linguist import ModelLinguist
from monitor.ports import Page
from monitor.services.archiver import ArchiverService
from monitor.streams.memory import MemoryArchiveLog, MemoryStore
from monitor.telemetry import Metrics
from tests.clock import StandingClock
from tests.factories import NOW, article, match
from tests.servers.postgres import PostgresServer
from tests.wait import wait_until

CHAPTERS = [
    Chapter(article=article(id=f"a{n}"), matches=(match(article_id=f"a{n}"),)) for n in range(40)
]
IDS = sorted(each.article.id for each in CHAPTERS)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"

WRITER = """
import asyncio, sys
from monitor.archive.postgres import open_postgres
from monitor.feeds.linguist import ModelLinguist
from tests.integration.archive.test_postgres import CHAPTERS

async def main():
    async with open_postgres(sys.argv[1]) as archive:
        await archive.add(CHAPTERS)

asyncio.run(main())
"""


async def ids(archive: PostgresArchive) -> list[str]:
    return sorted(kept.article.id for kept in await archive.page(Page(limit=1000)))


@contextmanager
def matches_locked(server: PostgresServer) -> Iterator[None]:
    """Have every batch wait between its articles and their matches."""
    with closing(psycopg.connect(server.url)) as db:
        db.execute("LOCK TABLE monitor_matches IN ACCESS EXCLUSIVE MODE")
        yield


def somebody_waits(server: PostgresServer) -> bool:
    with psycopg.connect(server.url) as db:
        row = db.execute(WAITING).fetchone()
    return row is not None and row[0] > 0


async def test_a_batch_whose_writer_is_killed_is_not_there_and_is_written_again(
    postgres: PostgresServer,
) -> None:
    async with open_postgres(postgres.url) as archive:
        assert await ids(archive) == []
        with matches_locked(postgres):
            writer = await asyncio.create_subprocess_exec(
                sys.executable, "-c", WRITER, postgres.url
            )
            await wait_until(partial(somebody_waits, postgres), "the writer is amid its batch", 30)
            writer.kill()
            await writer.wait()
        assert await ids(archive) == []
        await archive.add(CHAPTERS)
        assert await ids(archive) == IDS


async def test_a_server_that_crashes_amid_a_batch_and_comes_back_has_all_of_it_once(
    postgres: PostgresServer,
) -> None:
    store = MemoryStore(archive=1000)
    for each in CHAPTERS:
        store.keep(each)
    async with open_postgres(postgres.url) as archive:
        assert await ids(archive) == []  # so that both connections are lost
        service = ArchiverService(
            MemoryArchiveLog(store),
            archive,
            StandingClock(),
            Metrics(),
            linguist=ModelLinguist(),
            keep=timedelta(days=30),
        )
        with matches_locked(postgres):
            async with asyncio.TaskGroup() as group:
                step = group.create_task(refused(service))
                await wait_until(partial(somebody_waits, postgres), "the batch is under way", 30)
                postgres.crash()
        assert "cannot be used" in step.result()
        assert len(store.archive.entries) == len(CHAPTERS)
        postgres.start()
        assert await service.step() == len(CHAPTERS)
        assert await ids(archive) == IDS
        assert not store.archive.entries


async def refused(service: ArchiverService) -> str:
    with pytest.raises(ArchiveError) as error:
        await service.step()
    return str(error.value)


async def test_a_lost_connection_is_made_anew_without_an_error(postgres: PostgresServer) -> None:
    async with open_postgres(postgres.url) as archive:
        await archive.add(CHAPTERS)
        assert await ids(archive) == IDS
        postgres.crash()
        postgres.start()
        assert await ids(archive) == IDS
        await archive.add(CHAPTERS)


async def test_a_search_that_is_asked_again_and_again_is_planned_for_its_words(
    postgres: PostgresServer,
) -> None:
    async with open_postgres(postgres.url) as archive:
        for n in range(12):
            await archive.page(Page(narrowing=HasWord(f"word{n}")))
        counted = "SELECT sum(custom_plans), sum(generic_plans) FROM pg_prepared_statements"
        [(custom, generic)] = await archive._reader.rows(counted)
    assert custom > 0
    assert generic == 0


async def test_two_hosts_with_the_same_batch_leave_it_once(postgres: PostgresServer) -> None:
    async with open_postgres(postgres.url) as one, open_postgres(postgres.url) as other:
        async with asyncio.TaskGroup() as group:
            group.create_task(one.add(CHAPTERS))
            group.create_task(other.add(CHAPTERS[::-1]))
        assert await ids(one) == IDS
        assert (await other.matched(NOW - timedelta(days=1)))["talks"] == len(CHAPTERS)


async def test_two_hosts_that_tidy_at_once_delete_each_article_once(
    postgres: PostgresServer,
) -> None:
    decided = [
        replace(each, matches=(), decisions=(Decision(rule_ids=("r",)),), decided_at=NOW)
        for each in CHAPTERS
    ]
    async with open_postgres(postgres.url) as one, open_postgres(postgres.url) as other:
        await one.add([*CHAPTERS, *decided])
        async with asyncio.TaskGroup() as group:
            tidied = [
                group.create_task(each.tidy(NOW + timedelta(days=1))) for each in (one, other)
            ]
        assert sum(each.result() for each in tidied) == len(CHAPTERS)
        assert await ids(one) == []
        assert await one.decided("a0") == []


async def test_hosts_that_open_an_empty_database_at_once_make_its_tables_once(
    postgres: PostgresServer,
) -> None:
    hosts = [PostgresArchive(postgres.url) for _ in range(4)]
    async with asyncio.TaskGroup() as group:
        for each in hosts:
            group.create_task(each.add(CHAPTERS))
    assert await ids(hosts[3]) == IDS
    for each in hosts:
        await each.close()


async def test_an_archive_of_a_newer_release_is_refused(postgres: PostgresServer) -> None:
    async with open_postgres(postgres.url) as archive:
        await archive.size()
    with psycopg.connect(postgres.url) as db:
        db.execute("UPDATE monitor_archive SET format = 99")
    async with open_postgres(postgres.url) as archive:
        for _ in range(2):
            with pytest.raises(ArchiveError, match="newer release"):
                await archive.size()


async def test_a_database_that_cannot_hold_all_text_is_refused(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as db:
        db.execute("DROP DATABASE IF EXISTS narrow")
        db.execute("CREATE DATABASE narrow ENCODING 'LATIN1' TEMPLATE template0")
    async with open_postgres(postgres.url.replace("/postgres?", "/narrow?")) as archive:
        with pytest.raises(ArchiveError, match="is in LATIN1: create it with ENCODING 'UTF8'"):
            await archive.size()


async def test_a_server_that_is_not_there_is_named_and_the_password_is_not() -> None:
    url = "postgresql://somebody:hidden@127.0.0.1:1/news"
    async with open_postgres(url) as archive:
        with pytest.raises(ArchiveError, match=r"PostgreSQL \(127\.0\.0\.1/news\)") as error:
            await archive.size()
    assert "refused" in str(error.value)
    assert "hidden" not in str(error.value)
