"""Parsing off the event loop, in processes that may hang or crash without taking anything with them."""

from datetime import timedelta
from types import TracebackType
from typing import Self

import msgspec

from monitor.core.feed import Document, ParsedFeed
from monitor.errors import FeedReason, ParseError
from monitor.feeds.frames import Reply, Request
from monitor.feeds.memory import NOTHING, EntryMemory
from monitor.feeds.workers import MEMORY, WorkerError, WorkerPool

_SENT_HEADERS = ("content-type", "content-language")


class ProcessParser:
    """Parses in up to `workers` processes. Use it with `async with`, or call `close`."""

    def __init__(
        self,
        *,
        workers: int = 2,
        timeout: timedelta = timedelta(seconds=20),
        memory: int = MEMORY,
    ) -> None:
        """`timeout` bounds one document, `memory` the address space of one worker in bytes."""
        self._pool = WorkerPool("feed", workers=workers, timeout=timeout, memory=memory)
        self._memory = EntryMemory()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def parse(self, document: Document, *, pruned: bool = False) -> ParsedFeed:
        """Parse in a worker; raise `ParseError` for what is no feed, takes too long or breaks the worker.

        When it is `pruned`, entries that stood in the last document from the same address come without text.
        """
        before = self._memory.last(document.url) if pruned else NOTHING
        reply = await self._ask(Request(without_ballast(document), frozenset(before.entries)))
        if reply.feed is None:
            raise ParseError(reply.reason or FeedReason.PARSER_FAILED, reply.detail)
        now = before.followed_by(document.body_hash, reply.feed, reply.marks)
        self._memory.keep(document.url, now)
        return before.complete(reply.feed, reply.marks)

    async def close(self) -> None:
        """End the workers. A call under way still gets its answer, and ends its worker then."""
        await self._pool.close()

    async def _ask(self, request: Request) -> Reply:
        try:
            answer = await self._pool.ask(msgspec.msgpack.encode(request))
            return msgspec.msgpack.decode(answer, type=Reply)
        except WorkerError as error:
            raise _failure(str(error)) from error
        except msgspec.MsgspecError as error:
            raise _failure(f"broke the parser: its answer cannot be read ({error})") from error


def without_ballast(document: Document) -> Document:
    """Return a document with no more than a parser needs of it."""
    headers = {name: document.headers[name] for name in _SENT_HEADERS if name in document.headers}
    return Document(url=document.url, status=document.status, body=document.body, headers=headers)


def _failure(what: str) -> ParseError:
    return ParseError(
        FeedReason.PARSER_FAILED, f"{what}; look at the document with `monitor parse`"
    )
