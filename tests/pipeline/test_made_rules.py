"""Rules that people make while the system runs, in two programs on one store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from monitor.app.program import Program
from monitor.app.ruledesk import RuleDesk
from monitor.config.load import load
from monitor.core.made import Made
from monitor.errors import HeldError
from monitor.ports import Draft, RecordKind
from monitor.registry import FEEDS
from monitor.telemetry import Metrics
from tests import configuration
from tests.factories import NOW, article, feed
from tests.pipeline.stage import Pipeline, pipeline

RULES = {"talks": "talks"}
FLOODS = Made(settings={"query": "flood*", "severity": "critical"})


@asynccontextmanager
async def two(directory: Path, url: str) -> AsyncIterator[tuple[Pipeline, RuleDesk, Pipeline]]:
    """One program in which rules are made, with its desk, and another that follows."""
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(pipeline(directory / name, url, rules=RULES))
            for name in ("one", "two")
        ]
        yield opened[0], RuleDesk(opened[0].program, opened[0].parts), opened[1]


async def found(one: Pipeline, title: str) -> set[str]:
    rules = one.program.settings.rule_set
    return {
        each.rule_id for each in await asyncio.to_thread(rules.match, article(title=title), NOW)
    }


async def reload(one: Pipeline, directory: Path, **rules: str) -> None:
    def written() -> Path:
        return configuration.write(directory, rules=rules)

    where = await asyncio.to_thread(written)
    standing = one.program.files.rulebase
    await one.program.use(await asyncio.to_thread(load, where, {}, standing))


async def test_a_rule_made_in_one_program_matches_in_the_other_until_it_is_removed(
    tmp_path: Path, empty_server_url: str
) -> None:
    async with two(tmp_path, empty_server_url) as (one, desk, other):
        standing = other.program.settings.rule_set
        lanes = one.program.deliverer._lanes
        await desk.put("floods", FLOODS)
        assert one.program.deliverer._lanes is lanes
        assert await found(one, "Floods and talks") == {"floods", "talks"}
        assert await found(other, "Floods and talks") == {"talks"}
        assert await other.program.following.step() == 1
        assert await found(other, "Floods and talks") == {"floods", "talks"}
        assert other.program.settings.rule_set is standing  # changed, not compiled again
        await desk.put("floods", Made(settings={"query": "deluge", "shadow": True}))
        await other.program.following.step()
        assert await found(other, "Floods") == set()
        assert await found(other, "A deluge") == {"floods"}
        assert other.program.settings.routing.shadow == {"floods"}
        await desk.remove("floods")
        await other.program.following.step()
        assert await found(other, "A deluge") == set()
        assert await other.program.following.step() == 0


async def test_rules_that_were_made_are_in_force_before_the_first_article_is_read(
    tmp_path: Path, empty_server_url: str
) -> None:
    async with two(tmp_path, empty_server_url) as (_, desk, other):
        await desk.put("floods", FLOODS)
        stop = asyncio.Event()
        stop.set()
        await other.program.run(stop)
        assert await found(other, "Floods") == {"floods"}


async def test_a_reload_keeps_rules_that_were_made_and_leaves_out_what_it_takes_the_ground_from(
    tmp_path: Path, empty_server_url: str
) -> None:
    async with two(tmp_path, empty_server_url) as (one, desk, _):
        await desk.put("floods", FLOODS)
        await desk.put("peace", Made(settings={"query": "@talks AND peace"}))
        await reload(one, tmp_path / "one", vote="vote*", talks="talks")
        assert await found(one, "Peace talks, floods, votes") == {
            "floods",
            "peace",
            "talks",
            "vote",
        }
        await reload(one, tmp_path / "one", vote="vote*")
        assert await found(one, "Peace talks, floods, votes") == {"floods", "vote"}
        assert "talks" in one.program.settings.rulebase.left_out["peace"].why
        await reload(one, tmp_path / "one", vote="vote*", talks="talks")
        assert await found(one, "Peace talks, floods, votes") == {
            "floods",
            "peace",
            "talks",
            "vote",
        }


async def test_a_file_takes_an_id_over_and_gives_it_back(
    tmp_path: Path, empty_server_url: str
) -> None:
    async with two(tmp_path, empty_server_url) as (one, desk, _):
        await desk.put("floods", FLOODS)
        await reload(one, tmp_path / "one", talks="talks", floods="tide*")
        assert await found(one, "Floods") == set()
        assert await found(one, "Tides") == {"floods"}
        with pytest.raises(HeldError, match=r"stands in .*rules\.yaml:\d+"):
            await desk.remove("floods")
        await reload(one, tmp_path / "one", talks="talks")
        assert await found(one, "Floods") == {"floods"}


@pytest.mark.parametrize("service", ["web", "poller"])
async def test_a_program_knows_the_feeds_that_are_added_whatever_it_does(
    tmp_path: Path, empty_server_url: str, service: str
) -> None:
    async with pipeline(tmp_path, empty_server_url, rules=RULES) as one:
        program = Program(
            one.settings, one.parts, one.outside, Metrics(), only=frozenset({service})
        )
        added = Draft(id="added", value=FEEDS.encode(feed(id="added")))
        await one.parts.registry.put(RecordKind.FEED, added, NOW)
        stop = asyncio.Event()
        stop.set()
        await program.run(stop)
        assert "added" in program.listing.feeds
