"""The whole chain over the embedded server: from an article parsed to its send started, and articles a second.

    python -m tests.benchmarks.bench_chain [--articles 2000] [--seconds 10] [--profile FILE]

Rules are the shipped ones; matching, routing, delivering and logging are the product's own, in one process. Every
article matches, and goes to one of sixteen desks, whose channel notes the time. The bounds, measured in the same run:
a PING for the latency, bare pipelined XADDs of the same bytes for the rate.
"""

import argparse
import asyncio
import cProfile
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop
from redis.asyncio import Redis

from monitor.app.parts import StoreParts, open_outside, open_store_parts
from monitor.app.program import Program
from monitor.config.load import load
from monitor.config.settings import Settings
from monitor.core.model import Article, Delivery, Feed, FeedState
from monitor.core.outcome import Delivered
from monitor.streams import codec
from monitor.streams.store import open_store
from monitor.telemetry import Metrics, configure_logging
from tests.factories import article
from tests.wait import wait_until

SHIPPED = Path(__file__).parents[2] / "config"
DESKS = 16
A_POLL = 20  # articles that one document brings
STEADY = 20  # articles a second when nothing is in a hurry
MINUTE = timedelta(minutes=1)
SERVICES = frozenset({"matcher", "router", "deliverer"})
NEWS = (
    "Lavrov said on Tuesday that talks on Syria would resume in Geneva next week.",
    "The Security Council is to vote on a draft resolution before the end of the month.",
    "Diplomats spoke of progress on aid, while the delegations stayed far apart on the ceasefire.",
    "Markets were little changed; the weather service expects rain in the north until Friday.",
)


@dataclass
class Desks:
    """Every subscriber's channel: notes when the send of an article begins."""

    started: dict[str, float]

    async def deliver(self, delivery: Delivery, now: object) -> Delivered:
        self.started[delivery.alert.article.id] = time.perf_counter()
        return Delivered()

    async def close(self) -> None: ...


def configured(directory: Path) -> Settings:
    """The shipped configuration, with desks that each follow one feed, and no rest between two polls of a domain."""
    config = Path(shutil.copytree(SHIPPED, directory / "config"))
    desks = [f"desk-{n}" for n in range(DESKS)]
    subscribers = {
        "subscribers": [{"name": name, "targets": [{"console": {}}]} for name in desks],
        "route": {
            "routes": [
                {"match": {"feed": f"feed-{n}"}, "subscriber": name} for n, name in enumerate(desks)
            ]
        },
    }
    feeds = [{"id": f"feed-{n}", "name": f"Feed {n}", "url": url(n)} for n in range(DESKS)]
    (config / "subscribers.yaml").write_text(json.dumps(subscribers))
    (config / "feeds.yaml").write_text(json.dumps({"feeds": feeds}))
    settings = load(config, {"MONITOR_DATA": str(directory / "data")})
    return replace(settings, poll=settings.poll.model_copy(update={"domain_gap": timedelta()}))


def url(number: int) -> str:
    return f"https://news{number}.example/rss"


@dataclass
class Chain:
    """A running chain, the poller's place in it taken by the benchmark."""

    parts: StoreParts
    feeds: Sequence[Feed]
    desks: Desks
    server: Any  # redis-py leaves its commands untyped

    def new_articles(self, count: int, name: str) -> list[Article]:
        """Articles of about 1,000 characters, each of which the shipped rules find."""
        return [
            article(
                id=f"{name}-{n}",
                title=f"Story {n}: Lavrov and the Security Council on Syria",
                summary=NEWS[n % len(NEWS)],
                body=" ".join(NEWS * 3),
                seen_at=self.parts.clock.now(),
            )
            for n in range(count)
        ]

    async def take_in(self, articles: Sequence[Article]) -> None:
        """Record a poll of whichever feed is due first, with these articles."""
        now = self.parts.clock.now()
        (lease,) = await self.parts.feeds.claim(now, MINUTE, 1)
        theirs = [replace(one, feed_id=lease.feed_id) for one in articles]
        await self.parts.feeds.record(lease, FeedState(), now, now=now, articles=theirs)

    async def all_started(self, count: int) -> None:
        await wait_until(lambda: len(self.desks.started) >= count, f"{count} sends begin", 120)


@asynccontextmanager
async def running_chain() -> AsyncIterator[Chain]:
    """Run the product's services over an embedded server of their own."""
    with tempfile.TemporaryDirectory() as folder:
        settings, desks, stop = configured(Path(folder)), Desks({}), asyncio.Event()
        async with (
            open_store_parts(settings) as parts,
            open_outside(settings) as outside,
            open_store(None, settings.store.directory) as store,
            Redis.from_url(store.url, protocol=2, driver_info=None) as server,
            asyncio.TaskGroup() as group,
        ):
            program = Program(
                settings, parts, replace(outside, channel=lambda _: desks), Metrics(), SERVICES
            )
            await parts.feeds.sync(settings.feeds, parts.clock.now(), timedelta())
            group.create_task(program.run(stop))
            chain = Chain(parts, settings.feeds, desks, server)
            await chain.take_in(chain.new_articles(1, "first"))
            await chain.all_started(1)
            desks.started.clear()
            yield chain
            stop.set()


async def latency(chain: Chain, seconds: float) -> None:
    """Print how long an article takes at a low steady rate, beside a PING before each."""
    pings, taken_in = [], {}
    for one in chain.new_articles(int(seconds * STEADY), "steady"):
        await asyncio.sleep(1 / STEADY)
        begun = time.perf_counter()
        await chain.server.ping()
        pings.append(time.perf_counter() - begun)
        taken_in[one.id] = time.perf_counter()
        await chain.take_in([one])
    await chain.all_started(len(taken_in))
    waits = [chain.desks.started[name] - at for name, at in taken_in.items()]
    chain.desks.started.clear()
    for share in (50, 99):
        ping, wait = at_share(pings, share), at_share(waits, share)
        print(
            f"parsed to send started p{share}  {1e3 * wait:6.2f} ms"
            f" = {wait / ping:3.0f} x a PING ({1e3 * ping:.2f} ms)"
        )


async def rate(chain: Chain, count: int) -> None:
    """Print how many articles a second pass, beside bare XADDs of their bytes."""
    articles = chain.new_articles(count, "burst")
    data = [codec.articles.encode(one) for one in articles]
    begun = time.perf_counter()
    for at in range(0, count, 100):
        pipeline = chain.server.pipeline(transaction=False)
        for each in data[at : at + 100]:
            pipeline.xadd("monitor:bare", {"d": each})
        await pipeline.execute()
    bare = count / (time.perf_counter() - begun)
    begun, cpu, server_cpu = time.perf_counter(), time.process_time(), await server_seconds(chain)
    for at in range(0, count, A_POLL):
        await chain.take_in(articles[at : at + A_POLL])
    await chain.all_started(count)
    elapsed, cpu = time.perf_counter() - begun, time.process_time() - cpu
    server_cpu = await server_seconds(chain) - server_cpu
    chain.desks.started.clear()
    print(
        f"through the chain         {count / elapsed:6.0f} articles/s"
        f" = {count / elapsed / bare:.3f} of bare XADDs ({bare:.0f}/s)"
    )
    print(
        f"CPU for each article      {1e6 * cpu / count:6.0f} µs here,"
        f" {1e6 * server_cpu / count:.0f} µs in the server"
    )


async def server_seconds(chain: Chain) -> float:
    """CPU that the server has used so far."""
    used = await chain.server.info("cpu")
    return float(used["used_cpu_sys"] + used["used_cpu_user"])


def at_share(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


async def measure(seconds: float, count: int, profile: str | None) -> None:
    """Print the figures."""
    async with running_chain() as chain:
        await latency(chain, seconds)
        for _ in range(3):
            await rate(chain, count)
        if profile:
            with cProfile.Profile(time.process_time) as profiler:
                await rate(chain, count)
            profiler.dump_stats(profile)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--profile", metavar="FILE", help="of one more burst, for pstats")
    chosen = parser.parse_args()
    with Path(os.devnull).open("w") as nowhere:
        configure_logging("info", "json", nowhere)  # a log line costs what it costs
        uvloop.run(measure(chosen.seconds, chosen.articles, chosen.profile))


if __name__ == "__main__":
    main()
