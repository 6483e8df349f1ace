"""Parsing off the event loop, in processes that may hang or crash without taking anything with them."""

import asyncio
import contextlib
import os
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from monitor.core.feed import Document, ParsedFeed
from monitor.errors import FeedReason, ParseError
from monitor.feeds.frames import LENGTH, Reply, Request
from monitor.feeds.memory import EntryMemory

_MEMORY = 1 << 30
# A parser's heap grows with its largest document and stays so; a fresh process costs 0.2 s (kurtmckee/feedparser #287).
_CALLS_A_WORKER = 1_000
_READ_AHEAD = 1 << 20
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "LANG", "LC_ALL", "TMPDIR")
_PACKAGE_ROOT = Path(__file__).parents[2]
_OVERRUN = timedelta(seconds=5)  # what the worker's own alarm waits longer than we do
_SENT_HEADERS = ("content-type", "content-language")


class _BrokenWorkerError(Exception):
    """The worker ended, or answered nonsense."""


class ProcessParser:
    """Parses in up to `workers` processes, started when first needed and replaced when they hang, crash or age.

    Use it with `async with`, or call `close`.
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        timeout: timedelta = timedelta(seconds=20),
        memory: int = _MEMORY,
    ) -> None:
        """`timeout` bounds one document, `memory` the address space of one worker in bytes."""
        self._timeout = timeout
        self._bytes = memory
        self._free = asyncio.Semaphore(workers)
        self._idle: list[_Worker] = []
        self._memory = EntryMemory()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def parse(self, document: Document, *, whole: bool = False) -> ParsedFeed:
        """Parse in a worker; raise `ParseError` for what is no feed, takes too long or breaks the worker.

        Entries that stood in the last document from the same address come without text, unless `whole` is asked for.
        """
        before = {} if whole else self._memory.unchanged(document.url)
        request = Request(_without_ballast(document), frozenset(before))
        reply = await self._ask(msgspec.msgpack.encode(request))
        if reply.feed is None:
            raise ParseError(reply.reason or FeedReason.PARSER_FAILED, reply.detail)
        feed = reply.feed
        if reply.marks:
            fresh = iter(feed.articles)
            merged = tuple(before[mark] if mark in before else next(fresh) for mark in reply.marks)
            feed = replace(feed, articles=merged)
        self._memory.keep(document.url, reply.marks, feed.articles)
        return feed

    async def _ask(self, frame: bytes) -> Reply:
        async with self._free:
            worker = self._idle.pop() if self._idle else await self._start_worker()
            try:
                async with asyncio.timeout(self._timeout.total_seconds()):
                    reply = await worker.call(frame)
            except TimeoutError:
                await worker.kill()
                raise _failure(
                    f"took longer than {self._timeout.total_seconds():g} s to parse"
                ) from None
            except _BrokenWorkerError as error:
                await worker.kill()
                raise _failure(f"broke the parser: {error}") from error
            except BaseException:
                await worker.kill()  # cancelled half way: what it would answer next is not for us
                raise
            await self._put_back(worker)
            return reply

    async def close(self) -> None:
        """End the workers. A call under way still gets its answer, and ends its worker then."""
        self._closed = True
        while self._idle:
            await self._idle.pop().kill()

    async def _start_worker(self) -> "_Worker":
        try:
            return _Worker(await self._start_process())
        except OSError as error:
            raise _failure(f"cannot be parsed: no process can be started ({error})") from error

    async def _start_process(self) -> asyncio.subprocess.Process:
        seconds = round((self._timeout + _OVERRUN).total_seconds())
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "monitor.feeds.worker", str(self._bytes), str(seconds)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_READ_AHEAD,
            start_new_session=True,  # a Ctrl-C is for us: what is under way shall not look like a broken document
            env=environment | {"PYTHONPATH": str(_PACKAGE_ROOT)},
        )

    async def _put_back(self, worker: "_Worker") -> None:
        if self._closed or worker.calls >= _CALLS_A_WORKER:
            await worker.kill()
        else:
            self._idle.append(worker)


class _Worker:
    """One process, and how many documents it was given."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.calls = 0

    async def call(self, frame: bytes) -> Reply:
        self.calls += 1
        sink, source = self._process.stdin, self._process.stdout
        assert sink is not None and source is not None  # noqa: S101, PT018 - both are pipes
        try:
            sink.write(LENGTH.pack(len(frame)))
            sink.write(frame)
            await sink.drain()
            head = await source.readexactly(LENGTH.size)
            reply = await source.readexactly(*LENGTH.unpack(head))
            return msgspec.msgpack.decode(reply, type=Reply)
        except (EOFError, ConnectionError) as error:
            code = await self._process.wait()
            raise _BrokenWorkerError(f"its process ended with {code}") from error
        except msgspec.MsgspecError as error:
            raise _BrokenWorkerError(f"its answer cannot be read ({error})") from error

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


def _without_ballast(document: Document) -> Document:
    headers = {name: document.headers[name] for name in _SENT_HEADERS if name in document.headers}
    return Document(url=document.url, status=document.status, body=document.body, headers=headers)


def _failure(what: str) -> ParseError:
    return ParseError(
        FeedReason.PARSER_FAILED, f"{what}; look at the document with `monitor parse`"
    )
