"""Servers that mean harm: each costs one feed one poll, bounded memory and bounded CPU time, and nothing after it."""

import asyncio
import json
import os
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import aiohttp
import brotli
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from monitor.core.feed import Document
from monitor.core.model import FeedState
from monitor.errors import FeedReason, FetchError, ParseError
from monitor.feeds.fetch import HttpFetcher
from monitor.feeds.process import ProcessParser
from monitor.net import AddressGuard, open_session
from tests.factories import feed
from tests.servers.feeds import (
    Answer,
    broken_off,
    document,
    endless,
    feed_server,
    item,
    redirect,
    reset,
    rss,
    slow_drip,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MEBIBYTE = 1 << 20
BOMB = 256 * MEBIBYTE
MEMORY = (
    48 * MEBIBYTE
)  # of which the body takes up to 4, as it comes, as a whole, and on its way to the parser
CPU = 5.0  # seconds
GOOD = rss(item(1), item(2))


def zipped(window: int) -> bytes:
    packer = zlib.compressobj(1, wbits=window)
    parts = [packer.compress(bytes(MEBIBYTE)) for _ in range(BOMB // MEBIBYTE)]
    return b"".join(parts) + packer.flush()


def brotlied() -> bytes:
    packer = brotli.Compressor(quality=1)
    parts = [packer.process(bytes(MEBIBYTE)) for _ in range(BOMB // MEBIBYTE)]
    return b"".join(parts) + bytes(packer.finish())


def zstandard() -> bytes:
    packer = zstd.ZstdCompressor()
    parts = [packer.compress(bytes(MEBIBYTE)) for _ in range(BOMB // MEBIBYTE)]
    return b"".join(parts) + packer.flush()


def packed(encoding: str, body: bytes) -> Answer:
    return document(body, headers={"Content-Encoding": encoding})


def announced(size: int) -> Answer:
    return document(b"<rss>", headers={"Content-Length": str(size)})


def entities(levels: int) -> str:
    defined = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol" * 10}">' for n in range(levels)
    )
    return f"<!DOCTYPE rss [{defined}]>" + rss(f"<item><title>&l{levels - 1};</title></item>")


def quadratic() -> str:
    return f'<!DOCTYPE rss [<!ENTITY a "{"a" * 50_000}">]>' + rss(
        f"<item><title>{'&a;' * 50_000}</title></item>"
    )


def namespaces(count: int) -> str:
    decorated = (f'<x{n}:y xmlns:x{n}="urn:{n}">z</x{n}:y>' for n in range(count))
    return rss(f"<item><title>1 &lt; 2</title>{''.join(decorated)}</item>")


def attributes(closing: str) -> str:
    said = " ".join(f'a{n}="1"' for n in range(200_000))
    return rss(f"<item><title>x</title><y {said}>z</{closing}></item>")


def nested(opening: str, levels: int = 200_000) -> str:
    return rss(f"<item><title>x</title><description>{opening * levels}</description></item>")


# What the server does, and what comes of it.
MATRIX: dict[str, tuple[Callable[[], Answer], str]] = {
    "gzip bomb": (lambda: packed("gzip", zipped(31)), "too_large"),
    "deflate bomb": (lambda: packed("deflate", zipped(15)), "too_large"),
    "brotli bomb": (lambda: packed("br", brotlied()), "too_large"),
    "zstandard bomb": (lambda: packed("zstd", zstandard()), "too_large"),
    "bomb in a bomb": (lambda: packed("gzip", zlib.compress(zipped(31))), "bad_response"),
    "gzip of a gzip bomb": (lambda: document(zipped(31)), "too_large"),
    "stream without end": (endless, "too_large"),
    "a gibibyte announced": (lambda: announced(1 << 30), "too_large"),
    "body byte by byte": (slow_drip, "timeout"),
    "billion laughs": (lambda: document(entities(10)), "1 articles"),
    "quadratic entities": (lambda: document(quadratic()), "1 articles"),
    "200,000 levels": (lambda: document(nested("<b>")), "parser_failed"),
    "200,000 levels as text": (lambda: document(nested("&lt;b&gt;")), "1 articles"),
    "200,000 attributes": (lambda: document(attributes("y")), "1 articles"),
    "200,000 attributes, malformed": (lambda: document(attributes("z")), "parser_failed"),
    "20,000 namespaces": (lambda: document(namespaces(20_000)), "parser_failed"),
    "JSON 200,000 deep": (lambda: document('{"items":' + "[" * 200_000), "not_a_feed"),
    "number of a million digits": (lambda: document('{"items":[' + "1" * 1_000_000), "not_a_feed"),
    "to a private address": (lambda: redirect("http://10.0.0.1/feed"), "refused_address"),
    "to the metadata of a cloud": (lambda: redirect("http://169.254.169.254/"), "refused_address"),
    "to IPv6 loopback": (lambda: redirect("http://[::1]/feed"), "refused_address"),
    "to a file": (lambda: redirect("file:///etc/passwd"), "redirect"),
    "reset before the answer": (reset, "reset"),
    "reset in the body": (lambda: broken_off(GOOD), "reset"),
}  # fmt: skip


@asynccontextmanager
async def victim() -> AsyncIterator[Callable[[str], Awaitable[dict[str, Any]]]]:
    """Start a process that fetches and parses the address it is given, and tells what that cost it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.feeds.victim"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        env=os.environ,
    )
    sink, source = process.stdin, process.stdout
    assert sink is not None
    assert source is not None

    async def cost(url: str) -> dict[str, Any]:
        sink.write(f"{url}\n".encode())
        await sink.drain()
        said: dict[str, Any] = json.loads(await source.readline())
        return said

    try:
        yield cost
    finally:
        sink.close()
        await process.wait()


async def test_each_attack_costs_one_poll_and_little_else() -> None:
    """One process suffers all of them, and a good feed after each."""
    wrong: list[str] = []
    async with feed_server() as server, victim() as cost:
        good = server.script("/good", document(GOOD))
        assert (await cost(good))["outcome"] == "2 articles"
        for name, (make, expected) in MATRIX.items():
            found = await cost(server.script("/bad", make()))
            after = await cost(good)
            if found["outcome"] != expected or after["outcome"] != "2 articles":
                wrong.append(f"{name}: {found['outcome']}, then {after['outcome']}")
            if found["grown"] > MEMORY:
                wrong.append(f"{name}: {found['grown'] / MEBIBYTE:.0f} MiB")
            if found["cpu"] > CPU:
                wrong.append(f"{name}: {found['cpu']:.1f} s")
    assert wrong == []


@asynccontextmanager
async def raw_server(
    speak: Callable[[asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """Run a server that answers whatever it is asked with what `speak` writes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await speak(writer)
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/feed"


async def flood(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(100)))
        await writer.drain()


async def long_line(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"a" * 100_000)
        await writer.drain()


async def drip(writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 10_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(os.urandom(100_000))
    await writer.drain()


async def chunks(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n")
    while True:
        writer.write(b"a" * 100_000)
        await writer.drain()


@pytest.mark.parametrize(
    ("speak", "outcomes"),
    [
        (flood, {"bad_response", "timeout"}),
        (long_line, {"bad_response"}),
        (drip, {"timeout"}),
        (garbage, {"bad_response", "reset"}),
        (chunks, {"bad_response", "too_large", "reset"}),
    ],
)
async def test_answer_that_is_hardly_http_costs_little(
    speak: Callable[[asyncio.StreamWriter], Awaitable[None]], outcomes: set[str]
) -> None:
    async with raw_server(speak) as url, feed_server() as server, victim() as cost:
        good = server.script("/good", document(GOOD))
        await cost(good)
        found = await cost(url)
        assert found["outcome"] in outcomes
        assert found["grown"] < MEMORY
        assert found["cpu"] < CPU
        assert (await cost(good))["outcome"] == "2 articles"


class Rebinding(AbstractResolver):
    """Gives an allowed address first, and a private one whenever it is asked again."""

    def __init__(self) -> None:
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        self.asked += 1
        address = "127.0.0.1" if self.asked == 1 else "10.0.0.1"
        return [ResolveResult(hostname=host, host=address, port=port, family=2, proto=0, flags=0)]

    async def close(self) -> None:
        return


async def test_name_that_is_bound_to_a_private_address_later_is_refused_then() -> None:
    resolver = Rebinding()
    async with (
        feed_server() as server,
        open_session(
            AddressGuard([IPv4Network("127.0.0.0/8")]), user_agent="test", resolver=resolver
        ) as session,
    ):
        server.script("/feed", document(GOOD))
        port = server.base.rpartition(":")[2]
        fetcher = HttpFetcher(session)
        asked = feed(url=f"http://rebound.example:{port}/feed")
        assert (await fetcher.fetch(asked, FeedState())).status == 200
        assert isinstance(session.connector, aiohttp.TCPConnector)
        session.connector.clear_dns_cache()
        await session.connector.close()
    async with open_session(
        AddressGuard([IPv4Network("127.0.0.0/8")]), user_agent="test", resolver=resolver
    ) as session:
        with pytest.raises(FetchError) as caught:
            await HttpFetcher(session).fetch(asked, FeedState())
    assert caught.value.reason is FeedReason.REFUSED_ADDRESS


async def test_documents_that_hang_do_not_hold_up_the_others() -> None:
    """As many hang as there are workers: they step aside for those that wait."""
    hanging = Document(url="http://bad.example/", status=200, body=namespaces(60_000).encode())
    async with (
        ProcessParser(workers=2, timeout=timedelta(seconds=6)) as parser,
        asyncio.TaskGroup() as group,
    ):
        bad = [group.create_task(failure(parser, hanging)) for _ in range(2)]
        await asyncio.sleep(0)
        for number in range(10):
            url = f"http://good.example/{number}"
            await parser.parse(Document(url=url, status=200, body=GOOD.encode()))
        assert not any(task.done() for task in bad)
    assert all(task.result() is FeedReason.PARSER_FAILED for task in bad)


async def failure(parser: ProcessParser, hanging: Document) -> FeedReason:
    try:
        await parser.parse(hanging)
    except ParseError as error:
        return error.reason
    raise AssertionError("it was parsed")
