"""Matches as they come: one reader of the public stream, any number of listeners."""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from datetime import timedelta

from aiohttp import web

from monitor.core.access import Scope
from monitor.errors import StreamError
from monitor.ports import PublicEntry, PublicStream
from monitor.web.api.operation import ApiProblem, Gate

_ID = re.compile(r"([0-9]{1,20})(?:-([0-9]{1,20}))?")
_BEYOND = 2**64
_WAIT = timedelta(seconds=5)
_KEPT = 1000  # entries in memory, for listeners that are a little behind
_AT_ONCE = 200
_BEAT_SECONDS = 15.0
_PAUSE_SECONDS = 1.0
MOST_LISTENERS = 1000
EVENT_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy must not hold events back
}


def order(entry_id: str) -> tuple[int, int]:
    """Return an entry id as numbers that compare; raise `ValueError` if it is none."""
    found = _ID.fullmatch(entry_id)
    numbers = (int(found[1]), int(found[2] or 0)) if found else (_BEYOND, 0)
    if max(numbers) >= _BEYOND:
        raise ValueError(f"{entry_id[:50]!r} is no id of an event")
    return numbers


class Tail:
    """The newest entries of the stream, and a bell for each that comes."""

    def __init__(self, public: PublicStream) -> None:
        """Read nothing yet; `run` does."""
        self._public = public
        self._recent: deque[PublicEntry] = deque(maxlen=_KEPT)
        self._last = ""
        self._rung = asyncio.Event()
        self.listeners = 0
        self.stopped = False

    async def run(self) -> None:
        """Follow the stream until cancelled, while somebody listens."""
        while True:
            try:
                if not self._last:
                    self._last = await self._public.last()
                for entry in await self._public.read(self._last, _AT_ONCE, _WAIT):
                    self._recent.append(entry)
                    self._last = entry.id
                    self._ring()
            except StreamError:
                await asyncio.sleep(_PAUSE_SECONDS)

    def stop(self) -> None:
        """Tell listeners to go: the server stops."""
        self.stopped = True
        self._ring()

    def _ring(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()

    async def after(self, entry_id: str, seconds: float) -> Sequence[PublicEntry]:
        """Return what came after an entry; wait for something at most so long."""
        behind = self._recent and order(entry_id) < order(self._recent[0].id)
        if behind or (not self._recent and order(entry_id) < order(self._last or "0")):
            return await self._public.read(entry_id, _AT_ONCE, timedelta())
        fresh = self._fresh(entry_id)
        if not fresh:
            try:
                async with asyncio.timeout(seconds):
                    await self._rung.wait()
            except TimeoutError:
                return ()
            fresh = self._fresh(entry_id)
        return fresh

    def _fresh(self, entry_id: str) -> list[PublicEntry]:
        known = order(entry_id)
        return [entry for entry in self._recent if order(entry.id) > known]

    @property
    def last(self) -> str:
        """The id of the newest entry that was read."""
        return self._last or "0"


class Live:
    """`GET /api/stream`: server-sent events, resumed by `Last-Event-ID`."""

    def __init__(self, tail: Tail, gate: Gate) -> None:
        """Tell what `tail` reads to those whom `gate` lets in."""
        self._tail = tail
        self._gate = gate

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Tell matches until the listener goes; a comment now and then keeps the connection."""
        try:
            await self._gate.enter(request, Scope.READ)
            last = self._start(request)
        except ApiProblem as problem:
            return problem.response()
        response = web.StreamResponse(headers=EVENT_HEADERS)
        await response.prepare(request)
        self._tail.listeners += 1
        try:
            await response.write(b"retry: 3000\n\n")
            while not self._tail.stopped:
                entries = await self._tail.after(last, _BEAT_SECONDS)
                await response.write(b"".join(map(_event, entries)) or b": beat\n\n")
                last = entries[-1].id if entries else last
        except (ConnectionError, StreamError):
            return response
        finally:
            self._tail.listeners -= 1
        return response

    def _start(self, request: web.Request) -> str:
        if self._tail.listeners >= MOST_LISTENERS:
            raise ApiProblem(503, f"{MOST_LISTENERS} listen already", retry_after=30)
        asked = request.headers.get("Last-Event-ID", "")
        try:
            return asked if asked and order(asked) else self._tail.last
        except ValueError as error:
            raise ApiProblem(400, f"Last-Event-ID: {error}") from None


def _event(entry: PublicEntry) -> bytes:
    data = entry.fields.get("data", "{}").replace("\n", " ")
    return f"id: {entry.id}\nevent: match\ndata: {data}\n\n".encode()
