"""One connection to a receiver that may do anything: a request out, an answer in, bounded in bytes and time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from multidict import CIMultiDict

from monitor.core.render.clean import visible

_SHOWN = 1024
_HEAD_LIMIT = 16 * 1024  # bytes until the headers are complete, interim answers included
_HEADERS_LIMIT, _INTERIM_LIMIT = 128, 16
_FINAL = 200  # what has a lower status only announces the answer
_EVIDENCE_SECONDS = 1.0  # the status has decided; what the body says is not worth more waiting


class NoAnswerError(Exception):
    """What a receiver sent is no answer in HTTP/1.1, or has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the status, the headers by names of any case, and as much of the body as was to be kept."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def text(self) -> str:
        """The first kilobyte of the body as clean text."""
        if not self.body:
            return ""
        return visible(self.body[:_SHOWN].decode("utf-8", errors="replace")).strip()


class Connection(asyncio.Protocol):
    """Carries one exchange at a time.

    `heard` tells whether anything came since the last request. `reusable` is set when an answer has come whole and the
    receiver keeps the connection open; it is then idle since `idle_since`, in seconds of the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for a transport of `loop`."""
        self.heard = False
        self.reusable = False
        self.idle_since = 0.0
        self._loop = loop
        self._transport: asyncio.Transport
        self._waiter: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._parser = HttpResponseParser(self)
        # As forgiving as browsers: nothing but the status and the first of the body is believed.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        self._begin(0)

    def ask(self, request: bytes, keep: int, deadline: float) -> asyncio.Future[Answer]:
        """Send a whole request; the answer has at most `keep` bytes of its body.

        The future fails with `NoAnswerError`, with `TimeoutError` at `deadline`, in seconds of the loop, or with the
        error that ended the connection. The status decides: what goes wrong after it only cuts the body short.
        """
        self._begin(keep)
        self._waiter = self._loop.create_future()
        self._timer = self._loop.call_at(deadline, self._run_out)
        self._transport.write(request)
        return self._waiter

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self.reusable = False
        if self._timer:
            self._timer.cancel()
        self._transport.abort()

    def _begin(self, keep: int) -> None:
        self.heard = self.reusable = False
        self._keep = keep
        self._head = self._interim = self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._whole = self._broken = self._lasting = self._hurried = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange under way with what has come."""
        self.reusable = False
        if self._status:
            self._settle()
        else:
            self._fail(exc or ConnectionResetError("the receiver hung up before it answered"))

    def data_received(self, data: bytes) -> None:
        """Read on; what comes although nothing was asked ends the connection."""
        if self._waiter is None:
            self.abort()
            return
        self.heard = True
        self._head += 0 if self._status else len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._broken = True
            if not self._status:
                self._fail(NoAnswerError(_why(error)))
        self._conclude()

    def _conclude(self) -> None:
        """End the exchange if enough is known."""
        if not self._status:
            if self._head > _HEAD_LIMIT:
                self._fail(NoAnswerError(f"more than {_HEAD_LIMIT} bytes of headers"))
        elif self._whole or self._broken or len(self._body) >= self._keep:
            self._settle()
        elif not self._hurried:
            self._hurry()

    def _hurry(self) -> None:
        self._hurried = True
        if self._timer:
            soon = min(self._timer.when(), self._loop.time() + _EVIDENCE_SECONDS)
            self._timer.cancel()
            self._timer = self._loop.call_at(soon, self._run_out)

    def _run_out(self) -> None:
        if self._status:
            self._settle()
        else:
            self._fail(TimeoutError())

    def _settle(self) -> None:
        waiter = self._ended()
        if waiter is None:
            return
        written = not self._transport.get_write_buffer_size()
        self.reusable = self._whole and self._lasting and written and not self._broken
        self.idle_since = self._loop.time()
        headers = CIMultiDict((_text(name), _text(value)) for name, value in self._headers)
        body = bytes(self._body[: self._keep])
        waiter.set_result(Answer(status=self._status, headers=headers, body=body))

    def _fail(self, error: Exception) -> None:
        waiter = self._ended()
        if waiter is not None:
            waiter.set_exception(error)

    def _ended(self) -> asyncio.Future[Answer] | None:
        """Return who waits for an answer, once."""
        waiter, self._waiter = self._waiter, None
        if self._timer:
            self._timer.cancel()
            self._timer = None
        return None if waiter is None or waiter.done() else waiter

    def on_message_begin(self) -> None:
        """Refuse what follows the answer, and interim answers without end."""
        if self._whole:
            raise NoAnswerError("more than one answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header; each takes far more memory than room on the wire."""
        if len(self._headers) >= _HEADERS_LIMIT:
            raise NoAnswerError(f"more than {_HEADERS_LIMIT} headers")
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the status of the answer, or pass over one that only announces it."""
        status = self._parser.get_status_code()
        if status >= _FINAL:
            self._status = status
            self._lasting = self._parser.should_keep_alive()
            return
        self._headers.clear()
        self._interim += 1
        if self._interim >= _INTERIM_LIMIT:
            raise NoAnswerError(f"{_INTERIM_LIMIT} times a status below {_FINAL}")

    def on_body(self, body: bytes) -> None:
        """Keep the first of the body."""
        self._body += body[: max(0, self._keep - len(self._body))]

    def on_message_complete(self) -> None:
        """Note the end of the answer."""
        self._whole = bool(self._status)


def _text(said: bytes) -> str:
    return said.decode("utf-8", errors="replace")


def _why(error: Exception) -> str:
    """Say why an answer cannot be read: in our own words, where it was us who stopped."""
    own = error.__context__
    return str(own) if isinstance(own, NoAnswerError) else type(error).__name__
