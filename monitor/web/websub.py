"""Where hubs verify subscriptions and push documents. Off where no public address is configured."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from monitor.errors import StreamError

PATH = "/websub/"
ROUTE = f"{PATH}{{feed_id}}/{{token}}"
_ACCEPTED, _TOO_LARGE, _TRY_AGAIN = 202, 413, 503
_READ_WITHIN = 30.0
_AT_ONCE = 8
_CHUNK = 65_536
# The challenge is a stranger's text: nothing may take it for a page (section 8.2 of the Recommendation).
_SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class Callback(Protocol):
    """Decides what hubs are answered."""

    async def verify(self, feed_id: str, token: str, query: Mapping[str, str]) -> str | None:
        """Return what to echo, or None for 404."""
        ...

    async def expects(self, feed_id: str, token: str) -> int:
        """Return 202 when a push is worth reading, else the status to refuse it with."""
        ...

    async def pushed(
        self, feed_id: str, token: str, signature: str, content_type: str, body: bytes
    ) -> int:
        """Take a push, and return the status to answer with."""
        ...


class HubPages:
    """The endpoints for hubs."""

    def __init__(self, callback: Callback, max_bytes: int) -> None:
        """Read at most `max_bytes` of what is pushed."""
        self._callback = callback
        self._max_bytes = max_bytes
        self._free = asyncio.Semaphore(_AT_ONCE)

    def add_to(self, app: web.Application) -> None:
        """Serve the endpoints in an application."""
        app.router.add_get(ROUTE, self.verify, allow_head=False)
        app.router.add_post(ROUTE, self.push)

    async def verify(self, request: web.Request) -> web.Response:
        """Echo the challenge of a subscription that we asked for."""
        try:
            echo = await self._callback.verify(*_names(request), request.query)
        except StreamError:
            return web.Response(status=_TRY_AGAIN)
        if echo is None:
            raise web.HTTPNotFound
        return web.Response(
            body=echo.encode(), content_type="application/octet-stream", headers=_SAFE
        )

    async def push(self, request: web.Request) -> web.Response:
        """Take a document. It is read only where it is expected, and only as much as a poll would read."""
        feed_id, token = _names(request)
        try:
            status = await self._callback.expects(feed_id, token)
            if status != _ACCEPTED:
                return web.Response(status=status)
            async with self._free:
                body = await self._read(request)
                if body is None:
                    return web.Response(status=_TOO_LARGE)
                status = await self._callback.pushed(
                    feed_id,
                    token,
                    request.headers.get("X-Hub-Signature", ""),
                    request.headers.get("Content-Type", ""),
                    body,
                )
        except StreamError:
            status = _TRY_AGAIN
        return web.Response(status=status)

    async def _read(self, request: web.Request) -> bytes | None:
        body = bytearray()
        try:
            async with asyncio.timeout(_READ_WITHIN):
                async for chunk in request.content.iter_chunked(_CHUNK):
                    body += chunk
                    if len(body) > self._max_bytes:
                        return None
        except TimeoutError:
            return None
        return bytes(body)


def _names(request: web.Request) -> tuple[str, str]:
    return request.match_info["feed_id"], request.match_info["token"]
