"""100,000 feeds in one store: import, start, list, claim, and what one change costs beside reading everything.

CPU time of this process and of the server, because wall time says more about the machine's other work. Each figure
stands beside a bound measured in the same run: as many writes of as many bytes, pipelined by hand.
Run: `python -m tests.benchmarks.bench_feeds [--feeds 100000]`.
"""

import argparse
import asyncio
import resource
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from monitor.app.feeds import FeedDesk
from monitor.app.parts import SystemClock, open_store_parts
from monitor.config.settings import Settings, Store
from monitor.core.model import Feed, FeedState
from monitor.feeds.opml import read_opml
from monitor.ports import Draft, RecordKind, Registry
from monitor.registry import FEEDS, Roster
from monitor.services.listing import ListingService
from monitor.streams.client import Server, command
from monitor.streams.feeds import StreamFeedStore
from monitor.streams.store import open_store
from monitor.telemetry import Metrics, configure_logging

_MIB = 1024 * 1024


def outlines(count: int) -> bytes:
    """Write a list of feeds, three on each host."""
    rows = "".join(
        f'<outline text="Feed number {n}" xmlUrl="https://host{n // 3}.example.com/{n}/rss.xml"/>\n'
        for n in range(count)
    )
    return f'<opml><body><outline text="News">\n{rows}</outline></body></opml>'.encode()


class Stopwatch:
    """CPU of this process and of the server it uses, in seconds."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @asynccontextmanager
    async def measure(self, what: str, per: int = 0) -> AsyncIterator[None]:
        """Print what the block cost, and how much of that each of `per` things."""
        wall, ours, theirs = time.monotonic(), time.process_time(), await self._spent()
        yield
        ours, theirs = time.process_time() - ours, await self._spent() - theirs
        each = f"  {1e6 * (ours + theirs) / per:8.1f} µs each" if per else ""
        print(
            f"{what:44} {ours:7.2f} s ours {theirs:6.2f} s server"
            f" {time.monotonic() - wall:7.2f} s wall{each}"
        )

    async def _spent(self) -> float:
        [facts] = await self._server.everywhere("INFO", "cpu")
        return float(facts["used_cpu_user"]) + float(facts["used_cpu_sys"])


async def bench(count: int, directory: Path) -> None:
    """Measure each step once, in the order in which they happen to a user."""
    settings = Settings(store=Store(directory=directory, max_memory=2048 * _MIB))
    async with (
        open_store_parts(settings) as parts,
        open_store(None, directory) as store,
    ):
        server, clock = store.server, SystemClock()
        watch = Stopwatch(server)
        data = outlines(count)
        print(f"{count:,} feeds, OPML of {len(data) / _MIB:.1f} MiB")
        async with watch.measure("bound: as many HSETs of as many bytes", count):
            value = FEEDS.encode(Feed(id="x" * 30, url="u" * 50, name="Feed number 1"))
            for start in range(0, count, 500):
                await server.each(
                    [command("HSET", "bound", f"f{n}", value) for n in range(start, start + 500)]
                )
        await server.run(command("DEL", "bound"))
        desk = FeedDesk(settings, parts)
        async with watch.measure("import", count):
            done = await desk.import_(read_opml(data), lambda _: None)
        assert done.added == count, done
        async with watch.measure("import again: nothing changes", count):
            assert (await desk.import_(read_opml(data), lambda _: None)).known == count
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        roster = Roster(parts.registry, FEEDS)
        listing = ListingService(parts.feeds, roster, {}, clock, Metrics())
        async with watch.measure("first start: read all, schedule all", count):
            await listing.sync()
        async with watch.measure("second start in a new process", count):
            fresh = ListingService(
                StreamFeedStore(store), Roster(parts.registry, FEEDS), {}, clock, Metrics()
            )
            await fresh.sync()
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"memory of this process: {grown:.0f} MiB more for two rosters")
        turns = 200
        async with watch.measure("a second in which nothing changes", turns):
            for _ in range(turns):
                await listing.step()
        async with watch.measure("one feed added, seen and scheduled", turns):
            for n in range(turns):
                await _add(parts.registry, n)
                assert await listing.step() == 1
        later = clock.now() + timedelta(hours=1)
        async with watch.measure("claim and record, 64 at a time", 64 * 50):
            for _ in range(50):
                leases = await parts.feeds.claim(later, timedelta(minutes=5), 64)
                for lease in leases:
                    state, due = FeedState(polled_at=later), later + timedelta(hours=1)
                    await parts.feeds.record(lease, state, due, now=later)
        async with watch.measure("list everything with its state", count):
            assert len([each async for each in desk.everything()]) == count + turns
        async with watch.measure("show one", turns):
            for n in range(turns):
                await desk.get(f"new{n}")
        [memory] = await server.everywhere("INFO", "memory")
        used = int(memory["used_memory"])
        print(f"store: {used / _MIB:.0f} MiB, {used / count:.0f} bytes a feed")


async def _add(registry: Registry, number: int) -> None:
    feed = Feed(id=f"new{number}", url=f"https://new{number}.example.com/", name="New")
    draft = Draft(id=feed.id, value=FEEDS.encode(feed), unique=feed.url)
    await registry.put(RecordKind.FEED, draft, SystemClock().now())


def main() -> None:
    """Measure in a directory that goes afterwards."""
    configure_logging("warning")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=100_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(bench(chosen.feeds, Path(directory)))


if __name__ == "__main__":
    main()
