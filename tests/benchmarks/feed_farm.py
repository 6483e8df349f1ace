"""A server of many feeds, as cheap as Python makes it, so that what is measured is who asks.

Run: `python -m tests.benchmarks.feed_farm`; it prints its port. Every path is a feed of 50 articles with an ETag.
"""

import asyncio
import sys
from typing import cast

import uvloop

from tests.servers.feeds import item, rss

_BODY = rss(
    *(item(n, text="A report of some length, as feeds have them. " * 10) for n in range(50))
).encode()
_HEAD = b'Content-Type: application/rss+xml\r\nETag: "1"\r\n'
_FULL = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (_HEAD, len(_BODY), _BODY)
_SAME = b"HTTP/1.1 304 Not Modified\r\n%s\r\n" % _HEAD


class Farm(asyncio.Protocol):
    """Answers 304 to who sends a validator."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.read = b""

    def data_received(self, data: bytes) -> None:
        self.read += data
        while b"\r\n\r\n" in self.read:
            request, _, self.read = self.read.partition(b"\r\n\r\n")
            self.transport.write(_SAME if b"if-none-match" in request.lower() else _FULL)


async def serve() -> None:
    """Answer until the standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Farm, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve())
