"""Asking hubs to push, or to push no more, over HTTP."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urljoin

import aiohttp

from monitor.core.render.clean import line
from monitor.core.websub import LEASE
from monitor.net import refused

_TIMEOUT = timedelta(seconds=20)
_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT})
_READ = 512
_SUCCESS = range(200, 300)


class HttpHubClient:
    """Sends requests for subscriptions and their ends, with the address guard of the session."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        """Take a session that guards what it dials; its owner closes it."""
        self._session = session

    async def subscribe(self, hub: str, topic: str, callback: str, secret: str) -> str:
        """Ask `hub` to push `topic` to `callback`; return "" when it took the request, else what is wrong."""
        form = {
            "hub.mode": "subscribe",
            "hub.topic": topic,
            "hub.callback": callback,
            "hub.secret": secret,
            "hub.lease_seconds": str(int(LEASE.total_seconds())),
        }
        return await self._ask(hub, form)

    async def unsubscribe(self, hub: str, topic: str, callback: str) -> str:
        """Ask `hub` to push `topic` to `callback` no more; return as `subscribe` does."""
        form = {"hub.mode": "unsubscribe", "hub.topic": topic, "hub.callback": callback}
        return await self._ask(hub, form)

    async def _ask(self, hub: str, form: dict[str, str]) -> str:
        try:
            async with asyncio.timeout(_TIMEOUT.total_seconds()):
                return await self._post(hub, form)
        except TimeoutError:
            return f"no answer within {_TIMEOUT.total_seconds():g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return line(str(refused(error) or error) or type(error).__name__, 200)

    async def _post(self, hub: str, form: dict[str, str]) -> str:
        for _ in range(_MOST_REDIRECTS + 1):
            async with self._session.post(hub, data=form, allow_redirects=False) as response:
                if response.status in _REDIRECTS:
                    hub = urljoin(hub, response.headers.get("Location", ""))
                    continue
                if response.status in _SUCCESS:
                    return ""
                said = (await response.content.read(_READ)).decode("utf-8", "replace")
                return line(f"HTTP {response.status} {said}", 200)
        return f"more than {_MOST_REDIRECTS} redirects"
