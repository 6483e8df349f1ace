"""How many requests one host sees at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from monitor.errors import FeedReason, HostBusyError


class HostGate:
    """Lets `limit` callers at a time through for each host. A host that nobody waits for takes no memory."""

    def __init__(self, limit: int = 1) -> None:
        """Take how many may pass for one host."""
        self._limit = limit
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._callers: dict[str, int] = {}

    def is_open(self, host: str) -> bool:
        """Tell whether `pass_through` would let a caller through at once."""
        gate = self._gates.get(host)
        return gate is None or not gate.locked()

    @asynccontextmanager
    async def pass_through(self, host: str, patience: float | None = None) -> AsyncIterator[None]:
        """Wait for a place at `host`, in order of arrival, and hold it.

        Raise `HostBusyError` when there is none within `patience` seconds.
        """
        gate = self._gates.setdefault(host, asyncio.Semaphore(self._limit))
        self._callers[host] = self._callers.get(host, 0) + 1
        try:
            await self._enter(gate, host, patience)
            try:
                yield
            finally:
                gate.release()
        finally:
            self._callers[host] -= 1
            if not self._callers[host]:
                del self._callers[host], self._gates[host]

    async def _enter(self, gate: asyncio.Semaphore, host: str, patience: float | None) -> None:
        try:
            async with asyncio.timeout(patience):
                await gate.acquire()
        except TimeoutError as error:
            raise HostBusyError(
                FeedReason.TIMEOUT, f"{host} has not answered other requests for {patience:g} s"
            ) from error
