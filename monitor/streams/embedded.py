"""The embedded server: started, watched and stopped by one process, shared by all that open the same directory."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import structlog

from monitor.errors import StoreRefusedError, StreamError
from monitor.streams.binary import find_binary
from monitor.streams.directory import StoreDirectory

GUARD = Path(__file__).with_name("guard.py")
SHARE_WITHIN = timedelta(seconds=10)
STOP_WITHIN = 10.0
OTHERS_WITHIN = 5.0
LOOK_EVERY = 0.02
TAKE_OVER_EVERY = 0.5
LONGEST_PAUSE = 5.0

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def embedded_server(
    directory: Path,
    *,
    max_memory: int,
    durable: bool = False,
    share_within: timedelta = SHARE_WITHIN,
) -> AsyncIterator[str]:
    """Yield the URL of the server of this directory.

    The first process to come starts it and stops it; others share it, and one of them takes over when the first is
    gone. A server that dies is started again. Raise `StoreRefusedError` when there is none to be had; one that another
    process holds has to answer within `share_within`.
    """
    place = await asyncio.to_thread(StoreDirectory, directory)  # asks for the working directory
    server = _EmbeddedServer(place, max_memory=max_memory, durable=durable)
    try:
        await server.open(share_within)
        # Entered by hand, so that what the body raises is not wrapped in a group.
        group = asyncio.TaskGroup()
        await group.__aenter__()
        keeper = group.create_task(server.keep())
        try:
            yield server.url
        finally:
            keeper.cancel()
            await group.__aexit__(None, None, None)
    finally:
        await server.close()


class _EmbeddedServer:
    def __init__(self, directory: StoreDirectory, *, max_memory: int, durable: bool) -> None:
        self._directory = directory
        self._max_memory = max_memory
        self._durable = durable
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def open(self, share_within: timedelta) -> None:
        """Start the server, or find the one that another process has started."""
        await asyncio.to_thread(self._directory.make)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + share_within.total_seconds()
        while True:
            if await asyncio.to_thread(self._directory.lock.acquire):
                await self._start()
                return
            socket = await asyncio.to_thread(self._directory.socket)
            said = await _ask(socket)
            if said == b"+PONG":
                self.url = _url(socket)
                _log.info("store_shared", directory=str(self._directory.path))
                return
            if said is None and loop.time() > deadline:
                holder = await asyncio.to_thread(self._directory.lock.holder)
                raise StoreRefusedError(
                    f"the store in {self._directory.path} is held by process {holder}, whose server"
                    " does not answer: stop that process, or name another directory"
                )
            await asyncio.sleep(LOOK_EVERY)

    async def _start(self) -> None:
        """Start the server; only under the lock. The spawning thread must live as long as the server (see guard)."""
        command = await asyncio.to_thread(self._prepare)
        lock = self._directory.lock.descriptor
        log = await asyncio.to_thread(self._directory.log.open, "wb")
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=subprocess.DEVNULL if sys.platform == "linux" else subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=() if lock is None else (lock,),
                start_new_session=True,  # an interrupt at the terminal is for us: the server stops last
            )
        finally:
            await asyncio.to_thread(log.close)
        socket = await asyncio.to_thread(self._directory.socket)
        while await _ask(socket) != b"+PONG":
            if process.returncode is not None:
                self._process = None
                words = await asyncio.to_thread(self._directory.last_words)
                raise StoreRefusedError(f"the embedded server did not start: {words}")
            await asyncio.sleep(LOOK_EVERY)
        self.url = _url(socket)
        _log.info("server_started", directory=str(self._directory.path), pid=process.pid)

    def _prepare(self) -> list[str]:
        binary = find_binary()
        self._directory.check_stamp(binary)
        socket = self._directory.claim_socket()
        self._directory.configure(socket, max_memory=self._max_memory, durable=self._durable)
        python = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid())]
        return [*python, str(binary.path), str(self._directory.configuration)]

    async def keep(self) -> None:
        """Start the server again when it dies, and take it over when the process that had it is gone."""
        pause = TAKE_OVER_EVERY
        while True:
            if self._process is not None:
                pause = TAKE_OVER_EVERY
                code = await self._process.wait()
                self._process = None
                words = await asyncio.to_thread(self._directory.last_words)
                _log.error("server_died", code=code, last_words=words)
            elif not await asyncio.to_thread(self._directory.lock.acquire):
                await asyncio.sleep(TAKE_OVER_EVERY)
                continue
            try:
                await self._start()
            except StreamError as error:
                _log.error("server_not_started", why=str(error))
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def close(self) -> None:
        """Stop the server, if it is ours, and let go of the directory.

        Processes that stop together with this one still record what they have sent: for a moment they are waited for,
        lest it be sent again at the next start.
        """
        if self._process is not None:
            await self._wait_for_others()
            await _stop(self._process)
        if self._directory.lock.descriptor is not None:
            await asyncio.to_thread(self._directory.release_socket)
            self._directory.lock.release()

    async def _wait_for_others(self) -> None:
        socket = await asyncio.to_thread(self._directory.socket)
        with suppress(TimeoutError):
            async with asyncio.timeout(OTHERS_WITHIN):
                while True:
                    if await _connected(socket) <= 1:  # we ask over a connection of our own
                        return
                    await asyncio.sleep(LOOK_EVERY)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End a server so that it writes its log to the end; kill it only when it does not come to one."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_WITHIN):
            await process.wait()
    except TimeoutError:
        _log.error("server_killed", pid=process.pid, hint="it did not stop when asked")
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _url(socket: Path) -> str:
    return "unix://" + quote(str(socket))


async def _ask(socket: Path, words: bytes = b"PING") -> bytes | None:
    """Return the first line a server answers, or all of a longer text; None when nobody answers."""
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(words + b"\r\n")
                line = (await reader.readline()).strip()
                if line.startswith(b"$"):
                    return await reader.readexactly(int(line[1:]))
                return line or None
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError):
        return None


async def _connected(socket: Path) -> int:
    """Return how many connections the server has, this one included; 0 when it does not answer."""
    said = await _ask(socket, b"INFO clients") or b""
    found = re.search(rb"connected_clients:(\d+)", said)
    return int(found[1]) if found else 0
