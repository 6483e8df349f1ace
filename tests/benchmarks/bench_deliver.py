"""Durable signed webhooks a second, from a full ledger to the receivers, beside bare loops that keep nothing.

    python -m tests.benchmarks.bench_deliver [--deliveries 4000] [--targets 64] [--rounds 3] [--profile FILE]

The ledger lies on the embedded server, AOF `everysec`; the deliverer is the product's, with its log lines. Bare aiohttp
and httpx loops send the same bytes, unsigned, to the same sink, as many at a time. Rounds are interleaved; compare
ratios.
"""

import argparse
import asyncio
import cProfile
import gc
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import httpx
import uvloop

from monitor.app.lanes import Lanes
from monitor.app.parts import SystemClock
from monitor.channels import ChannelBuilder
from monitor.channels.signing import Signer
from monitor.core.model import Alert
from monitor.core.render import payload
from monitor.core.targets import WebhookTarget
from monitor.services.deliverer import DelivererService
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.store import Store, open_store
from monitor.telemetry import Metrics, configure_logging
from tests.benchmarks.bench_webhook import SECRET, sink
from tests.factories import alert, article, delivery, match
from tests.wait import wait_until

CONCURRENCY = 64
HTTPX_SHARE = 20  # httpx gets so many times fewer requests: it would take the whole day


@dataclass(frozen=True)
class Spent:
    """Seconds and CPU seconds for so many sends."""

    sends: int
    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        return self.sends / self.wall

    @property
    def micros(self) -> float:
        return self.cpu / self.sends * 1e6


async def timed(sends: int, work: Callable[[], Awaitable[None]]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return Spent(sends, time.perf_counter() - wall, time.process_time() - cpu)


def told(name: str) -> Alert:
    """An alert of about the size of a real one."""
    text = "Delegates returned to the table on Thursday. " * 6
    said = article(id=name, title=f"Talks resume in Geneva, {name}", summary=text)
    return alert(article=said, matches=(match(article_id=name),), created_at=SystemClock().now())


class Durable:
    """A ledger, many targets, and the product's deliverer between."""

    def __init__(self, store: Store, builder: ChannelBuilder, url: str, targets: int) -> None:
        self.ledger = StreamDeliveryLedger(store)
        self.metrics = Metrics()
        self.clock = SystemClock()
        each = [
            WebhookTarget(
                id=f"desk/{n}", subscriber="desk", url=url, secrets=(SECRET,), gap=timedelta()
            )
            for n in range(targets)
        ]
        self.targets = [one.id for one in each]
        self.service = DelivererService(
            self.ledger,
            Lanes(builder.build, timedelta(seconds=15)).change(each),
            self.clock,
            self.metrics,
            concurrency=CONCURRENCY,
            lease=timedelta(seconds=30),
        )
        self.delivered = 0

    async def fill(self, name: str, count: int) -> None:
        for at in range(0, count, 200):
            async with asyncio.TaskGroup() as group:
                for n in range(at, min(at + 200, count)):
                    target = self.targets[n % len(self.targets)]
                    due = self.clock.now()
                    group.create_task(self.ledger.enqueue(told(f"{name}-{n}"), target, due))
        self.delivered += count

    async def drain(self, count: int) -> Spent:
        """Deliver everything. What it takes to stop, up to two seconds of waiting for more, does not count."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            spent = group.create_task(timed(count, self._all_delivered))
            group.create_task(self.service.run(stop))
            await spent
            stop.set()
        return spent.result()

    async def _all_delivered(self) -> None:
        await wait_until(lambda: self.count() == self.delivered, "all are delivered", 300)

    def count(self) -> int:
        return int(self.metrics.attempts.labels("webhook", "delivered", "")._value.get())


async def bare(url: str, body: bytes, count: int) -> None:
    headers = {"content-type": "application/json", "webhook-id": "msg_d1"}
    async with aiohttp.ClientSession() as session:

        async def send() -> None:
            for _ in range(count // CONCURRENCY):
                async with session.post(url, data=body, headers=headers) as response:
                    await response.read()

        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(send())


async def bare_httpx(url: str, body: bytes, count: int) -> None:
    headers = {"content-type": "application/json", "webhook-id": "msg_d1"}
    limits = httpx.Limits(max_connections=CONCURRENCY)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def send() -> None:
            for _ in range(max(1, count // CONCURRENCY)):
                await client.post(url, content=body, headers=headers)

        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(send())


@asynccontextmanager
async def opened(url: str, targets: int) -> AsyncIterator[Durable]:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            open_store(None, Path(folder)) as store,
            ChannelBuilder(allow=[ip_network("127.0.0.0/8")], user_agent="bench") as builder,
        ):
            yield Durable(store, builder, url, targets)


async def measure(url: str, count: int, targets: int, rounds: int, profile: str | None) -> None:
    """Print the figures."""
    sent = replace(delivery(), alerts=(told("one"),))
    body = payload(sent)
    plain: list[Spent] = []
    slow: list[Spent] = []
    ours: list[Spent] = []
    async with opened(url, targets) as durable:
        gc.freeze()  # as the daemon does once it is loaded
        for n in range(rounds):
            plain.append(await timed(count, lambda: bare(url, body, count)))
            few = max(CONCURRENCY, count // HTTPX_SHARE)
            slow.append(await timed(few, lambda few=few: bare_httpx(url, body, few)))  # type: ignore[misc]
            await durable.fill(f"r{n}", count)
            ours.append(await durable.drain(count))
        report("bare aiohttp POST", plain)
        report("bare httpx POST", slow)
        report("durable, signed", ours)
        print(f"durable / aiohttp {ratio(ours, plain):6.2f} of the rate (>= 0.75 wanted)")
        print(f"durable / httpx   {ratio(ours, slow):6.1f} times the rate (>= 10 wanted)")
        share(statistics.median(each.micros for each in ours))
        if profile:
            await durable.fill("profiled", count)
            with cProfile.Profile(time.process_time) as profiler:
                await durable.drain(count)
            profiler.dump_stats(profile)


def share(micros: float, times: int = 5000) -> None:
    """Print what signing and JSON cost of the CPU of a durable send."""
    sent, signer = replace(delivery(), alerts=(told("one"),)), Signer([SECRET])
    began = time.process_time()
    for n in range(times):
        body = payload(sent)
        signer.sign("msg_d1", n, body)
    own = (time.process_time() - began) / times * 1e6
    print(f"payload, JSON and signature {own:.1f} µs of {micros:.0f}: {own / micros:.1%} (<= 6 %)")


def ratio(ours: Sequence[Spent], theirs: Sequence[Spent]) -> float:
    return statistics.median(o.rate / t.rate for o, t in zip(ours, theirs, strict=True))


def report(name: str, spent: Sequence[Spent]) -> None:
    rate = statistics.median(each.rate for each in spent)
    print(f"{name:18} {rate:8.0f}/s {statistics.median(e.micros for e in spent):8.0f} µs CPU each")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=4000)
    parser.add_argument("--targets", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", metavar="FILE")
    chosen = parser.parse_args()
    with Path(os.devnull).open("w") as nowhere, sink() as url:
        configure_logging("info", "json", nowhere)
        uvloop.run(measure(url, chosen.deliveries, chosen.targets, chosen.rounds, chosen.profile))


if __name__ == "__main__":
    main()
