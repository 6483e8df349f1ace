"""Every route, asked by strangers and by other sites, and with what it is not for."""

import asyncio
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from monitor.core.access import Scope
from monitor.web.app import LARGEST_BODY
from tests.integration.web.conftest import Desk, seen
from tests.integration.web.test_page import OURS, sign_in

# For everybody: no news, no names of subscribers, nothing that can be changed.
OPEN = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/openapi.json",
    "/api/asyncapi.json",
    "/sign-in",
    "/static/{version}/{name}",
}
CLIMBS = [
    "../../../../etc/passwd",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "..%5c..%5cetc%5cpasswd",
    "%252e%252e%252fetc%252fpasswd",
    "%00",
    "a%0d%0aSet-Cookie:%20evil=1",
]


def routes(desk: Desk) -> Iterator[tuple[str, str]]:
    """Yield method and path of everything that is served."""
    for route in desk.app.router.routes():
        resource = route.resource
        if isinstance(resource, web.Resource) and route.method != "HEAD":
            yield route.method, resource.canonical


def filled(path: str, name: str = "x") -> str:
    """Return a path in which every place has a name."""
    return re.sub(r"{\w+}", name, path.replace("{kind}", "atom"))


async def test_nothing_but_what_is_open_answers_a_stranger(desk: Desk) -> None:
    closed = [(method, path) for method, path in routes(desk) if path not in OPEN]
    assert len(closed) > 30
    for method, path in closed:
        for headers in ({}, {"Authorization": "Bearer mon_wrong"}, {"Cookie": "monitor_session=x"}):
            answer = await desk.ask(
                method, filled(path), None, headers=OURS | headers, allow_redirects=False
            )
            signs_in = answer.status == 303 and answer.headers["Location"].startswith("/sign-in")
            assert answer.status == 401 or signs_in, (method, path, headers)


async def test_a_button_pressed_by_another_site_does_nothing(desk: Desk) -> None:
    await sign_in(desk)
    buttons = [path for method, path in routes(desk) if method == "POST" and "/api/" not in path]
    assert len(buttons) > 5
    for path in buttons:
        answer = await desk.ask(
            "POST", filled(path), None, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert answer.status == 403, path


async def test_a_cookie_opens_nothing_of_the_api(desk: Desk) -> None:
    await sign_in(desk)
    for method, path in routes(desk):
        if path.startswith("/api/") and path not in OPEN:
            assert (await desk.ask(method, filled(path), None)).status == 401, path


async def test_a_body_that_is_too_large_is_refused_wherever_one_is_read(desk: Desk) -> None:
    await sign_in(desk)
    form = b"token=" + b"x" * LARGEST_BODY
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for method, path in routes(desk):
        if method == "POST" and path != "/sign-out":
            answer = await desk.ask(
                method, filled(path), data=form, headers=OURS | kind, allow_redirects=False
            )
            # What reads no body answers as ever.
            assert answer.status in {200, 303, 404, 413, 415}, (path, answer.status)
    for path in ("/sign-in", "/silences", "/editor/try", "/editor/backtest", "/subscribers/test"):
        answer = await desk.ask("POST", path, data=form, headers=OURS | kind)
        assert answer.status == 413, path


@pytest.mark.parametrize("climb", CLIMBS)
async def test_no_name_in_a_path_leaves_its_place(desk: Desk, climb: str) -> None:
    await desk.keep(seen("a1", "Talks", "talks"))
    await sign_in(desk)
    [cookie] = [each for each in desk.session.cookie_jar if each.key == "monitor_session"]
    for method, path in routes(desk):
        if method == "GET" and "{" in path:
            head, body = await raw(
                desk,
                f"GET {filled(path, climb)} HTTP/1.1",
                "Authorization: " + desk.headers(Scope.ADMIN)["Authorization"],
                f"Cookie: monitor_session={cookie.value}",
            )
            assert head.split()[1] in {b"400", b"404"}, (path, head)
            assert b"evil" not in head.lower()
            assert b"root:" not in body


@pytest.mark.parametrize(
    "line",
    [
        "GET /api/rules HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
        "GET /api/rules HTTP/1.1\r\nX-Long: " + "x" * 20_000,
        "GET /api/articles?query=" + "x" * 40_000 + " HTTP/1.1",
        "GET /api/rules HTTP/9.9",
        "GET /api/rules\x00 HTTP/1.1",
        "GET /api/stream HTTP/1.1\r\nLast-Event-ID: 1-\u0661",
        f"GET /api/stream HTTP/1.1\r\nLast-Event-ID: {2**64}-0",
    ],
)
async def test_a_request_that_is_none_is_refused(desk: Desk, line: str) -> None:
    token = "Authorization: " + desk.headers(Scope.ADMIN)["Authorization"]
    head, _ = await raw(desk, line, token)
    assert head.split()[1] in {b"400", b"505"}


async def raw(desk: Desk, *lines: str) -> tuple[bytes, bytes]:
    """Send these lines as they are, which clients would tidy up; return the head and the body of the answer."""
    url = urlsplit(desk.address)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    assert desk.gate
    desk.gate._allowances.clear()
    writer.write("\r\n".join([*lines, "Host: monitor", "Connection: close", "", ""]).encode())
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body
