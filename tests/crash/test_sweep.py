"""A worker is killed before or after the first calls of every operation; another takes over; nothing is lost."""

from pathlib import Path

import pytest

from tests.crash.points import CrashPoint, operations
from tests.crash.stage import audit, working, write_config
from tests.servers.newsroom import Newsroom, Story
from tests.wait import wait_until

SELDOM = {
    "feeds.sync",
    "ledger.arrange",
    "health.tidy",
    "health.census",
}  # once at the start, or every fifteen seconds
POINTS = [
    CrashPoint(operation, when, nth)
    for operation in operations()
    for when in ("before", "after")
    for nth in ((1,) if operation in SELDOM else (1, 2))
]
# At a kill a deliverer has at most two sends in flight for each of the three targets.
IN_FLIGHT = 6


@pytest.mark.parametrize("point", POINTS, ids=str)
async def test_killed_at_any_operation_nothing_is_lost_and_repeats_keep_their_id(
    point: CrashPoint, empty_server_url: str, tmp_path: Path
) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks"), Story(2, "weather"), Story(3, "talks and vote")]
        newsroom.feeds["two"] = [Story(4, "vote")]
        newsroom.refusals = 2 if point.operation == "ledger.set_health" else 0
        config = write_config(tmp_path / "config", newsroom, empty_server_url)
        async with working(config, "--crash", str(point)) as first:
            await wait_until(first.killed, f"the worker dies at {point}", 60)
        newsroom.feeds["one"] += [Story(5, "talks again")]
        async with working(config, "--ahead", "3600"):
            await audit(newsroom)
        assert newsroom.repeats() <= IN_FLIGHT
