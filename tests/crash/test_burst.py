"""A worker is killed around the step that tells of a burst; whoever takes over tells of it once."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.config.load import load
from monitor.core.burst import SLOT, slot_of
from monitor.core.model import Rule
from monitor.core.notice import RULE_BURST
from monitor.streams.habits import StreamHabits
from monitor.streams.public import StreamPublicStream
from monitor.streams.store import Store
from tests.crash.points import CrashPoint
from tests.crash.stage import inherit, working, write_config
from tests.factories import article, match
from tests.servers.newsroom import Newsroom, Story
from tests.wait import wait_until

STORIES = 8
DAY = timedelta(days=1) // SLOT
POINTS = [
    CrashPoint(operation, when, nth)
    for operation, nth in (
        ("habits.count", 4),
        ("habits.count", STORIES),
        ("habits.tell", 1),
        ("matches.done", STORIES),
    )
    for when in ("before", "after")
]


@pytest.mark.parametrize("point", POINTS, ids=str)
async def test_killed_around_a_burst_it_is_told_once(
    point: CrashPoint, store: Store, server_url: str, tmp_path: Path
) -> None:
    async with Newsroom().open() as newsroom:
        config = write_config(tmp_path / "config", newsroom, server_url)
        settings = await asyncio.to_thread(load, config, {})
        await keep_a_habit(store, next(rule for rule in settings.rules if rule.id == "talks"))
        for number in range(STORIES):
            newsroom.feeds["one" if number % 2 else "two"].append(Story(number, "talks"))
        async with working(config, "--crash", str(point)) as first:
            await wait_until(first.killed, f"the worker dies at {point}", 60)
        await inherit(newsroom, store, config)
        assert newsroom.lost() == set()
        published = await StreamPublicStream(store).read("0", 100, timedelta())
        rules = [entry.fields["rule"] for entry in published]
        assert rules.count(RULE_BURST) == 1
        assert rules.count("talks") == STORIES


async def keep_a_habit(store: Store, rule: Rule) -> None:
    """Let a rule have found one story a day at this time of day."""
    now = datetime.now(UTC)
    slot = slot_of(article(published_at=now, seen_at=now))
    assert slot is not None
    found = match(rule_id=rule.id, rule_version=rule.version)
    for day in range(5, 0, -1):
        await StreamHabits(store).count([found], slot - day * DAY, f"day {day}", "one", 1)
