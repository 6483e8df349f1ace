"""The public stream, in memory: a list of entries as other programs would read them."""

from datetime import datetime

from monitor.core.model import MatchedArticle
from monitor.streams.keys import generation, hash64
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
        return len(self._store.public) - before
