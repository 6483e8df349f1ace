"""The commands and the daemon over an archive in PostgreSQL."""

import asyncio
import csv
import io
import json
import signal
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.archive.postgres import open_postgres
from monitor.core.chapter import Chapter
from tests import configuration
from tests.acceptance.daemon import monitor, running
from tests.crash.stage import audit, write_config
from tests.factories import article, match
from tests.servers.newsroom import Newsroom, Story
from tests.servers.postgres import PostgresServer
from tests.wait import wait_until

NOW = datetime.now(UTC)


def chapter(number: int, title: str, *rules: str) -> Chapter:
    at = NOW - timedelta(days=number)
    return Chapter(
        article=article(id=f"a{number}", title=title, seen_at=at, published_at=at, summary=""),
        matches=tuple(match(rule_id=rule, article_id=f"a{number}") for rule in rules),
    )


async def fill(url: str, chapters: Sequence[Chapter]) -> None:
    async with open_postgres(url) as archive:
        await archive.add(chapters)


@pytest.fixture
def config(tmp_path: Path, postgres: PostgresServer) -> Path:
    """A configuration whose archive is a database with three articles."""
    chapters = (
        chapter(3, "Talks resume in Geneva", "talks"),
        chapter(2, "Security Council to vote", "talks"),
        chapter(1, "Talks on fishing fail"),
    )
    asyncio.run(fill(postgres.url, chapters))
    directory = configuration.write(
        tmp_path / "config",
        rules={"talks": "talks"},
        monitor={
            "store": {"directory": str(tmp_path / "data")},
            "archive": {"url_file": "archive-url"},
        },
    )
    (directory / "archive-url").write_text(postgres.url)
    return directory


def with_database(config: Path, postgres: PostgresServer) -> Path:
    """Let a configuration have its archive in this database."""
    file = config / "monitor.yaml"
    settings = json.loads(file.read_text()) | {"archive": {"url_file": "archive-url"}}
    file.write_text(json.dumps(settings))
    (config / "archive-url").write_text(postgres.url)
    return config


def test_the_commands_that_look_back_ask_the_database(config: Path, tmp_path: Path) -> None:
    def run(*words: str | Path) -> str:
        done = monitor(*words, "--config", config)
        assert done.returncode == 0, done.stderr
        return done.stdout

    found = run("search", "talks", "--json").splitlines()
    assert [json.loads(each)["id"] for each in found] == ["a1", "a3"]
    tried = run("rules", "backtest", "talks")
    assert "2 of 3 articles" in tried
    assert "1 gained, 1 lost" in tried
    run("export", tmp_path / "out.csv", "--format", "csv")
    rows = csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text()))
    assert [row["id"] for row in rows] == ["a1", "a2", "a3"]
    assert "found by" in run("explain", "a3")
    assert not list(tmp_path.glob("data/*.sqlite"))


def test_doctor_and_backup_say_where_the_archive_is(config: Path, tmp_path: Path) -> None:
    looked = monitor("doctor", "--config", config).stdout
    [line] = [each for each in looked.splitlines() if " archive " in each]
    assert "3 articles" in line
    assert line.endswith("in PostgreSQL")
    (tmp_path / "data" / "archive.sqlite").write_bytes(b"of a time before")
    packed = monitor("backup", tmp_path / "all.tar.gz", "--config", config)
    assert packed.returncode == 0, packed.stderr
    assert "archive: not in it; it is in PostgreSQL: back it up with pg_dump" in packed.stdout


async def test_a_daemon_that_starts_while_the_database_is_away_alerts_and_archives_when_it_comes(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks"), Story(2, "weather")]
        config = with_database(
            write_config(tmp_path / "config", newsroom, str(tmp_path / "data")), postgres
        )
        postgres.crash()
        async with running("--config", config) as daemon:
            await audit(newsroom)
            said = await daemon.wait_for("store_unavailable", service="archiver")
            assert "the archive in PostgreSQL" in said["error"]
            postgres.start()
            async with open_postgres(postgres.url) as archive:

                async def both() -> bool:
                    return (await archive.size()).articles == 2

                await wait_until(both, "both articles are archived", 60)


async def test_a_daemon_that_is_killed_leaves_what_it_saw_in_the_database(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks"), Story(2, "weather")]
        config = with_database(
            write_config(tmp_path / "config", newsroom, str(tmp_path / "data")), postgres
        )

        async def both() -> bool:
            return (await archive.size()).articles == 2

        async with (
            running("--config", config) as daemon,
            open_postgres(postgres.url) as archive,
        ):
            await audit(newsroom)
            await wait_until(both, "both articles are archived", 60)
            daemon.process.send_signal(signal.SIGKILL)
            await daemon.process.wait()
        found = await asyncio.to_thread(
            monitor, "search", "talks OR weather", "--json", "--config", config
        )
        assert len(found.stdout.splitlines()) == 2
