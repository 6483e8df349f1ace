"""How long healthy receivers wait while others hang, and what memory a hostile answer costs.

    python -m tests.benchmarks.bench_isolation [--targets 60] [--rate 60] [--seconds 20]

The same alerts, at the same pace, to receivers of which none, 5 % and 50 % take a request and never answer. What is
measured is the time from the instant an alert is due to the instant a healthy receiver has it, after the first seconds,
in which nobody can know who hangs. Then hostile answers, many at a time from another process, and how much memory each
costs ours.
"""

import argparse
import asyncio
import multiprocessing
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop

from monitor.app.lanes import Lanes
from monitor.app.parts import SystemClock
from monitor.channels import ChannelBuilder
from monitor.channels.wire import TimeLimits
from monitor.core.targets import WebhookTarget
from monitor.services.deliverer import DelivererService
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.store import open_store
from monitor.telemetry import Metrics, configure_logging
from tests.factories import alert, article, delivery
from tests.servers.hooks import raw_server, read_request

LEARNING = 5.0
HOSTILE = 64


@asynccontextmanager
async def receiver(arrived: dict[str, float] | None) -> AsyncIterator[str]:
    """Serve a receiver that notes when each alert came; or one that hangs."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while body := await read_request(reader):
            if arrived is None:
                await asyncio.Event().wait()
                return
            name = body.partition(b'"article":{"id":"')[2].partition(b'"')[0].decode()
            arrived[name] = time.perf_counter()
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with raw_server(talk) as address:
        yield f"http://{address}/"


async def waits(targets: int, hanging: int, rate: int, seconds: float) -> Sequence[float]:
    """Return for each alert to a healthy receiver how long it waited."""
    arrived: dict[str, float] = {}
    due: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        store = await stack.enter_async_context(open_store(None, Path(folder)))
        builder = await stack.enter_async_context(
            ChannelBuilder(allow=[ip_network("127.0.0.0/8")], user_agent="bench")
        )
        ledger, clock = StreamDeliveryLedger(store), SystemClock()
        urls = [
            await stack.enter_async_context(receiver(None if n < hanging else arrived))
            for n in range(targets)
        ]
        each = [WebhookTarget(id=f"t/{n}", subscriber="t", url=url) for n, url in enumerate(urls)]
        service = DelivererService(
            ledger,
            Lanes(builder.build, timedelta(seconds=15)).change(each),
            clock,
            Metrics(),
            concurrency=64,
            lease=timedelta(seconds=30),
        )
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(service.run(stop))
            began = time.perf_counter()
            for n in range(int(rate * seconds)):
                await asyncio.sleep(max(0, began + n / rate - time.perf_counter()))
                name, target = f"a{n}", n % targets
                told = alert(article=article(id=name), created_at=clock.now())
                if target >= hanging and n / rate > LEARNING:
                    due[name] = time.perf_counter()
                await ledger.enqueue(told, f"t/{target}", clock.now())
            await asyncio.sleep(2)
            running.cancel()
    return [arrived.get(name, began + seconds + 2) - at for name, at in due.items()]


def at_share(values: Sequence[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


async def isolation(targets: int, rate: int, seconds: float) -> None:
    """Print the waits."""
    usual = 0.0
    for percent, wanted in ((0, 1.0), (5, 1.5), (50, 2.0)):
        found = await waits(targets, targets * percent // 100, rate, seconds)
        p99 = at_share(found, 99)
        usual = usual or p99
        print(
            f"{percent:2} % hang: {len(found)} alerts, p50 {at_share(found, 50) * 1e3:6.1f} ms,"
            f" p99 {p99 * 1e3:6.1f} ms = {p99 / usual:.2f} x none hanging (<= {wanted})"
        )


ANSWERS = {
    "huge body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 2**20,
    "huge header": b"HTTP/1.1 200 OK\r\nA: " + b"b" * 2**20,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 2**16,
    "endless 100": b"HTTP/1.1 100 Continue\r\n\r\n" * 2**13,
}


def hostile(answer: bytes, pipe: Connection) -> None:
    """Serve an answer without end, in a process of its own."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        while True:
            writer.write(answer)
            await writer.drain()

    async def serve() -> None:
        async with raw_server(talk) as address:
            pipe.send(address)
            await asyncio.Event().wait()

    uvloop.run(serve())


async def memory() -> None:
    """Print what each kind of hostile answer costs while many are under way."""
    limits = TimeLimits(total=timedelta(seconds=5))
    for name, answer in ANSWERS.items():
        ours, theirs = multiprocessing.Pipe()
        spawn = multiprocessing.get_context("spawn").Process
        process = spawn(target=hostile, args=(answer, theirs))
        process.start()
        async with ChannelBuilder(
            allow=[ip_network("127.0.0.0/8")], user_agent="bench", limits=limits
        ) as builder:
            target = WebhookTarget(id="w", subscriber="s", url=f"http://{ours.recv()}/")
            channel, sent = builder.build(target), delivery()
            await channel.deliver(sent, sent.created_at)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            async with asyncio.TaskGroup() as group:
                for _ in range(HOSTILE):
                    group.create_task(channel.deliver(sent, sent.created_at))
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        process.terminate()
        process.join()
        print(f"{name:12} {grown / HOSTILE:6.1f} kB more at the most for each of {HOSTILE} (<= 64)")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, default=60)
    parser.add_argument("--rate", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=20)
    chosen = parser.parse_args()
    configure_logging("error")
    uvloop.run(memory())
    uvloop.run(isolation(chosen.targets, chosen.rate, chosen.seconds))


if __name__ == "__main__":
    main()
