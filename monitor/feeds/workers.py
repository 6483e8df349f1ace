"""Processes that may hang, crash or fill memory without taking anything with them."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from monitor.feeds.frames import LENGTH

MEMORY = 1 << 30
# A parser's heap grows with its largest document and stays so; a fresh process costs 0.2 s (kurtmckee/feedparser #287).
_CALLS_A_WORKER = 1_000
_READ_AHEAD = 1 << 20
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "LANG", "LC_ALL", "TMPDIR")
_PACKAGE_ROOT = Path(__file__).parents[2]
_LONG = 1.0  # seconds; an honest document takes a tenth of that
_OVERRUN = timedelta(seconds=5)  # what the worker's own alarm waits longer than we do


class WorkerError(Exception):
    """A worker did not answer; says why, as the end of a sentence about the document."""


class _BrokenWorkerError(Exception):
    """The worker ended."""


class WorkerPool:
    """Up to `workers` processes for one job, started when first needed and replaced when they hang, crash or age.

    While some of them are busy for long there are up to twice as many.

    Use it with `async with`, or call `close`.
    """

    def __init__(
        self,
        job: Literal["feed", "page"],
        *,
        workers: int,
        timeout: timedelta,
        memory: int = MEMORY,
    ) -> None:
        """`timeout` bounds one document, `memory` the address space of one worker in bytes."""
        self._job = job
        self._workers = workers
        self._timeout = timeout
        self._bytes = memory
        self._free = asyncio.Semaphore(workers)
        self._aside = 0
        self._idle: list[_Worker] = []
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

    async def ask(self, frame: bytes) -> bytes:
        """Return what a worker answers; raise `WorkerError` when it hangs or breaks."""
        async with self._place():
            worker = self._idle.pop() if self._idle else await self._start_worker()
            try:
                async with asyncio.timeout(self._timeout.total_seconds()):
                    reply = await worker.call(frame)
            except TimeoutError:
                await worker.kill()
                seconds = self._timeout.total_seconds()
                raise WorkerError(f"took longer than {seconds:g} s to parse") from None
            except _BrokenWorkerError as error:
                await worker.kill()
                raise WorkerError(f"broke the parser: {error}") from error
            except BaseException:
                await worker.kill()  # cancelled half way: what it would answer next is not for us
                raise
            await self._put_back(worker)
            return reply

    @contextlib.asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Hold a place for one call. A call that takes long steps aside for the next: what hangs holds up nobody."""
        await self._free.acquire()
        is_aside = False

        def step_aside() -> None:
            nonlocal is_aside
            if self._aside < self._workers:
                is_aside = True
                self._aside += 1
                self._free.release()

        timer = asyncio.get_running_loop().call_later(_LONG, step_aside)
        try:
            yield
        finally:
            timer.cancel()
            if is_aside:
                self._aside -= 1
            else:
                self._free.release()

    async def close(self) -> None:
        """End the workers. A call under way still gets its answer, and ends its worker then."""
        self._closed = True
        while self._idle:
            await self._idle.pop().kill()

    async def _start_worker(self) -> "_Worker":
        try:
            return _Worker(await self._start_process())
        except OSError as error:
            raise WorkerError(f"cannot be parsed: no process can be started ({error})") from error

    async def _start_process(self) -> asyncio.subprocess.Process:
        seconds = round((self._timeout + _OVERRUN).total_seconds())
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "monitor.feeds.worker"),
            *(str(self._bytes), str(seconds), self._job),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_READ_AHEAD,
            start_new_session=True,  # a Ctrl-C is for us: what is under way shall not look like a broken document
            env=environment | {"PYTHONPATH": str(_PACKAGE_ROOT)},
        )

    async def _put_back(self, worker: "_Worker") -> None:
        is_spare = len(self._idle) >= self._workers
        if self._closed or is_spare or worker.calls >= _CALLS_A_WORKER:
            await worker.kill()
        else:
            self._idle.append(worker)


class _Worker:
    """One process, and how many documents it was given."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.calls = 0

    async def call(self, frame: bytes) -> bytes:
        self.calls += 1
        sink, source = self._process.stdin, self._process.stdout
        assert sink is not None and source is not None  # noqa: S101, PT018 - both are pipes
        try:
            sink.write(LENGTH.pack(len(frame)))
            sink.write(frame)
            await sink.drain()
            head = await source.readexactly(LENGTH.size)
            return await source.readexactly(*LENGTH.unpack(head))
        except (EOFError, ConnectionError) as error:
            code = await self._process.wait()
            raise _BrokenWorkerError(f"its process ended with {code}") from error

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
