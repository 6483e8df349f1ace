"""The endpoints for operators: alive, ready, metrics."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from monitor.core.canary import PATH
from monitor.errors import StreamError
from monitor.ports import StoreHealth
from monitor.telemetry import Metrics

_PING_SECONDS = 2.0
LARGEST_BODY = 256 * 1024
_LONGEST_LINE = 32 * 1024  # bytes: a query of 2,000 characters of any script in an address
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

log = structlog.get_logger()


class Endpoints:
    """`/healthz`: the process answers. `/readyz`: the store answers and the configuration is in force. `/metrics`."""

    def __init__(
        self,
        store: StoreHealth,
        metrics: Metrics,
        problems: Callable[[], Mapping[str, str]],
        canary: Callable[[], str] | None = None,
    ) -> None:
        """Ask `problems` for what else is wrong, name to sentence, and `canary` for its document, if there is one."""
        self._canary = canary
        self._store = store
        self._metrics = metrics
        self._problems = problems

    def application(self) -> web.Application:
        """Return the application with its routes."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_get("/healthz", self.alive)
        app.router.add_get("/readyz", self.ready)
        app.router.add_get("/metrics", self.metrics)
        if self._canary:
            app.router.add_get(PATH, self.canary)
        return app

    async def alive(self, _request: web.Request) -> web.Response:
        """Answer, which is all that is asked."""
        return web.json_response({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """Answer 200 when work can be done, 503 with what is wrong otherwise."""
        problems = dict(self._problems())
        try:
            async with asyncio.timeout(_PING_SECONDS):
                await self._store.ping()
        except StreamError as error:
            problems["store"] = str(error)
        except TimeoutError:
            problems["store"] = f"no answer within {_PING_SECONDS:g} s"
        status = "not ready" if problems else "ok"
        return web.json_response(
            {"status": status, "problems": problems}, status=503 if problems else 200
        )

    async def canary(self, _request: web.Request) -> web.Response:
        """Answer with the feed of our own."""
        document = self._canary() if self._canary else ""
        return web.Response(text=document, content_type="application/rss+xml")

    async def metrics(self, _request: web.Request) -> web.Response:
        """Answer with what Prometheus scrapes."""
        return web.Response(
            body=self._metrics.exposition(), headers={"Content-Type": _METRICS_TYPE}
        )


@asynccontextmanager
async def serve(application: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Listen while the block runs; yield the address. Port 0 picks a free one. Raise `OSError` if it is taken."""
    runner = web.AppRunner(application, access_log=None, max_line_size=_LONGEST_LINE)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        address = f"http://{f'[{host}]' if ':' in host else host}:{bound}"
        log.info("web_listening", address=address)
        yield address
    finally:
        await runner.cleanup()
