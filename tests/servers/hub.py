"""A WebSub hub on 127.0.0.1, by the rules of the Recommendation; what it forgets and gets wrong is scripted."""

import asyncio
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from tests.wait import wait_until


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who asked for a topic."""

    callback: str
    secret: str


class Hub:
    """Takes subscriptions, verifies each, and pushes what is published."""

    def __init__(self) -> None:
        self.url = ""
        self.lease_seconds = 3600
        self.refuse_with = 0
        self.verifies = True
        self.asked: list[dict[str, str]] = []
        self.echoes: list[tuple[int, str]] = []
        self.subscribers: dict[str, Subscriber] = {}
        self._session: aiohttp.ClientSession | None = None
        self._tasks: asyncio.TaskGroup | None = None

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request for a subscription; verify it after the answer, as the rules ask."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if self.refuse_with:
            return web.Response(status=self.refuse_with, text="no")
        if self.verifies:
            assert self._tasks
            self._tasks.create_task(self.verify(form))
        return web.Response(status=202)

    async def verify(self, form: dict[str, str], **changes: str) -> tuple[int, str]:
        """Ask the subscriber whether it means it; count it in if it does."""
        challenge = secrets.token_urlsafe(16)
        query = {
            "hub.mode": form["hub.mode"],
            "hub.topic": form["hub.topic"],
            "hub.challenge": challenge,
            "hub.lease_seconds": str(self.lease_seconds),
        } | changes
        status, echo = await self._get(form["hub.callback"], query)
        self.echoes.append((status, echo))
        if status == 200 and echo == challenge and query["hub.mode"] == "unsubscribe":
            del self.subscribers[form["hub.topic"]]
        elif status == 200 and echo == challenge:
            self.subscribers[form["hub.topic"]] = Subscriber(
                form["hub.callback"], form.get("hub.secret", "")
            )
        return status, echo

    async def publish(
        self, topic: str, body: str | bytes, method: str = "sha256", secret: str | None = None
    ) -> int:
        """Push a document to the one who subscribed, once that is so; return how that was answered."""
        await wait_until(lambda: topic in self.subscribers, "there is a subscriber")
        subscriber = self.subscribers[topic]
        data = body.encode() if isinstance(body, str) else body
        key = (subscriber.secret if secret is None else secret).encode()
        headers = {
            "Content-Type": "application/rss+xml",
            "Link": f'<{self.url}>; rel="hub", <{topic}>; rel="self"',
            "X-Hub-Signature": f"{method}={hmac.new(key, data, method).hexdigest()}",
        }
        return await self.post(subscriber.callback, data, headers)

    async def post(self, url: str, data: bytes, headers: dict[str, str]) -> int:
        """Post anything anywhere."""
        assert self._session
        async with self._session.post(url, data=data, headers=headers) as response:
            return response.status

    async def _get(self, url: str, query: dict[str, str]) -> tuple[int, str]:
        assert self._session
        async with self._session.get(url, params=query) as response:
            return response.status, await response.text()

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[str]:
        """Run while the block runs; what it knows outlives the block, as a hub's disk would."""
        application = web.Application()
        application.router.add_post("/", self.handle)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        async with aiohttp.ClientSession() as self._session, asyncio.TaskGroup() as self._tasks:
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
                self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
                yield self.url
            finally:
                await runner.cleanup()
