"""The two internal logs, in memory."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Generic, TypeVar

from monitor.core.chapter import Chapter
from monitor.core.model import Article, Match, MatchedArticle
from monitor.ports import Entry
from monitor.streams import bounds
from monitor.streams.memory.store import Held, MemoryStore, MemoryStream, now, wait_for

T = TypeVar("T")


class MemoryLog(Generic[T]):
    """One consumer's view of a stream."""

    def __init__(self, store: MemoryStore, stream: MemoryStream[T], consumer: str) -> None:
        """Start by taking up what a consumer of this name left unfinished."""
        self._store = store
        self._stream = stream
        self._consumer = consumer
        self._resumed = False

    async def read(self, limit: int, wait: timedelta) -> Sequence[Entry[T]]:
        """See `ArticleLog.read`."""
        deadline = now() + wait.total_seconds()
        while not (entries := self._take(limit)) and (left := deadline - now()) > 0:
            idle = self._store.min_idle.total_seconds()
            due = [held.since + idle - now() for held in self._stream.held.values()]
            await wait_for(self._stream.arrived, max(0.001, min([left, *due])))
        return entries

    def _take(self, limit: int) -> list[Entry[T]]:
        entries = [self._hand_out(entry_id) for entry_id in list(self._left_over())[:limit]]
        fresh = self._stream.fresh
        while fresh and len(entries) < limit:
            entries.append(self._hand_out(fresh.popleft()))
        return [entry for entry in entries if entry is not None]

    def _left_over(self) -> Iterable[str]:
        own, self._resumed = not self._resumed, True
        idle_since = now() - self._store.min_idle.total_seconds()
        for entry_id, held in self._stream.held.items():
            if held.since <= idle_since or (own and held.consumer == self._consumer):
                yield entry_id

    def _hand_out(self, entry_id: str) -> Entry[T] | None:
        before = self._stream.held.get(entry_id)
        deliveries = before.deliveries + 1 if before else 1
        self._stream.held[entry_id] = Held(self._consumer, now(), deliveries)
        if deliveries > bounds.MAX_DELIVERIES:
            why = f"handed out {bounds.MAX_DELIVERIES} times and never finished"
            self._store.dead.append((self._stream.name, self._stream.finish(entry_id), why))
            return None
        value = self._stream.entries[entry_id]
        return Entry(id=entry_id, partition=0, value=value, deliveries=deliveries)


class MemoryArticleLog(MemoryLog[Article]):
    """An `ArticleLog` in memory."""

    def __init__(self, store: MemoryStore, consumer: str = "local") -> None:
        """Read the store's articles."""
        super().__init__(store, store.articles, consumer)

    async def forward(self, entry: Entry[Article], matches: Sequence[Match]) -> bool:
        """See `ArticleLog.forward`."""
        if self._stream.finish(entry.id) is None:
            return False
        if matches:
            matched = MatchedArticle(article=entry.value, matches=tuple(matches))
            self._store.matches.append(matched)
        self._store.keep(Chapter(article=entry.value, matches=tuple(matches)))
        return True


class MemoryMatchLog(MemoryLog[MatchedArticle]):
    """A `MatchLog` in memory."""

    def __init__(self, store: MemoryStore, consumer: str = "local") -> None:
        """Read the store's matches."""
        super().__init__(store, store.matches, consumer)

    async def done(self, entry: Entry[MatchedArticle], chapter: Chapter | None = None) -> bool:
        """See `MatchLog.done`."""
        if self._stream.finish(entry.id) is None:
            return False
        if chapter:
            self._store.keep(chapter)
        return True


class MemoryArchiveLog(MemoryLog[Chapter]):
    """An `ArchiveLog` in memory."""

    def __init__(self, store: MemoryStore, consumer: str = "local") -> None:
        """Read the store's chapters."""
        super().__init__(store, store.archive, consumer)

    async def done(self, entries: Sequence[Entry[Chapter]]) -> int:
        """See `ArchiveLog.done`."""
        return sum(self._stream.finish(entry.id) is not None for entry in entries)
