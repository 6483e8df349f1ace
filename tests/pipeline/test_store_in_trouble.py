"""The store takes no writes for a while, amid deliveries: nothing is lost, and what was sent is not sent again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from monitor.core.model import DeliveryState
from monitor.errors import StreamError, StreamFullError
from monitor.ports import DeliveryFilter
from monitor.streams.client import connect
from tests.factories import NOW, alert, article
from tests.pipeline.stage import Pipeline, pipeline
from tests.pipeline.test_delivery import HOOK, MINUTE, states
from tests.servers.hooks import HookServer
from tests.servers.newsroom import Newsroom, Story
from tests.wait import wait_until

NOBODY = (
    "127.0.0.1",
    1,
)  # a primary that is not there: the server keeps what it has, and takes no writes
FULL, ALL_IT_NEEDS = 1, 0  # bytes that the server may use; 0: any number


@asynccontextmanager
async def read_only(url: str) -> AsyncIterator[None]:
    """Make the server a replica, as in a failover, while the block runs."""
    async with connect(url) as server:
        await server.everywhere("REPLICAOF", *NOBODY)
        try:
            yield
        finally:
            await server.everywhere("REPLICAOF", "NO", "ONE")


@asynccontextmanager
async def full(url: str) -> AsyncIterator[None]:
    """Let the server have no memory left while the block runs."""
    async with connect(url) as server:
        await server.everywhere("CONFIG", "SET", "maxmemory", FULL)
        try:
            yield
        finally:
            await server.everywhere("CONFIG", "SET", "maxmemory", ALL_IT_NEEDS)


async def tell(program: Pipeline, *numbers: int) -> None:
    for n in numbers:
        told = alert(article=article(id=f"a{n}", title=f"Story {n}."))
        assert await program.parts.ledger.enqueue(told, HOOK, NOW)


async def test_what_was_sent_before_the_store_was_read_only_is_recorded_when_it_is_not(
    empty_server_url: str, tmp_path: Path
) -> None:
    gate = asyncio.Event()
    async with (
        HookServer(gate=gate) as hook,
        pipeline(
            tmp_path / "c",
            empty_server_url,
            subscribers={"desk": [{"webhook": {"url": hook.url}}]},
        ) as program,
        asyncio.TaskGroup() as group,
    ):
        await tell(program, *range(5))
        turn = group.create_task(program.program.deliverer.step())
        await wait_until(lambda: len(hook.received) == 2, "two are under way")
        async with read_only(empty_server_url):
            gate.set()
            await wait_until(
                lambda: program.metrics.failures.labels("deliverer")._value.get() >= 2,
                "neither can be recorded",
            )
            with pytest.raises(StreamError, match="read only"):
                await program.parts.ledger.claim(NOW, MINUTE, 9, MINUTE)
        assert await turn == 2
        await program.finish()
        assert await states(program) == {DeliveryState.DELIVERED: 5}
        assert await told_once(program)
    ids = Counter(request.headers["webhook-id"] for request in hook.received)
    assert sorted(ids.values()) == [1] * 5


async def told_once(program: Pipeline) -> bool:
    """Whether each delivery has one attempt in its record."""
    found = await program.parts.ledger.find(DeliveryFilter(target_id=HOOK))
    counts = [len(await program.parts.ledger.attempts(each.id)) for each in found]
    return counts == [1] * len(found)


async def test_a_full_store_stops_polls_and_no_delivery(
    empty_server_url: str, tmp_path: Path
) -> None:
    async with Newsroom().open() as newsroom, HookServer() as hook:
        newsroom.feeds["one"] = [Story(1, "talks")]
        async with pipeline(
            tmp_path / "c",
            empty_server_url,
            feeds={"one": {"url": f"{newsroom.base}/feeds/one.xml", "every": "1m"}},
            rules={"talks": "talks"},
            subscribers={"desk": [{"webhook": {"url": hook.url}}]},
        ) as program:
            await program.poll()
            await tell(program, *range(5))
            async with full(empty_server_url):
                await tell(program, 5)
                await program.settle()
                assert await states(program) == {DeliveryState.DELIVERED: 6}
                program.clock.advance(60 * MINUTE)
                newsroom.feeds["one"].append(Story(2, "talks"))
                with pytest.raises(StreamFullError):
                    await program.parts.feeds.claim(program.clock.now(), MINUTE, 1)
            await program.poll()
            assert await states(program) == {DeliveryState.DELIVERED: 7}
            assert await told_once(program)
    assert len(hook.received) == 7
