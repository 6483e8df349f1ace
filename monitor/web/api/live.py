"""Matches as they come: one reader of the public stream, any number of listeners."""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile

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
_AT_EASE = 32 * 1024  # bytes; a socket takes twice as much before a writer has to wait
MOST_LISTENERS = 1000
PATIENCE = timedelta(
    seconds=30
)  # with a listener that does not read; then its place is given to others
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


@dataclass(frozen=True, slots=True)
class Heard:
    """An entry, its place in the order, and the event that tells it: made once, however many listen."""

    entry: PublicEntry
    place: tuple[int, int]
    event: bytes


def heard(entry: PublicEntry) -> Heard:
    """Return an entry as listeners are told it."""
    data = entry.fields.get("data", "{}").replace("\n", " ")
    event = f"id: {entry.id}\nevent: match\ndata: {data}\n\n".encode()
    return Heard(entry, order(entry.id), event)


class Tail:
    """The newest entries of the stream, and a bell for each that comes."""

    def __init__(self, public: PublicStream) -> None:
        """Read nothing yet; `run` does."""
        self._public = public
        self._recent: deque[Heard] = deque(maxlen=_KEPT)
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
                    self._recent.append(heard(entry))
                    self._last = entry.id
            except StreamError:
                await asyncio.sleep(_PAUSE_SECONDS)
            self._ring()

    def stop(self) -> None:
        """Tell listeners to go: the server stops."""
        self.stopped = True
        self._ring()

    def _ring(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()

    async def after(self, entry_id: str, seconds: float) -> Sequence[Heard]:
        """Return what came after an entry; wait for something so long, or a turn of `run` longer.

        No listener has a timer of its own: 500 of them cost as much as telling them.
        """
        known = order(entry_id)
        if known < (self._recent[0].place if self._recent else order(self.last)):
            return [*map(heard, await self._public.read(entry_id, _AT_ONCE, timedelta()))]
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not (fresh := self._fresh(known)) and loop.time() < until and not self.stopped:
            await self._rung.wait()
        return fresh

    def _fresh(self, known: tuple[int, int]) -> list[Heard]:
        newest_first = takewhile(lambda each: each.place > known, reversed(self._recent))
        return [*newest_first][::-1]

    @property
    def last(self) -> str:
        """The id of the newest entry that was read."""
        return self._last or "0"


async def send(
    request: web.Request, response: web.StreamResponse, event: bytes, patience: timedelta = PATIENCE
) -> None:
    """Send to a listener; cut off one who has stopped reading, and raise `ConnectionError`."""
    waiting = request.transport.get_write_buffer_size() if request.transport else 0
    if waiting + len(event) < _AT_EASE:
        await response.write(event)  # which does not wait, so that no timer is needed
        return
    try:
        async with asyncio.timeout(patience.total_seconds()):
            await response.write(event)
    except TimeoutError:
        if request.transport:
            request.transport.abort()
        raise ConnectionAbortedError("the listener does not read") from None


class Live:
    """`GET /api/stream`: server-sent events, resumed by `Last-Event-ID`."""

    def __init__(self, tail: Tail, gate: Gate, patience: timedelta = PATIENCE) -> None:
        """Tell what `tail` reads to those whom `gate` lets in, while they take it within `patience`."""
        self._tail = tail
        self._gate = gate
        self._patience = patience

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
            await send(request, response, b"retry: 3000\n\n", self._patience)
            while not self._tail.stopped:
                entries = await self._tail.after(last, _BEAT_SECONDS)
                told = b"".join(each.event for each in entries) or b": beat\n\n"
                await send(request, response, told, self._patience)
                last = entries[-1].entry.id if entries else last
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
