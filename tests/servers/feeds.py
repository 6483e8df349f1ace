"""A feed server on 127.0.0.1 that answers from a script, well or badly, and keeps what it was asked."""

import asyncio
import gzip
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from html import escape
from ipaddress import IPv4Network

import aiohttp
import brotli
from aiohttp import web
from backports import zstd

from monitor.net import AddressGuard, open_session

LOOPBACK = IPv4Network("127.0.0.0/8")
USER_AGENT = "monitor-test/1 (+http://monitor.example)"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it came; `headers` has lower-case names."""

    path: str
    headers: dict[str, str]


class FeedServer:
    """Answers each path with the answers scripted for it, one after the other; the last one stays."""

    def __init__(self) -> None:
        self.base = ""
        self.requests: list[Seen] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._scripts: dict[str, list[Answer]] = defaultdict(list)

    def script(self, path: str, *answers: Answer) -> str:
        """Answer `path` with `answers` from now on; return its address."""
        self._scripts[path] = list(answers)
        return self.base + path

    def asked(self, path: str) -> list[dict[str, str]]:
        """Return the headers of the requests for `path`, in the order in which they came."""
        return [seen.headers for seen in self.requests if seen.path == path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(Seen(path=request.path, headers=headers))
        answers = self._scripts[request.path]
        if not answers:
            return web.Response(status=404)
        answer = answers[0] if len(answers) == 1 else answers.pop(0)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await answer(request)
        finally:
            self.in_flight -= 1


@asynccontextmanager
async def feed_server() -> AsyncIterator[FeedServer]:
    """Run a server on a free port."""
    server = FeedServer()
    application = web.Application()
    application.router.add_get("/{path:.*}", server.handle)
    application.router.add_post("/{path:.*}", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        server.base = f"http://{host}:{port}"
        yield server
    finally:
        await runner.cleanup()


def open_test_session() -> aiohttp.ClientSession:
    """Open a session as the product does, which may dial this machine."""
    return open_session(AddressGuard([LOOPBACK]), user_agent=USER_AGENT)


# --- what it can answer ---


def document(
    body: str | bytes,
    *,
    etag: str | None = None,
    last_modified: str | None = None,
    content_type: str = "application/rss+xml; charset=utf-8",
    headers: dict[str, str] | None = None,
) -> Answer:
    """Send a document with its validators, or 304 to who sends one of them back."""
    sent = {"Content-Type": content_type} | (headers or {})
    if etag is not None:
        sent["ETag"] = etag
    if last_modified is not None:
        sent["Last-Modified"] = last_modified

    async def answer(request: web.Request) -> web.StreamResponse:
        has_etag = etag is not None and request.headers.get("If-None-Match") == etag
        has_date = (
            last_modified is not None and request.headers.get("If-Modified-Since") == last_modified
        )
        if has_etag or has_date:
            return web.Response(status=304, headers={**sent})
        return web.Response(body=_bytes(body), headers=sent)

    return answer


def status(code: int, body: str = "", **headers: str) -> Answer:
    """Send a status; `retry_after="3"` is the header Retry-After."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, text=body, headers=named)

    return answer


def redirect(to: str, code: int = 302) -> Answer:
    """Send on to another address."""
    return status(code, location=to)


def gzipped(body: str | bytes) -> Answer:
    """Send a compressed document."""
    return document(gzip.compress(_bytes(body)), headers={"Content-Encoding": "gzip"})


def deflated(body: str | bytes, *, with_header: bool = True) -> Answer:
    """Send a document as `deflate`, with the zlib header that the RFC asks for or without."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS if with_header else -zlib.MAX_WBITS)
    packed = packer.compress(_bytes(body)) + packer.flush()
    return document(packed, headers={"Content-Encoding": "deflate"})


def packed(body: str | bytes, encoding: str) -> Answer:
    """Send a document compressed by `gzip`, `br` or `zstd`."""
    pack = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd.compress}[encoding]
    return document(pack(_bytes(body)), headers={"Content-Encoding": encoding})


def bomb(megabytes: int) -> Answer:
    """Send little that becomes much."""
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    packed = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(megabytes))
    return document(packed + packer.flush(), headers={"Content-Encoding": "gzip"})


def endless() -> Answer:
    """Send without end, as fast as the line takes it."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"<item/>" * 9_000)

    return answer


def slow_drip(interval: float = 0.02) -> Answer:
    """Send one byte at a time, without end."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(interval)

    return answer


def held(gate: asyncio.Event, body: str | bytes = "") -> Answer:
    """Send a document, but not before `gate` is set."""

    async def answer(_: web.Request) -> web.StreamResponse:
        await gate.wait()
        return web.Response(body=_bytes(body))

    return answer


def reset() -> Answer:
    """Close the connection without a word."""

    async def answer(request: web.Request) -> web.StreamResponse:
        _abort(request)
        return web.Response()

    return answer


def broken_off(body: str | bytes) -> Answer:
    """Announce twice as much as is sent, then close."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(2 * len(_bytes(body)))})
        await response.prepare(request)
        await response.write(_bytes(body))
        _abort(request)
        return response

    return answer


# --- what it can answer with ---


def rss(*items: str, title: str = "Example World") -> str:
    """Write an RSS document."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(title)}</title><link>http://news.example/</link>"
        f"{''.join(items)}</channel></rss>"
    )


def item(
    number: int,
    *,
    title: str | None = None,
    text: str = "",
    guid: str | None = None,
    link: str | None = None,
    published_at: datetime | None = None,
) -> str:
    """Write an entry of an RSS document; one with an empty guid or link has none."""
    parts = {
        "title": f"Story {number}" if title is None else title,
        "link": f"http://news.example/{number}" if link is None else link,
        "guid": f"story-{number}" if guid is None else guid,
        "description": text,
        "pubDate": f"{published_at:%a, %d %b %Y %H:%M:%S %z}" if published_at else "",
    }
    return f"<item>{''.join(_elements(parts.items()))}</item>"


def _elements(parts: Iterable[tuple[str, str]]) -> Iterable[str]:
    return (f"<{name}>{escape(value)}</{name}>" for name, value in parts if value)


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
