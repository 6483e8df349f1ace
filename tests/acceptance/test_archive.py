"""Looking back: what a daemon archives, and the commands that ask the archive."""

import asyncio
import csv
import io
import json
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from monitor.archive.sqlite import open_sqlite
from monitor.core.chapter import Chapter
from monitor.core.outcome import Suppression
from tests import configuration
from tests.acceptance.daemon import monitor, running
from tests.crash.stage import audit, write_config
from tests.factories import article, match
from tests.servers.newsroom import Newsroom, Story

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def chapter(number: int, title: str, *rules: str, days_ago: int = 0) -> Chapter:
    at = NOW - days_ago * DAY
    return Chapter(
        article=article(id=f"a{number}", title=title, seen_at=at, published_at=at, summary=""),
        matches=tuple(match(rule_id=rule, article_id=f"a{number}") for rule in rules),
    )


class Desk:
    """A configuration with an archive beside it, and the commands over both."""

    def __init__(self, directory: Path, chapters: Sequence[Chapter]) -> None:
        self.data = directory / "data"
        self.config = configuration.write(
            directory / "config", rules={"talks": "talks", "vote": "vote"}
        )
        asyncio.run(self._fill(chapters))

    async def _fill(self, chapters: Sequence[Chapter]) -> None:
        async with open_sqlite(self.data / "archive.sqlite") as archive:
            await archive.add(chapters)

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return monitor(*words, "--config", self.config, MONITOR_DATA=str(self.data))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(
        tmp_path,
        (
            chapter(5, "=HYPERLINK(talks)", days_ago=20),
            chapter(1, "Talks resume in Geneva", "talks", days_ago=3),
            chapter(2, "Talks resume in Geneva", "talks", days_ago=2),
            chapter(3, "Security Council to vote", "talks", days_ago=1),
            chapter(4, "Talks on fishing fail", days_ago=1),
        ),
    )


def titles(lines: str) -> list[str]:
    return [json.loads(line)["title"] for line in lines.splitlines()]


async def test_what_a_daemon_saw_is_found(tmp_path: Path) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks"), Story(2, "weather")]
        config = write_config(tmp_path / "config", newsroom, str(tmp_path / "data"))
        found: list[dict[str, Any]] = []

        async def search(query: str) -> int:
            done = await asyncio.to_thread(monitor, "search", query, "--json", "--config", config)
            found[:] = [json.loads(line) for line in done.stdout.splitlines()]
            return len(found)

        async with running("--config", config) as daemon:
            await audit(newsroom)
            await wait_for_it(search, "talks")
            await wait_for_it(search, "weather")
            daemon.process.send_signal(signal.SIGKILL)
            await daemon.process.wait()
        assert await search("talks OR weather") == 2
        assert sorted(bool(each["rules"]) for each in found) == [False, True]


async def test_an_article_is_explained_from_the_poll_to_the_attempt(tmp_path: Path) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks")]
        config = write_config(tmp_path / "config", newsroom, str(tmp_path / "data"))
        async with running("--config", config) as daemon:
            delivered = await daemon.wait_for("delivery_delivered")
            by_delivery = await asyncio.to_thread(
                monitor, "explain", delivered["delivery"], "--config", config
            )
            assert f"delivery {delivered['delivery']}" in by_delivery.stdout
            assert "try 1: delivered" in by_delivery.stdout
            matched = await daemon.wait_for("article_matched")

            async def explain(_query: str) -> bool:
                done = await asyncio.to_thread(
                    monitor, "explain", matched["article"], "--config", config
                )
                found[:] = [done.stdout]
                return "routed to" in done.stdout

            found: list[str] = []
            await wait_for_it(explain, "")
        assert f"poll {matched['trace']}" in found[0]
        assert "found by" in found[0]
    unknown = await asyncio.to_thread(monitor, "explain", "unknown", "--config", config)
    assert unknown.returncode == 1
    assert "no article and no delivery 'unknown'" in unknown.stderr


async def wait_for_it(search: Any, query: str) -> None:
    async with asyncio.timeout(40):
        while not await search(query):
            pass


def test_a_search_prints_the_newest_first_with_the_words_found(desk: Desk) -> None:
    done = desk.run("search", "talks AND NOT fishing")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Talks resume in Geneva") == 2
    assert "[Talks]" in done.stdout
    assert "HYPERLINK" not in done.stdout
    assert titles(desk.run("search", "talks", "--json", "--limit", "1").stdout) == [
        "Talks on fishing fail"
    ]
    assert (
        len(titles(desk.run("search", "@vote OR @talks", "--json", "--since", "30d").stdout)) == 5
    )


def test_what_was_there_before_its_feed_is_found_explained_and_no_part_of_a_backtest(
    tmp_path: Path,
) -> None:
    backlog = replace(chapter(1, "Talks of old", days_ago=1), suppressed=Suppression.BASELINE)
    desk = Desk(tmp_path, [backlog, chapter(2, "Talks resume", "talks")])
    found = desk.run("search", "talks", "--json").stdout
    assert titles(found) == ["Talks resume", "Talks of old"]
    explained = desk.run("explain", "a1").stdout
    assert "alerts nobody: baseline, it stood in the first document of its feed" in explained
    tried = desk.run("rules", "backtest", "talks").stdout
    assert "1 of 2 articles" in tried
    assert "0 gained, 0 lost" in tried


def test_a_search_that_finds_nothing_says_so(desk: Desk) -> None:
    done = desk.run("search", "volcano", "--since", "2026-01-15")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "nothing since 2026-01-15 00:00 UTC\n"


def test_a_query_with_a_mistake_is_refused_at_its_place(desk: Desk) -> None:
    done = desk.run("search", "(talks")
    assert done.returncode == 2
    assert "query:1:" in done.stderr
    refused = desk.run("search", "talks", "--since", "last week")
    assert refused.returncode == 2
    assert "is none of 2h, 7d, 2026-12-31" in refused.stderr


def test_without_an_archive_the_commands_say_how_to_get_one(tmp_path: Path) -> None:
    config = configuration.write(tmp_path, monitor={"archive": {"enabled": False}})
    done = monitor("search", "talks", "--config", config)
    assert done.returncode == 1
    assert "archive: {enabled: true}" in done.stderr


def test_a_rule_is_compared_with_what_it_found_when_the_articles_came(desk: Desk) -> None:
    done = desk.run("rules", "backtest", "talks")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 of 4 articles, 2 stories" in done.stdout
    assert "1 gained, 1 lost" in done.stdout
    assert "  Talks on fishing fail" in done.stdout
    assert "  Security Council to vote" in done.stdout
    assert done.stdout.count("█") > 40


def test_a_query_is_compared_with_another_rule(desk: Desk) -> None:
    done = desk.run("rules", "backtest", "talks AND geneva", "--against", "talks", "--limit", "1")
    assert "2 of 4 articles, 1 story" in done.stdout
    assert "0 gained, 1 lost" in done.stdout
    assert desk.run("rules", "backtest", "x", "--against", "none").returncode == 2


def test_the_archive_is_exported(desk: Desk, tmp_path: Path) -> None:
    done = desk.run("export", "--since", "30d")
    assert done.stderr == "5 articles\n"
    assert titles(done.stdout)[-1] == "=HYPERLINK(talks)"
    file = tmp_path / "out.csv"
    done = desk.run("export", file, "--since", "30d", "--format", "csv", "--query", "talks")
    assert (done.stdout, done.stderr) == ("", "4 articles\n")
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["title"] for row in rows][-1] == "'=HYPERLINK(talks)"
    assert rows[-2]["rules"] == "talks"


def test_parquet_is_read_back(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "out.parquet"
    assert desk.run("export", file, "--format", "parquet").returncode == 0
    table = parquet.read_table(file).to_pylist()
    assert [row["id"] for row in table] == ["a4", "a3", "a2", "a1"]
    assert table[1]["rules"] == ["talks"]


def test_rules_are_doubted_by_what_was_archived_lately(tmp_path: Path) -> None:
    desk = Desk(tmp_path, [chapter(n, f"Talks {n}", days_ago=1) for n in range(6)])
    doubted = desk.run("rules", "lint", "--archived")
    assert "the rule 'talks' finds 6 of 6 articles" in doubted.stdout
    assert doubted.stdout.endswith("2 rules, 1 doubt\n")
