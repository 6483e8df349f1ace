"""Follows what people make while the system runs, and has it put in force in this process."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar

from monitor.core.made import Made
from monitor.registry import Roster
from monitor.services.service import PeriodicService
from monitor.telemetry import Metrics


class FollowingService(PeriodicService):
    """Asks once a second what changed among rules; every process of the system does."""

    name: ClassVar = "registry"

    def __init__(
        self,
        rules: Roster[Made],
        put_in_force: Callable[[], Awaitable[None]],
        metrics: Metrics,
        *,
        known: Sequence[Roster[Any]] = (),
    ) -> None:
        """Follow `rules`; await `put_in_force` whenever they changed. What is only to be `known` is kept up to date."""
        super().__init__(metrics)
        self._rules = rules
        self._known = known
        self._put_in_force = put_in_force
        self._turn = asyncio.Lock()

    async def step(self) -> int:
        """Put in force what changed since the last turn; return how many rules that were. One turn at a time."""
        async with self._turn:
            for roster in self._known:
                await roster.refresh()
            change = await self._rules.refresh()
            if change:
                await self._put_in_force()
            return len(change.changed) + len(change.removed)
