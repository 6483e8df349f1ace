"""A worker is killed before or after the first calls of every operation; another takes over; nothing is lost."""

import pytest

from tests.crash.points import CrashPoint, operations
from tests.crash.stage import Worker, audit, write_config
from tests.servers.newsroom import Newsroom, Story
from tests.wait import wait_until

POINTS = [
    CrashPoint(operation, when, nth)
    for operation in operations()
    for when in ("before", "after")
    for nth in (1, 2)
]
# At a kill a deliverer has at most two sends in flight for each of the three targets.
IN_FLIGHT = 6


@pytest.mark.parametrize("point", POINTS, ids=str)
async def test_killed_at_any_operation_nothing_is_lost_and_repeats_keep_their_id(
    point, empty_server_url, tmp_path
):
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks"), Story(2, "weather"), Story(3, "talks and vote")]
        newsroom.feeds["two"] = [Story(4, "vote")]
        config = write_config(tmp_path / "config", newsroom, empty_server_url)
        first = Worker(config, "--crash", str(point))
        await first.start()
        await wait_until(first.killed, f"the worker dies at {point}")
        newsroom.feeds["one"] += [Story(5, "talks again")]
        second = Worker(config, "--ahead", "3600")
        await second.start()
        try:
            await audit(newsroom)
        finally:
            await second.stop()
        assert newsroom.repeats() <= IN_FLIGHT
