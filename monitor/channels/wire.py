"""Requests over connections that are kept: the client of every channel that speaks HTTP.

Why it is our own says docs/decisions/0029-posts-on-the-wire.md.
"""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from ssl import SSLContext
from typing import Any
from urllib.parse import unquote

from yarl import URL

from monitor.channels.exchange import Answer, Connection
from monitor.net import AddressGuard, dial, usual_trust

_STALE_SECONDS = 1.0
# An answer is short. Whatever comes in one piece is parsed in one go, so that little is taken in at once.
_TAKEN_IN = 4 * 1024
_ADDRESSES_KNOWN = 1024
_USUAL = {"accept": "*/*", "accept-encoding": "identity"}  # a body is read as it is
_PORTS = {"http": 80, "https": 443}
# What says where a request ends is for us to say, and connections are kept or not whatever a target wants.
_OURS = frozenset({"content-length", "transfer-encoding", "connection", "expect", "upgrade"})

Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """How long an exchange may take in all, how long a dial may, and how long an idle connection is kept."""

    total: timedelta = timedelta(seconds=15)
    connect: timedelta = timedelta(seconds=5)
    idle: timedelta = timedelta(seconds=4)  # most servers close an idle connection after 5 s


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a URL leads: scheme, host and port, what the request line asks for, and headers that follow from it."""

    origin: Origin
    path: str
    headers: Mapping[str, str] = field(repr=False)


class Wire:
    """Sends requests, and keeps connections for some seconds. No redirect is followed, no cookie kept.

    Use it with `close`, in a running event loop.
    """

    def __init__(
        self,
        guards: Mapping[str, AddressGuard],
        *,
        user_agent: str,
        limits: TimeLimits,
        tls: SSLContext | None = None,
    ) -> None:
        """Dial what the guard of a scheme, `http` or `https`, allows; trust `tls`, or the usual authorities."""
        self._guards = guards
        self._user_agent = user_agent
        self._total = limits.total.total_seconds()
        self._connect = limits.connect.total_seconds()
        self._idle_for = limits.idle.total_seconds()
        self._tls = tls or usual_trust()
        self._idle: dict[Origin, list[Connection]] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], keep: int
    ) -> Answer:
        """Return the answer with at most `keep` bytes of its body.

        A kept connection that the receiver had closed meanwhile costs one immediate repetition with the same headers,
        because the request was not read. Raise `ValueError` for an address or a header that cannot be used, else
        `NoAnswerError`, `TimeoutError` or another `OSError`.
        """
        clock = asyncio.get_running_loop().time
        place, began = _placed(url), clock()
        request, deadline = self._written(method, url, body, headers), began + self._total
        kept = self._take(place.origin, began)
        if kept:
            try:
                return await self._exchange(kept, place.origin, request, keep, deadline)
            except ConnectionError:
                if kept.heard or clock() - began > _STALE_SECONDS:
                    raise
        dialled = await self._dial(place.origin, deadline)
        return await self._exchange(dialled, place.origin, request, keep, deadline)

    async def close(self) -> None:
        """Close the connections that are kept."""
        if self._sweep:
            self._sweep.cancel()
        for kept in self._idle.values():
            for connection in kept:
                connection.abort()
        self._idle.clear()
        await asyncio.sleep(0)  # transports end in the next turn of the loop

    def _written(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        opening, names = _opening(method, url, self._user_agent, tuple(headers))
        own = [f"{name}: {headers[name]}" for name in names]
        return b"%b%b\r\n%b" % (opening, _lines([*own, f"content-length: {len(body)}"]), body)

    async def _exchange(
        self, connection: Connection, origin: Origin, request: bytes, keep: int, deadline: float
    ) -> Answer:
        try:
            return await connection.ask(request, keep, deadline)
        finally:
            if connection.reusable:
                self._keep(origin, connection)
            else:
                connection.abort()

    async def _dial(self, origin: Origin, deadline: float) -> Connection:
        scheme, host, port = origin
        loop = asyncio.get_running_loop()
        async with asyncio.timeout_at(deadline):
            async with asyncio.timeout(self._connect):
                dialled = await dial(self._guards[scheme], host, port, _TAKEN_IN)
            secured: dict[str, Any] = (
                {"ssl": self._tls, "server_hostname": host} if scheme == "https" else {}
            )
            _, connection = await loop.create_connection(
                lambda: Connection(loop), sock=dialled, **secured
            )
        return connection

    def _take(self, origin: Origin, now: float) -> Connection | None:
        """Return the connection that was used last, if it is still good."""
        kept = self._idle.get(origin)
        while kept:
            connection = kept.pop()
            if connection.reusable and now - connection.idle_since < self._idle_for:
                return connection
            connection.abort()
        return None

    def _keep(self, origin: Origin, connection: Connection) -> None:
        self._idle.setdefault(origin, []).append(connection)
        if self._sweep is None:
            loop = asyncio.get_running_loop()
            self._sweep = loop.call_later(self._idle_for, self._close_idle, loop)

    def _close_idle(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close what has lain idle, and look again later while anything is left."""
        before = loop.time() - self._idle_for
        for origin, kept in list(self._idle.items()):
            good = [one for one in kept if one.reusable and one.idle_since > before]
            for connection in kept:
                if connection not in good:
                    connection.abort()
            self._idle[origin] = good
            if not good:
                del self._idle[origin]
        again = bool(self._idle)
        self._sweep = loop.call_later(self._idle_for, self._close_idle, loop) if again else None


@lru_cache(_ADDRESSES_KNOWN)
def _placed(url: str) -> _Place:
    """Read an address; raise `ValueError`, which may quote it, where it is none of http or https."""
    said = URL(url)
    host = (said.raw_host or "").rstrip(".")
    if said.scheme not in _PORTS or not host or not _is_certain(host):
        raise ValueError("no address of http or https")
    headers = {"host": said.host_port_subcomponent or host}
    if said.raw_user is not None:
        login = f"{unquote(said.raw_user)}:{unquote(said.raw_password or '')}"
        headers["authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    origin = (said.scheme, host, said.port or _PORTS[said.scheme])
    return _Place(origin, said.raw_path_qs or "/", headers)


@lru_cache(_ADDRESSES_KNOWN)
def _opening(
    method: str, url: str, user_agent: str, names: tuple[str, ...]
) -> tuple[bytes, tuple[str, ...]]:
    """Return the request line with the headers that are said unless `names` has them, and which of `names` are said."""
    place, given = _placed(url), {name.lower() for name in names}
    usual = {"user-agent": user_agent, **_USUAL, **place.headers}
    lines = [f"{name}: {value}" for name, value in usual.items() if name not in given]
    said = tuple(name for name in names if name.lower() not in _OURS)
    return _lines([f"{method} {place.path} HTTP/1.1", *lines]), said


def _lines(lines: Sequence[str]) -> bytes:
    """Return lines as they are sent; raise `ValueError` for one that would be several."""
    text = "\r\n".join(lines) + "\r\n"
    count = len(lines)
    if text.count("\r") != count or text.count("\n") != count or "\0" in text:
        raise ValueError("a header has a line break in it")
    return text.encode()


def _is_certain(host: str) -> bool:
    """Tell whether a host is a name or a whole address: resolvers read `127.1` as an address, each in its own way."""
    if not host.rpartition(".")[2][:1].isdigit():
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
