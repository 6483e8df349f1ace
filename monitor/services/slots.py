"""A bounded number of tasks at a time, so that a slow one takes a place and not the whole turn."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class Slots:
    """Run coroutines in the background, at most `limit` at once. Leaving the block waits for all of them."""

    def __init__(self, limit: int) -> None:
        """Offer `limit` places."""
        self.limit = limit
        self._busy = 0
        self._changed = asyncio.Event()
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        """Open the group in which the tasks live."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for all tasks, or cancel them when the block failed."""
        await self._group.__aexit__(kind, error, trace)

    @property
    def free(self) -> int:
        """How many places are free now."""
        return self.limit - self._busy

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` in a free place; the caller has looked that there is one."""
        self._busy += 1
        self._group.create_task(work).add_done_callback(self._ended)

    async def changed(self, seconds: float) -> None:
        """Return when a task has ended since the last call, or after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    async def room(self, wanted: int, seconds: float) -> None:
        """Return when so many places are free, or after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self.free < wanted:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return

    def _ended(self, _task: asyncio.Task[None]) -> None:
        self._busy -= 1
        self._changed.set()
