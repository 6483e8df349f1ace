"""Signed webhooks a second, and CPU for each, beside a bare aiohttp POST loop to the same sink.

    python -m tests.benchmarks.bench_webhook [requests] [rounds]

Both loops send the same bytes to one raw sink in a process of its own. Rounds are interleaved and medians are shown,
so that a busy machine disturbs both alike. Compare ratios, not figures from different machines.
"""

import asyncio
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from multiprocessing.connection import Connection
from typing import cast

import aiohttp
import uvloop

from monitor.channels import ChannelBuilder
from monitor.channels.signing import Signer
from monitor.core.outcome import Delivered
from monitor.core.render import payload
from monitor.core.secret import Secret
from monitor.core.targets import WebhookTarget
from tests.factories import NOW, delivery

SECRET = Secret("whsec_" + "b" * 43 + "=")
CONCURRENCY = 16
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class _Sink(asyncio.Protocol):
    """Answers every request as soon as its declared length has come."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (head := self._buffer.find(b"\r\n\r\n")) >= 0:
            headers = bytes(self._buffer[:head]).lower()
            length = int(headers.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self._buffer) < head + 4 + length:
                return
            del self._buffer[: head + 4 + length]
            self._transport.write(ANSWER)


def _sink(pipe: Connection) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Sink, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(serve())


@contextmanager
def sink() -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_sink, args=(theirs,))
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/hook"
    finally:
        process.terminate()
        process.join()


async def _timed(send: Callable[[], Awaitable[None]], requests: int) -> tuple[float, float]:
    """Return seconds and CPU seconds for so many sends."""

    async def sender() -> None:
        for _ in range(requests // CONCURRENCY):
            await send()

    wall, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(sender())
    return time.perf_counter() - wall, time.process_time() - cpu


async def compare(url: str, requests: int, rounds: int) -> None:
    sent = delivery()
    body = payload(sent)
    headers = {"content-type": "application/json", "webhook-id": "msg_d1"}
    bare: list[tuple[float, float]] = []
    ours: list[tuple[float, float]] = []
    async with (
        aiohttp.ClientSession() as session,
        ChannelBuilder(allow=[ip_network("127.0.0.0/8")], user_agent="bench") as builder,
    ):
        target = WebhookTarget(id="w", subscriber="s", url=url, secrets=(SECRET,))
        channel = builder.build(target)

        async def post() -> None:
            async with session.post(url, data=body, headers=headers) as response:
                await response.read()

        async def deliver() -> None:
            outcome = await channel.deliver(sent, NOW)
            if not isinstance(outcome, Delivered):
                raise RuntimeError(f"the sink is not there to refuse: {outcome}")  # noqa: TRY004

        for _ in range(rounds):
            bare.append(await _timed(post, requests))
            ours.append(await _timed(deliver, requests))
    _report("bare aiohttp POST", bare, requests)
    _report("signed webhook", ours, requests)
    ratio = statistics.median(b[0] / o[0] for b, o in zip(bare, ours, strict=True))
    cpu = statistics.median(o[1] / b[1] for b, o in zip(bare, ours, strict=True))
    print(f"webhook / bare: {ratio:.2f} of the rate, {cpu:.2f} times the CPU (medians of {rounds})")


def _report(name: str, times: list[tuple[float, float]], requests: int) -> None:
    rate = requests / statistics.median(wall for wall, _ in times)
    cpu = statistics.median(cpu for _, cpu in times) / requests * 1e6
    print(f"{name:20} {rate:8.0f} a second {cpu:8.0f} µs CPU each")


def parts(times: int = 5000) -> None:
    """Show what our share of a send costs."""
    sent, signer = delivery(), Signer([SECRET])
    body = payload(sent)
    steps: dict[str, Callable[[], object]] = {
        "payload as JSON": lambda: payload(sent),
        "sign": lambda: signer.sign("msg_d1", 1, body),
    }
    for name, step in steps.items():
        began = time.process_time()
        for _ in range(times):
            step()
        print(f"{name:20} {(time.process_time() - began) / times * 1e6:8.1f} µs CPU")
    print(f"{'body':20} {len(body):8} bytes")


def main() -> None:
    requests, rounds = (int(arg) for arg in (*sys.argv[1:], "1600", "9")[:2])
    with sink() as url:
        uvloop.run(compare(url, requests, rounds))
    parts()


if __name__ == "__main__":
    main()
