"""Polling feeds that have nothing new: our whole poller over a real server, beside a bare loop of aiohttp.

Every feed has a host of its own. CPU is that of the polling process alone, without the server's and the farm's.
Run: `python -m tests.benchmarks.bench_poll [--feeds 2000] [--hourly 10000] [--seconds 30]`.
"""

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import aiohttp
import structlog
import uvloop
from aiohttp.abc import AbstractResolver, ResolveResult

from monitor.app.parts import SystemClock
from monitor.core.model import Feed, FeedState
from monitor.feeds.fetch import HttpFetcher
from monitor.feeds.linguist import ModelLinguist
from monitor.feeds.process import ProcessParser
from monitor.net import AddressGuard, open_session
from monitor.services.poller import PollerService
from monitor.streams.feeds import StreamFeedStore
from monitor.streams.keys import spread_over
from monitor.streams.store import open_store
from monitor.telemetry import Metrics
from tests.clock import StandingClock
from tests.servers.feeds import LOOPBACK, USER_AGENT
from tests.servers.valkey import running_server

CONCURRENCY = 64
HOUR = timedelta(hours=1)
_TICK = 0.005


class Loopback(AbstractResolver):
    """Every name is this machine."""

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=port, family=2, proto=0, flags=0)
        ]

    async def close(self) -> None:
        return None


@contextmanager
def farm() -> Iterator[int]:
    """Yield the port of a farm in a process of its own."""
    words = [sys.executable, "-m", "tests.benchmarks.feed_farm"]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate()


def raise_file_limit() -> None:
    """Allow as many connections as this machine lets us have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def session() -> aiohttp.ClientSession:
    """Open a session as the product does, which finds every host here."""
    guard = AddressGuard([LOOPBACK])
    return open_session(
        guard, user_agent=USER_AGENT, auto_decompress=False, resolver=Loopback(), limit=CONCURRENCY
    )


def feeds(port: int, count: int) -> list[Feed]:
    return [
        Feed(id=f"f{n}", name=f"f{n}", url=f"http://h{n}.example:{port}/rss", every=HOUR)
        for n in range(count)
    ]


class Watch:
    """Wall time, CPU and the delays of the loop while a block runs.

    A delay is the CPU that we used between two wake-ups: what other programs use meanwhile is not our loop's doing.
    """

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self.delays: list[float] = []

    async def __aenter__(self) -> Self:
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._task = self._group.create_task(self._sample())
        self._began = time.perf_counter(), time.process_time()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self._began[0]
        self.cpu = time.process_time() - self._began[1]
        self._task.cancel()
        await self._group.__aexit__(None, None, None)

    async def _sample(self) -> None:
        while True:
            before = time.process_time()
            await asyncio.sleep(_TICK)
            self.delays.append(time.process_time() - before)

    @property
    def p99(self) -> float:
        return sorted(self.delays)[int(len(self.delays) * 0.99)] * 1000


async def bare(port: int, count: int) -> Watch:
    """Ask every host once by aiohttp alone, conditionally, as many at a time."""
    hosts = iter(range(count))

    async def work(client: aiohttp.ClientSession) -> None:
        for n in hosts:
            url = f"http://h{n}.example:{port}/rss"
            async with client.get(url, headers={"If-None-Match": '"1"'}) as response:
                assert response.status == 304
                await response.read()

    async with session() as client, Watch() as watch, asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(work(client))
    return watch


class Stand:
    """A poller of `count` feeds over a real server."""

    def __init__(
        self, store: StreamFeedStore, service: PollerService, clock: Any, count: int
    ) -> None:
        self.store, self.service, self.clock, self.count = store, service, clock, count

    async def poll_all(self) -> Watch:
        async with Watch() as watch:
            while (due := await self.store.next_due()) and due <= self.clock.now():
                await self.service.step()
        return watch

    async def seed(self) -> None:
        """Let all feeds have been polled, each at its own time within the hour to come."""
        now = self.clock.now()
        while leases := await self.store.claim(now, HOUR, 500):
            for lease in leases:
                feed = self.service._feeds[lease.feed_id]
                state = FeedState(
                    configured=feed.url, url=feed.url, etag='"1"', baseline_at=now, changed_at=now
                )
                await self.store.record(lease, state, now + spread_over(feed.id, HOUR), now=now)


@asynccontextmanager
async def stand(port: int, count: int, clock: Any) -> AsyncIterator[Stand]:
    """Open a poller whose feeds are due now."""
    listed = feeds(port, count)
    with running_server() as url, tempfile.TemporaryDirectory() as folder:
        async with (
            open_store(url, Path(folder)) as opened,
            session() as client,
            ProcessParser() as parser,
        ):
            store = StreamFeedStore(opened, domain_gap=timedelta(seconds=1))
            service = PollerService(
                store,
                HttpFetcher(client),
                parser,
                {feed.id: feed for feed in listed},
                clock,
                Metrics(),
                linguist=ModelLinguist(),
                concurrency=CONCURRENCY,
                lease=timedelta(minutes=5),
                new_trace=lambda: "trace",
            )
            await store.sync(listed, clock.now(), timedelta())
            yield Stand(store, service, clock, count)


async def unchanged(port: int, count: int) -> None:
    """Print what a poll costs that brings a 304."""
    clock = StandingClock()
    async with stand(port, count, clock) as bench:
        first = await bench.poll_all()
        clock.advance(2 * HOUR)
        again = await bench.poll_all()
        assert bench.service.metrics.polls.labels("unchanged")._value.get() == 2 * count
    alone = await bare(port, count)
    print(f"{count} hosts, {CONCURRENCY} at a time, each asked once; CPU of the polling process")
    for what, watch in (("first poll, 200", first), ("304", again), ("304, bare aiohttp", alone)):
        print(
            f"  {what:18} {count / watch.wall:7.0f} polls/s  {count / watch.cpu:7.0f} polls per CPU second"
            f"  {watch.cpu / count * 1e6:6.0f} us  loop delay p99 {watch.p99:.1f} ms"
        )
    print(f"  our poller costs {again.cpu / alone.cpu:.2f} times the bare loop")
    print(
        f"  10,000 feeds an hour: {again.cpu / count * 10_000 / 36:.2f} % of a core for the polls alone"
    )


async def hourly(port: int, count: int, seconds: float) -> None:
    """Print what `count` feeds cost that are polled each hour, by the clock of this machine."""
    async with stand(port, count, SystemClock()) as bench:
        await bench.seed()
        stop = asyncio.Event()
        async with Watch() as watch, asyncio.TaskGroup() as group:
            group.create_task(bench.service.run(stop))
            await asyncio.sleep(seconds)
            stop.set()
    print(f"{count} feeds, each polled every hour, over {seconds:g} s")
    print(
        f"  {watch.cpu / watch.wall * 100:.2f} % of a core, sampling of the loop's delay included"
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {memory:.0f} MiB resident at most, loop delay p99 {watch.p99:.1f} ms")


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--hourly", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30)
    asked = parser.parse_args()
    raise_file_limit()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with farm() as port:
        await unchanged(port, asked.feeds)
        await hourly(port, asked.hourly, asked.seconds)


if __name__ == "__main__":
    uvloop.run(main())
