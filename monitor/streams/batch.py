"""Commands that many tasks send at the same time, joined into few round trips.

While one batch is under way the next gathers, so that nobody waits who need not, and the busier it is the fewer trips a
command costs: what databases call group commit.
"""

import asyncio
from typing import Any

from monitor.errors import StreamError
from monitor.streams.client import Command, Server


class _Batch:
    """Commands that go together, and what came of them."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.sent = False
        self.replies: list[Any] = []
        self.error: StreamError | None = None


class Batched:
    """Runs commands one by one for its callers, and together for the server."""

    def __init__(self, server: Server) -> None:
        """Send to `server`."""
        self._server = server
        self._gathering = _Batch()
        self._under_way = asyncio.Lock()

    async def run(self, command: Command) -> Any:
        """Run one command and return its reply; raise `StreamError` when it is not known what came of it.

        An error of any command in a batch is one of all: call only what may be repeated.
        """
        batch = self._gathering
        number = len(batch.commands)
        batch.commands.append(command)
        async with self._under_way:
            if not batch.sent:  # whoever of the batch has its turn first sends for all
                self._gathering = _Batch()
                batch.sent = True
                await self._send(batch)
        if batch.error is not None:
            raise StreamError(str(batch.error)) from batch.error
        return batch.replies[number]

    async def _send(self, batch: _Batch) -> None:
        batch.error = StreamError("the task that sent this was stopped before the answer came")
        try:
            batch.replies = await self._server.each(batch.commands)
        except StreamError as error:
            batch.error = error
        else:
            batch.error = None
