"""The API: how long each operation takes with a month in the archive, and how fast a match reaches 500 listeners.

    python -m tests.benchmarks.bench_api [--articles 300000] [--keep DIRECTORY] [--requests 200] [--listeners 500]

The archive is that of `bench_page`; requests go over real HTTP, one after the other, from the same process. The bound
of the operations, in the same run: `/healthz`, which does nothing.
A match is published in a real store, read by the server and told to each listener, who is a raw socket in the same
process; the next one comes when all have it. `cpu` is what both sides spend for one match and all listeners. The bound,
in the same run: a server that does nothing but to write the same bytes to as many sockets, one after the other.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from monitor.streams.memory import MemoryRegistry, MemoryStore
from monitor.streams.public import StreamPublicStream
from monitor.streams.store import open_store
from monitor.web.api.live import EVENT_HEADERS, Live, Tail, heard
from monitor.web.api.operation import Gate
from monitor.web.app import serve
from tests.benchmarks.bench_page import TYPICAL, Ask, measure, month
from tests.clock import HurriedClock
from tests.factories import NOW, article, matched
from tests.integration.web.conftest import Desk
from tests.servers.tasks import running_task
from tests.servers.valkey import running_server

MATCHES = 100
TOKEN = "mon_" + "b" * 30
BODY = "Delegates returned to the table on Thursday. " * 40
Publish = Callable[[int], Awaitable[None]]


async def operations(desk: Desk, count: int) -> dict[str, Ask]:
    """Return every operation that reads, and those that write where it leaves no trace in the figures."""
    delivery = await desk.deliver()
    since = (desk.clock.now() - timedelta(days=7)).isoformat()
    until = (desk.clock.now() + timedelta(hours=1)).isoformat()

    def get(path: str) -> Ask:
        return lambda n: desk.session.get(desk.address + path.format(n=n * 997 % count))

    def post(path: str, **body: str) -> Ask:
        return lambda _: desk.session.post(desk.address + path, json=body)

    return {
        "/healthz": get("/healthz"),
        "searchArticles": get("/api/articles?limit=50"),
        "  older": get("/api/articles?limit=50&cursor={n}"),
        "  by rule": get("/api/articles?rule=talks&limit=50"),
        "  by a word": get("/api/articles?query=lavrov&limit=50"),
        "  by a rare word": get("/api/articles?query=hullabaloo&limit=50"),
        "  by no word": get("/api/articles?query=absquatulate&limit=50"),
        "explainArticle": get("/api/articles/article-{n}"),
        "listRules": get("/api/rules"),
        "checkQuery": post("/api/rules/check", query=TYPICAL),
        "backtest, 7 days": post("/api/backtest", query=TYPICAL, since=since),
        "listFeeds": get("/api/feeds"),
        "showFeed": get("/api/feeds/example-world"),
        "listDeliveries": get("/api/deliveries"),
        "showDelivery": get(f"/api/deliveries/{delivery.id}"),
        "listSilences": get("/api/silences"),
        "addSilence": post("/api/silences", matchers="rule=none", ends_at=until, author="bench"),
        "openapi.json": get("/api/openapi.json"),
    }


class Board:
    """Who has the match of the moment, and how long it took."""

    def __init__(self, listeners: int) -> None:
        self.listeners = listeners
        self.waited: list[float] = []
        self.start = 0.0
        self._left = 0
        self._all = asyncio.Event()

    async def time(self, publish: Awaitable[None]) -> None:
        """Publish, and wait until all have it."""
        self._left, self.start = self.listeners, time.perf_counter()
        self._all.clear()
        await publish
        await self._all.wait()

    def got(self) -> None:
        self.waited.append(time.perf_counter() - self.start)
        self._left -= 1
        if not self._left:
            self._all.set()


class Listener(asyncio.Protocol):
    """A raw socket that looks at nothing but the end of an event."""

    def __init__(self, board: Board) -> None:
        self.ready = asyncio.Event()
        self._board = board
        self._event = b""

    def data_received(self, data: bytes) -> None:
        self._event += data
        if not self._event.endswith(b"\n\n\r\n"):
            return
        if b"retry:" in self._event:
            self.ready.set()
        elif b"event: match" in self._event:
            self._board.got()
        self._event = b""


@asynccontextmanager
async def listening(address: str, board: Board) -> AsyncIterator[None]:
    loop, url = asyncio.get_running_loop(), urlsplit(address)
    request = (
        f"GET {url.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    )
    transports = []
    for _ in range(board.listeners):
        transport, listener = await loop.create_connection(
            lambda: Listener(board), url.hostname or "", url.port or 0
        )
        transport.write(request)
        await listener.ready.wait()
        transports.append(transport)
    try:
        yield
    finally:
        for each in transports:
            each.close()


class Bare:
    """Writes bytes to every socket, one after the other."""

    def __init__(self) -> None:
        self._open: list[web.StreamResponse] = []
        self._end = asyncio.Event()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=EVENT_HEADERS)
        await response.prepare(request)
        self._open.append(response)
        await response.write(b"retry: 3000\n\n")
        await self._end.wait()
        return response

    async def tell(self, event: bytes) -> None:
        for each in self._open:
            await each.write(event)

    def stop(self) -> None:
        self._end.set()


async def fan_out(listeners: int) -> None:
    bare = Bare()
    async with AsyncExitStack() as stack:
        url = stack.enter_context(running_server())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = await stack.enter_async_context(open_store(url, directory))
        public = StreamPublicStream(store)
        tail = Tail(public)
        gate = Gate(MemoryRegistry(MemoryStore()), HurriedClock(), TOKEN)
        app = web.Application()
        app.router.add_get("/ours", Live(tail, gate).stream)
        app.router.add_get("/bare", bare.stream)
        await stack.enter_async_context(running_task(tail.run()))
        address = await stack.enter_async_context(serve(app, "127.0.0.1", 0))

        async def publish(n: int) -> None:
            await public.publish(matched(article=article(id=f"a{n}", body=BODY)), NOW)

        await rounds("told", address + "/ours", Board(listeners), publish)
        [newest] = await public.read("0", 1, timedelta())
        event = heard(newest).event

        async def tell(_: int) -> None:
            await bare.tell(event)

        await rounds("bare", address + "/bare", Board(listeners), tell)
        tail.stop()
        bare.stop()


async def rounds(name: str, url: str, board: Board, publish: Publish) -> None:
    """Tell all listeners of a match, again and again."""
    async with listening(url, board):
        cpu = time.process_time()
        for n in range(MATCHES):
            await board.time(publish(n))
        spent = (time.process_time() - cpu) / MATCHES
    board.waited.sort()
    p50, p99 = (board.waited[len(board.waited) * part // 100] * 1000 for part in (50, 99))
    print(
        f"{name:16} {board.listeners} listeners: p50 {p50:.1f} ms, p99 {p99:.1f} ms, cpu {spent * 1000:.1f} ms a match"
    )


async def month_of_requests(count: int, directory: Path, requests: int) -> None:
    async with month(directory, count) as desk:
        for name, ask in (await operations(desk, count)).items():
            few = requests if "backtest" not in name else max(5, requests // 20)
            await measure(desk, name, ask, few)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--articles", type=int, default=300_000)
    arguments.add_argument("--keep", type=Path, help="Where to leave the archive, to use it again.")
    arguments.add_argument("--requests", type=int, default=200)
    arguments.add_argument("--listeners", type=int, default=500)
    given = arguments.parse_args()
    asyncio.run(fan_out(given.listeners))
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(
            month_of_requests(given.articles, given.keep or Path(temporary), given.requests)
        )
