"""A bounded number of tasks at a time, so that a slow one takes a place and not the whole turn."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

_MOST_ASIDE = 4  # times as many as there are places may have stepped aside


@dataclass(slots=True)
class _Place:
    """A place while it is taken; `left` when its task has stepped aside."""

    timer: asyncio.TimerHandle | None = None
    left: bool = False


class Slots:
    """Run coroutines in the background, at most `limit` at once. Leaving the block waits for all of them.

    With a `patience` of so many seconds, one that takes longer steps aside: it goes on, and its place is free. So those
    that hang cannot keep out all others. A task may step aside itself. There are bounds to how many may have.
    """

    def __init__(self, limit: int, patience: float | None = None) -> None:
        """Offer `limit` places."""
        self.limit = limit
        self._patience = patience
        self._busy = 0
        self._aside = 0
        self._changed = asyncio.Event()
        self._group = asyncio.TaskGroup()
        self._places: dict[asyncio.Task[None], _Place] = {}

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
        place = _Place()
        if self._patience is not None:
            loop = asyncio.get_running_loop()
            place.timer = loop.call_later(self._patience, self._leave, place)
        task = self._group.create_task(work)
        self._places[task] = place
        task.add_done_callback(self._ended)

    def step_aside(self) -> None:
        """Give the place of the task that calls this to another, if it has one and few enough have stepped aside."""
        place = self._places.get(cast("asyncio.Task[None]", asyncio.current_task()))
        if place and not place.left:
            self._leave(place)

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

    def _leave(self, place: _Place) -> None:
        if place.timer:
            place.timer.cancel()
        if self._aside < _MOST_ASIDE * self.limit:
            place.left = True
            self._aside += 1
            self._busy -= 1
            self._changed.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        place = self._places.pop(task)
        if place.timer:
            place.timer.cancel()
        if place.left:
            self._aside -= 1
        else:
            self._busy -= 1
        self._changed.set()
