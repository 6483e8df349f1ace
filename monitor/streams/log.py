"""The two internal logs, on the server: one stream a partition, one consumer group, entries deleted in the hop."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Generic, TypeVar

import structlog

from monitor.core.chapter import Chapter
from monitor.core.model import Article, Match, MatchedArticle
from monitor.errors import CodecError
from monitor.ports import Entry
from monitor.streams import bounds, codec, keys
from monitor.streams.client import Command, NoGroupError, Word, call, command
from monitor.streams.codec import Codec
from monitor.streams.consumers import is_dead
from monitor.streams.instants import span_ms
from monitor.streams.keys import key
from monitor.streams.store import Store

GROUP = "monitor"
ASK_CLUSTER_EVERY = timedelta(milliseconds=100)
FINISHED = b"0-0"

T = TypeVar("T")
RawEntry = tuple[bytes, bytes | None, int]

_log = structlog.get_logger(__name__)


class StreamLog(Generic[T]):
    """One consumer's view of a log.

    Reads first what it held itself when it last stopped and what the dead have left, then, at intervals, what others
    have held for `min_idle`, then what is new. `lost` counts entries that were handed out and are gone from the
    stream: somebody trimmed it.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        records: Codec[T],
        consumer: str,
        min_idle: timedelta,
    ) -> None:
        """Read the log `name` as `consumer`, a name that no other running consumer has (see `new_consumer`)."""
        self.lost = 0
        self._store = store
        self._server = store.server
        self._name = name
        self._records = records
        self._consumer = consumer
        self._min_idle = min_idle
        self._streams = {key(partition, name): partition for partition in store.all()}
        self._ahead: deque[Entry[T]] = deque()
        self._left: list[str] | None = None  # by whom; None: not looked for yet
        self._from: str | None = (
            None  # whose entries are swept up; None: those of all who are silent
        )
        self._sweep: dict[str, str | bytes] = {}
        self._swept_at = float("-inf")

    async def read(self, limit: int, wait: timedelta) -> Sequence[Entry[T]]:
        """See `ArticleLog.read`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait.total_seconds()
        while True:
            try:
                await self._take_up(limit)
                if len(self._ahead) < limit:
                    left = timedelta(seconds=max(0.0, deadline - loop.time()))
                    pause = timedelta() if self._ahead else min(left, self._min_idle / 4)
                    await self._take_new(limit - len(self._ahead), pause)
            except NoGroupError:
                await self._make_groups()
                continue
            if self._ahead or loop.time() >= deadline:
                return [self._ahead.popleft() for _ in range(min(limit, len(self._ahead)))]

    async def _make_groups(self) -> None:
        """Create the groups at 0: what was appended before the first consumer came is read too."""
        await self._server.each(
            [call("monitor_make_group", [stream], GROUP) for stream in self._streams]
        )

    async def _take_up(self, limit: int) -> None:
        """Read ahead what was handed out before: once to this consumer's last life and the dead, then to the silent."""
        if self._left is None:
            self._left = await self._find_left()
        now = asyncio.get_running_loop().time()
        is_time = now >= self._swept_at + self._min_idle.total_seconds() / 4
        if not self._sweep and not self._left and is_time:
            self._from, self._sweep = None, dict.fromkeys(self._streams, "0-0")
            self._swept_at = now
        while (self._sweep or self._left) and len(self._ahead) < limit:
            if not self._sweep:
                self._from, self._sweep = self._left.pop(), dict.fromkeys(self._streams, "-")
            share = max(1, limit // len(self._sweep))
            streams = list(self._sweep)
            replies = await self._server.each([self._recover(one, share) for one in streams])
            for stream, (cursor, entries, lost) in zip(streams, replies, strict=True):
                self._sweep[stream] = cursor
                if cursor == FINISHED:
                    del self._sweep[stream]
                self._count_lost(stream, lost)
                await self._accept(stream, entries)

    async def _find_left(self) -> list[str]:
        """Return the names under which entries were left: this consumer's own, and those of the dead."""
        pending = [command("XPENDING", stream, GROUP) for stream in self._streams]
        replies = await self._server.each(pending)
        holders = {one["name"].decode() for reply in replies for one in reply["consumers"]}
        return sorted(one for one in holders if one == self._consumer or is_dead(one))

    def _recover(self, stream: str, share: int) -> Command:
        cursor = self._sweep[stream]
        if self._from is not None:
            whose = (self._from, self._consumer)
            return call("monitor_resume", [stream], GROUP, *whose, cursor, share)
        idle = span_ms(self._min_idle)
        return call("monitor_adopt", [stream], GROUP, self._consumer, idle, cursor, share)

    def _count_lost(self, stream: str, lost: int) -> None:
        if lost:
            self.lost += lost
            _log.error("entries_lost", stream=stream, count=lost, hint="somebody trims the stream")

    async def _take_new(self, limit: int, pause: timedelta) -> None:
        """Read ahead what nobody had yet, an equal share of each partition; wait at most `pause` for the first."""
        share = max(1, limit // len(self._streams))
        if self._server.clustered:
            each = [Command(one, self._read([one], share)) for one in self._streams]
            replies = [stream for reply in await self._server.each(each) for stream in reply]
            if not replies:
                await asyncio.sleep(min(pause, ASK_CLUSTER_EVERY).total_seconds())
        else:
            words = self._read(list(self._streams), share, pause)
            replies = await self._server.wait(words, pause)
        for stream, entries in replies:
            raw = [(entry_id, fields.get(b"d"), 1) for entry_id, fields in entries]
            await self._accept(stream.decode(), raw)

    def _read(
        self, streams: Sequence[str], share: int, pause: timedelta = timedelta()
    ) -> tuple[Word, ...]:
        block = ("BLOCK", span_ms(pause)) if span_ms(pause) else ()
        news = [">"] * len(streams)
        who = ("XREADGROUP", "GROUP", GROUP, self._consumer)
        return (*who, "COUNT", share, *block, "STREAMS", *streams, *news)

    async def _accept(self, stream: str, entries: Iterable[RawEntry]) -> None:
        for raw_id, data, deliveries in entries:
            entry_id = raw_id.decode()
            if deliveries > bounds.MAX_DELIVERIES:
                why = f"handed out {bounds.MAX_DELIVERIES} times and never finished"
                await self._bury(stream, entry_id, why)
                continue
            try:
                value = self._records.decode(data or b"")
            except CodecError as error:
                await self._bury(stream, entry_id, str(error))
                continue
            partition = self._streams[stream]
            self._ahead.append(
                Entry(id=entry_id, partition=partition, value=value, deliveries=deliveries)
            )

    async def _bury(self, stream: str, entry_id: str, why: str) -> None:
        dead = key(self._streams[stream], keys.DEAD)
        words = (GROUP, entry_id, self._name, why)
        if await self._server.run(call("monitor_bury", [stream, dead], *words)):
            _log.error("entry_buried", stream=stream, entry=entry_id, why=why)


class StreamArticleLog(StreamLog[Article]):
    """An `ArticleLog` on the server."""

    def __init__(
        self,
        store: Store,
        consumer: str,
        *,
        min_idle: timedelta = bounds.MIN_IDLE,
        archive: int = 0,
    ) -> None:
        """Read articles as `consumer`; `archive` chapters a partition may wait for the archive, 0: there is none."""
        super().__init__(store, keys.ARTICLES, codec.articles, consumer, min_idle)
        self._archive = archive

    async def forward(self, entry: Entry[Article], matches: Sequence[Match]) -> bool:
        """See `ArticleLog.forward`."""
        names = (keys.ARTICLES, keys.MATCHES, keys.ARCHIVE, keys.MISSED)
        hop = [key(entry.partition, name) for name in names]
        data = b""
        if matches or self._archive:
            matched = MatchedArticle(article=entry.value, matches=tuple(matches))
            data = codec.matched_articles.encode(matched)
        words = (data if matches else b"", self._archive, data if self._archive else b"")
        reply = await self._server.run(call("monitor_forward", hop, GROUP, entry.id, *words))
        return bool(reply)


class StreamMatchLog(StreamLog[MatchedArticle]):
    """A `MatchLog` on the server."""

    def __init__(
        self,
        store: Store,
        consumer: str,
        *,
        min_idle: timedelta = bounds.MIN_IDLE,
        archive: int = 0,
    ) -> None:
        """Read matched articles as `consumer`; `archive` as for articles."""
        super().__init__(store, keys.MATCHES, codec.matched_articles, consumer, min_idle)
        self._archive = archive

    async def done(self, entry: Entry[MatchedArticle], chapter: Chapter | None = None) -> bool:
        """See `MatchLog.done`."""
        names = (keys.MATCHES, keys.ARCHIVE, keys.MISSED)
        hop = [key(entry.partition, name) for name in names]
        data = codec.chapters.encode(chapter) if chapter and self._archive else b""
        words = (entry.id, self._archive, data)
        return bool(await self._server.run(call("monitor_done", hop, GROUP, *words)))


class StreamArchiveLog(StreamLog[Chapter]):
    """An `ArchiveLog` on the server."""

    def __init__(
        self, store: Store, consumer: str, *, min_idle: timedelta = bounds.MIN_IDLE
    ) -> None:
        """Read chapters as `consumer`."""
        super().__init__(store, keys.ARCHIVE, codec.chapters, consumer, min_idle)

    async def done(self, entries: Sequence[Entry[Chapter]]) -> int:
        """See `ArchiveLog.done`."""
        ids: defaultdict[int, list[str]] = defaultdict(list)
        for entry in entries:
            ids[entry.partition].append(entry.id)
        calls = [
            call("monitor_finish", [key(partition, keys.ARCHIVE)], GROUP, *some)
            for partition, some in ids.items()
        ]
        return sum(await self._server.each(calls))
