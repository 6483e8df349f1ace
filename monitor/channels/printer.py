"""Text for a file, written by a thread, so that a reader who hangs stops nobody else."""

import asyncio
import io
import os
from concurrent.futures import Future
from datetime import timedelta
from queue import Full, Queue
from threading import Thread
from typing import TextIO

MOST_WAITING = 8


class Printer:
    """Writes texts one after the other, each whole, and says of each whether it was written.

    A file of the system is written by its descriptor: a lock of Python's that a stuck thread held would stop the end
    of the process. Beside the text that is being written `MOST_WAITING` wait.
    """

    def __init__(self, file: TextIO) -> None:
        """Write to `file`, which stays open. The thread starts with the first text."""
        self._file = file
        self._texts: Queue[tuple[str, Future[None]] | None] = Queue(MOST_WAITING)
        self._thread: Thread | None = None

    async def write(self, text: str, within: timedelta) -> None:
        """Return when the text is written; raise `OSError` when it cannot be, `TimeoutError` when that takes too long.

        A text that was not begun by then is not written any more; one that was may still be.
        """
        written: Future[None] = Future()
        try:
            self._texts.put_nowait((text, written))
        except Full as error:
            raise TimeoutError from error
        if self._thread is None:
            self._thread = Thread(target=self._write_all, name="console", daemon=True)
            self._thread.start()
        async with asyncio.timeout(within.total_seconds()):
            await asyncio.wrap_future(written)

    def close(self) -> None:
        """End the thread, if it is not stuck."""
        if not self._texts.full():
            self._texts.put_nowait(None)

    def _write_all(self) -> None:
        while waiting := self._texts.get():
            text, written = waiting
            if written.set_running_or_notify_cancel():
                try:
                    self._put(text)
                except OSError as error:
                    written.set_exception(error)
                else:
                    written.set_result(None)

    def _put(self, text: str) -> None:
        descriptor = _descriptor(self._file)
        if descriptor is None:
            self._file.write(text)
            return
        rest = memoryview(text.encode(self._file.encoding, errors="replace"))
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def _descriptor(file: TextIO) -> int | None:
    try:
        return file.fileno()
    except io.UnsupportedOperation:
        return None
