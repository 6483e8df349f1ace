"""Where the daemon's log goes: a thread writes it, so that no reader and no disk stops the daemon."""

import io
import os
from collections import deque
from datetime import timedelta
from threading import Condition, Thread
from typing import TYPE_CHECKING, TextIO

import structlog

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

MOST_WAITING = 4 * 1024 * 1024  # bytes

log = structlog.get_logger()


class LogSink(io.BufferedIOBase):
    """Lines for a file descriptor, each written whole by one call where the system takes it whole.

    What the descriptor refuses (nobody reads it, its disk is full) is lost and counted. While it blocks, 4 MiB wait and
    what comes then is lost. When it takes lines again, `log_lines_lost` says how many are missing.
    """

    name = "log"

    def __init__(self, descriptor: int) -> None:
        """Write to `descriptor`, which stays open when this is closed; each write to `text` is one line."""
        super().__init__()
        self._descriptor = descriptor
        self._changed = Condition()
        self._lines = deque[bytes]()
        self._waiting = 0
        self._lost = 0
        self._said = 0
        self._is_torn = False
        self.text: TextIO = io.TextIOWrapper(
            self, encoding="utf-8", errors="backslashreplace", newline="\n", write_through=True
        )
        Thread(target=self._write_all, name="log", daemon=True).start()

    @property
    def lost(self) -> int:
        """How many lines were lost so far."""
        return self._lost

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Tell whether the descriptor is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, line: "ReadableBuffer", /) -> int:
        """Take a line, or count it as lost; return at once in either case."""
        taken = bytes(line)
        with self._changed:
            if self._waiting + len(taken) > MOST_WAITING:
                self._lost += 1
            else:
                self._lines.append(taken)
                self._waiting += len(taken)
                self._changed.notify_all()
        return len(taken)

    def drain(self, most: timedelta) -> None:
        """Wait until everything is written or lost, but no longer than `most`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, most.total_seconds())

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._lines))
                line = self._lines.popleft()
            is_written = self._put(line)
            with self._changed:
                self._waiting -= len(line)
                self._lost += not is_written
                self._changed.notify_all()
            if is_written and self._lost > self._said and self._waiting < MOST_WAITING // 2:
                self._say()  # with room for it, so that it is not lost itself

    def _say(self) -> None:
        missing = self._lost - self._said
        self._said += missing
        log.warning("log_lines_lost", lines=missing)

    def _put(self, line: bytes) -> bool:
        """Write one line; tell whether all of it was taken. One that breaks off is ended before the next."""
        rest = memoryview(b"\n" + line if self._is_torn else line)
        whole = len(rest)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            self._is_torn = self._is_torn or len(rest) < whole
            return False
        self._is_torn = False
        return True
