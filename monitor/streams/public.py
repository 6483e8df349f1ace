"""The public stream, on the server."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from monitor.core.model import MatchedArticle
from monitor.ports import PublicEntry
from monitor.streams import keys
from monitor.streams.client import Command, Word, call, command
from monitor.streams.instants import span_ms
from monitor.streams.log import ASK_CLUSTER_EVERY
from monitor.streams.publication import fields_of
from monitor.streams.store import Store


class StreamPublicStream:
    """A `PublicStream` on the server."""

    def __init__(self, store: Store) -> None:
        """Append to the stream `monitor:matches`."""
        self._server = store.server

    async def publish(self, matched: MatchedArticle, now: datetime) -> int:
        """See `PublicStream.publish`."""
        article, number = matched.article, keys.generation(now)
        bucket = keys.told_bucket(article.id)
        touched = [keys.PUBLIC, keys.published(number, bucket), keys.published(number - 1, bucket)]
        words: list[Word] = []
        for match in matched.matches:
            words += [keys.hash64(article.id, match.rule_id), *fields_of(article, match).values()]
        return int(await self._server.run(call("monitor_publish", touched, *words)))

    async def read(self, after: str, limit: int, wait: timedelta) -> Sequence[PublicEntry]:
        """See `PublicStream.read`."""
        if self._server.clustered or not span_ms(wait):
            return await self._ask(after, limit, wait)
        block = ("BLOCK", span_ms(wait))
        words = ("XREAD", "COUNT", limit, *block, "STREAMS", keys.PUBLIC, after)
        return _entries(await self._server.wait(words, wait))

    async def _ask(self, after: str, limit: int, wait: timedelta) -> Sequence[PublicEntry]:
        """Ask at intervals: no command blocks on a cluster."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait.total_seconds()
        read = Command(keys.PUBLIC, ("XREAD", "COUNT", limit, "STREAMS", keys.PUBLIC, after))
        while True:
            entries = _entries(await self._server.run(read))
            if entries or loop.time() >= until:
                return entries
            await asyncio.sleep(ASK_CLUSTER_EVERY.total_seconds())

    async def last(self) -> str:
        """See `PublicStream.last`."""
        newest = await self._server.run(command("XREVRANGE", keys.PUBLIC, "+", "-", "COUNT", 1))
        return str(newest[0][0].decode()) if newest else "0"


def _entries(reply: Sequence[Any] | None) -> list[PublicEntry]:
    return [
        PublicEntry(
            entry_id.decode(), {name.decode(): value.decode() for name, value in fields.items()}
        )
        for _, entries in reply or ()
        for entry_id, fields in entries
    ]
