"""Puts the API into an application."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from monitor.web.api import asyncapi
from monitor.web.api.asyncapi import ASYNCAPI
from monitor.web.api.live import Live, Tail
from monitor.web.api.making import Making
from monitor.web.api.matched import Matched
from monitor.web.api.openapi import STREAM, document
from monitor.web.api.operation import Gate, serve_operation

OPENAPI = "/api/openapi.json"


def add_api(app: web.Application, making: Making, gate: Gate, tail: Tail) -> None:
    """Serve every operation, the stream of matches, and the documents that describe them."""
    ours = making.operations
    described = (*ours.all(), *Matched(ours).all(), *making.all())
    for each in described:
        app.router.add_route(each.method, each.path, serve_operation(each, gate))

    async def stop(_app: web.Application) -> None:
        tail.stop()

    app.on_shutdown.append(stop)
    app.router.add_get(STREAM, Live(tail, gate).stream)
    app.router.add_get(OPENAPI, _same(document(described)))
    app.router.add_get(ASYNCAPI, _same(asyncapi.document()))


def _same(said: dict[str, Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return what answers with the same JSON always."""
    body = msgspec.json.encode(said)

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    return answer
