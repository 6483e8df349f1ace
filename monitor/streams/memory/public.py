"""The public stream, in memory: a list of entries as other programs would read them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from monitor.core.model import MatchedArticle
from monitor.ports import PublicEntry
from monitor.streams.keys import generation, hash64
from monitor.streams.memory import store as shared
from monitor.streams.memory.store import MemoryStore
from monitor.streams.publication import fields_of


class MemoryPublicStream:
    """A `PublicStream` in memory."""

    def __init__(self, store: MemoryStore) -> None:
        """Append to the store's list `public`."""
        self._store = store

    async def publish(self, matched: MatchedArticle, now: datetime) -> int:
        """See `PublicStream.publish`."""
        published = self._store.published
        current = published.setdefault(generation(now), set())
        before = len(self._store.public)
        for match in matched.matches:
            known = hash64(matched.article.id, match.rule_id)
            if known in current or known in published.get(generation(now) - 1, ()):
                continue
            current.add(known)
            self._store.public.append(fields_of(matched.article, match))
            self._store.published_one.set()
        return len(self._store.public) - before

    async def read(self, after: str, limit: int, wait: timedelta) -> Sequence[PublicEntry]:
        """See `PublicStream.read`."""
        known, until = int(after.partition("-")[0]), shared.now() + wait.total_seconds()
        while len(self._store.public) <= known and (left := until - shared.now()) > 0:
            await shared.wait_for(self._store.published_one, left)
        fresh = self._store.public[known : known + limit]
        return [PublicEntry(f"{known + n}-0", fields) for n, fields in enumerate(fresh, start=1)]

    async def last(self) -> str:
        """See `PublicStream.last`."""
        return f"{len(self._store.public)}-0" if self._store.public else "0"
