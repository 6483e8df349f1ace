"""A worker is killed before or after the first calls of every operation; others take over; nothing is lost."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.core.matchers import parse_matchers
from monitor.core.silences import Silence
from monitor.ports import Draft, RecordKind
from monitor.registry import SILENCES
from monitor.streams.registry import StreamRegistry
from monitor.streams.store import Store
from tests.crash.points import CHANNELS, CrashPoint, operations
from tests.crash.stage import IN_FLIGHT, READ_IN_FLIGHT, Post, inherit, working, write_config
from tests.servers.newsroom import READERS, Newsroom, Story
from tests.wait import wait_until

SELDOM = {
    *("feeds.sync", "ledger.arrange", "health.tidy", "health.census"),
    *("registry.changes", "registry.get"),
    *(f"{kind}.deliver" for kind in CHANNELS if kind != "webhook"),
}  # once at the start or every fifteen seconds; and one of each channel stands for two
POINTS = [
    CrashPoint(operation, when, nth)
    for operation in operations()
    for when in ("before", "after")
    for nth in ((1,) if operation in SELDOM else (1, 2))
]
SILENCED = "weather"


@pytest.mark.parametrize("point", POINTS, ids=str)
async def test_killed_at_any_operation_nothing_is_lost_and_repeats_keep_their_id(
    point: CrashPoint, store: Store, server_url: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        newsroom = await stack.enter_async_context(Newsroom(readers=tuple(READERS)).open())
        post = await stack.enter_async_context(Post(letters=newsroom.read["mail"]))
        newsroom.feeds["one"] = [Story(1, "talks"), Story(2, SILENCED), Story(3, "talks and vote")]
        newsroom.feeds["two"] = [Story(4, "vote")]
        newsroom.refusals = 2 if point.operation == "ledger.set_health" else 0
        await silence(store)
        config = write_config(
            *(tmp_path / "config", newsroom, server_url, post.port, SILENCED),
            budget=1,
            rate="1000/s",
        )
        async with working(config, "--crash", str(point)) as first:
            await wait_until(first.killed, f"the worker dies at {point}", 60)
        newsroom.feeds["one"] += [Story(5, "talks again")]
        await inherit(newsroom, store, config)
        assert newsroom.lost() == set()
        assert not any(rule == SILENCED for rule, *_ in newsroom.told())
        assert newsroom.repeats() <= IN_FLIGHT
        assert newsroom.reread() <= READ_IN_FLIGHT


async def silence(store: Store) -> None:
    """Silence a rule, as an operator does."""
    now = datetime.now(UTC)
    said = Silence(
        id="s",
        matchers=parse_matchers(f"rule={SILENCED}"),
        starts_at=now,
        ends_at=now + timedelta(days=1),
        author="a",
    )
    draft = Draft(id=said.id, value=SILENCES.encode(said))
    await StreamRegistry(store).put(RecordKind.SILENCE, draft, now)
