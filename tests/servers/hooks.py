"""Receivers of webhooks: one that records and answers as told, and a raw one that need not speak HTTP."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request as it came. Header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True, kw_only=True)
class Reply:
    """How to answer one request. `reset` drops the connection instead; `drip` sends the body a byte each so often."""

    status: int = 200
    text: str = "ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    reset: bool = False
    drip: float | None = None


@dataclass
class HookServer:
    """A receiver on 127.0.0.1. `replies` are given first, one a request, and then `default` for ever.

    With a `gate` nobody is answered before it opens.
    """

    default: Reply = field(default_factory=Reply)
    tls: ssl.SSLContext | None = None
    gate: asyncio.Event | None = None
    replies: deque[Reply] = field(default_factory=deque)
    received: list[Received] = field(default_factory=list)
    url: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.tls).start()
        scheme = "https" if self.tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def reply(self, *replies: Reply) -> None:
        """Answer the next requests so."""
        self.replies.extend(replies)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.received.append(
            Received(
                method=request.method,
                path=request.path,
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.read(),
                connection=id(request.transport),
            )
        )
        if self.gate:
            await self.gate.wait()
        reply = self.replies.popleft() if self.replies else self.default
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.reset:
            assert request.transport is not None
            request.transport.abort()
        if reply.drip is None:
            return web.Response(status=reply.status, text=reply.text, headers=reply.headers)
        return await _drip(request, reply, reply.drip)


async def _drip(request: web.Request, reply: Reply, pause: float) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    await response.prepare(request)
    for byte in reply.text.encode():
        await response.write(bytes([byte]))
        await asyncio.sleep(pause)
    return response


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(talk: Conversation, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve `talk` to every connection, and give the address; whoever hangs is cut off at the end."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls, limit=2**20)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in set(tasks):
            task.cancel()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read a request with a Content-Length whole; return its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    return await reader.readexactly(length)
