"""Follows what people make while the system runs, and has it put in force in this process."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar

from monitor.core.made import Made
from monitor.registry import Roster
from monitor.services.service import PeriodicService
from monitor.telemetry import Metrics


class FollowingService(PeriodicService):
    """Asks once a second what changed among rules and subscribers; every process of the system does."""

    name: ClassVar = "registry"

    def __init__(
        self,
        made: Sequence[Roster[Made]],
        put_in_force: Callable[[], Awaitable[None]],
        metrics: Metrics,
        *,
        known: Sequence[Roster[Any]] = (),
    ) -> None:
        """Follow what was `made`; await `put_in_force` whenever that changed.

        What is only to be `known` is kept up to date.
        """
        super().__init__(metrics)
        self._made = made
        self._known = known
        self._put_in_force = put_in_force
        self._turn = asyncio.Lock()

    async def step(self) -> int:
        """Put in force what changed since the last turn; return how much that was. One turn at a time."""
        async with self._turn:
            for roster in self._known:
                await roster.refresh()
            changes = [await roster.refresh() for roster in self._made]
            if any(changes):
                await self._put_in_force()
            return sum(len(each.changed) + len(each.removed) for each in changes)
