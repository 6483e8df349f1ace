"""A bounded number of tasks at a time, so that a slow one takes a place and not the whole turn."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, cast


class Slots:
    """Run coroutines in the background, at most `limit` at once. Leaving the block waits for all of them.

    With a `patience` of so many seconds, one that takes longer steps aside: it goes on, and its place is free. So those
    that hang cannot keep out all others. A task may step aside itself. At most `aside` times as many as there are
    places may have.
    """

    def __init__(self, limit: int, patience: float | None = None, aside: int = 1) -> None:
        """Offer `limit` places."""
        self.limit = limit
        self._patience = patience
        self._most_aside = aside * limit
        self._inside: dict[asyncio.Task[None], float] = {}  # and since when, the first one first
        self._aside = 0
        self._changed = asyncio.Event()
        self._group = asyncio.TaskGroup()
        self._timer: asyncio.TimerHandle | None = None

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
        try:
            await self._group.__aexit__(kind, error, trace)
        finally:
            if self._timer:
                self._timer.cancel()

    @property
    def free(self) -> int:
        """How many places are free now."""
        return self.limit - len(self._inside)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` in a free place; the caller has looked that there is one."""
        task, loop = self._group.create_task(work), asyncio.get_running_loop()
        self._inside[task] = loop.time()
        task.add_done_callback(self._ended)
        if self._patience is not None and self._timer is None:
            self._timer = loop.call_later(self._patience, self._look, loop, self._patience)

    def step_aside(self) -> None:
        """Give the place of the task that calls this to another, if it has one and few enough have stepped aside."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        if task in self._inside:
            self._leave(task)

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

    def _look(self, loop: asyncio.AbstractEventLoop, patience: float) -> None:
        """Have those step aside that have taken too long, and look again when it is the turn of the next."""
        now = loop.time()
        for task, since in list(self._inside.items()):
            if now < since + patience:
                self._timer = loop.call_at(since + patience, self._look, loop, patience)
                return
            self._leave(task)
        self._timer = (
            loop.call_later(patience, self._look, loop, patience) if self._inside else None
        )

    def _leave(self, task: asyncio.Task[None]) -> None:
        if self._aside < self._most_aside:
            del self._inside[task]
            self._aside += 1
            self._changed.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._inside.pop(task, None) is None:
            self._aside -= 1
        self._changed.set()
