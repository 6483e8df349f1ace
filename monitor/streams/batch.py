"""Calls that many tasks make at the same time, joined into few round trips.

While one batch is under way the next gathers, so that nobody waits who need not, and the busier it is the fewer trips a
call costs: what databases call group commit.
"""

import asyncio
from typing import Any

from monitor.errors import StreamError
from monitor.streams.client import Server, Word, call


class _Batch:
    """Calls that go together, and what came of them."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.words: list[tuple[Word, ...]] = []
        self.waiting: list[asyncio.Future[None]] = []
        self.replies: list[Any] = []
        self.error: StreamError | None = None


class Batched:
    """One server-side function, called by many tasks, each time with one key and as many words.

    The function takes any number of keys with their words and answers for each. It may be repeated.
    """

    def __init__(self, server: Server, function: str) -> None:
        """Call `function` on `server`."""
        self._server = server
        self._function = function
        self._gathering = _Batch()
        self._under_way = asyncio.Lock()

    async def call(self, key: str, *words: Word) -> Any:
        """Return the answer for this call; raise `StreamError` when it is not known what came of it."""
        batch = self._gathering
        number = len(batch.keys)
        batch.keys.append(key)
        batch.words.append(words)
        if number:
            ended = asyncio.get_running_loop().create_future()
            batch.waiting.append(ended)
            await ended
        else:
            await self._send(batch)
        if batch.error is not None:
            raise StreamError(str(batch.error)) from batch.error
        return batch.replies[number]

    async def _send(self, batch: _Batch) -> None:
        """Send a batch when the one before it is back: whoever is its first sends for all."""
        batch.error = StreamError("the task that sent this was stopped before the answer came")
        try:
            async with self._under_way:
                self._gathering = _Batch()
                batch.replies = await self._answers(batch)
        except StreamError as error:
            batch.error = error
        else:
            batch.error = None
        finally:
            if self._gathering is batch:
                self._gathering = _Batch()
            for ended in batch.waiting:
                if not ended.done():
                    ended.set_result(None)

    async def _answers(self, batch: _Batch) -> list[Any]:
        if self._server.clustered:  # the keys lie in several slots
            calls = zip(batch.keys, batch.words, strict=True)
            commands = [call(self._function, [key], *words) for key, words in calls]
            return [answer for (answer,) in await self._server.each(commands)]
        joined = [word for words in batch.words for word in words]
        answers: list[Any] = await self._server.run(call(self._function, batch.keys, *joined))
        return answers
