"""What lies between the services: articles, matches and chapters on their way, and the stream that others read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from monitor.core.chapter import Chapter
from monitor.core.model import (
    Article,
    Match,
    MatchedArticle,
)

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[T_co]):
    """One element of a log, held by this consumer until it is forwarded, finished or buried."""

    id: str
    partition: int
    value: T_co
    deliveries: int = 1


class ArticleLog(Protocol):
    """Articles on their way to matching; every article is handled once, by one of the consumers."""

    async def read(self, limit: int, wait: timedelta) -> Sequence[Entry[Article]]:
        """Return up to `limit` entries, oldest first within a partition; block at most `wait` for the first.

        Entries that another consumer left unfinished are handed out again. Entries that cannot be decoded, or were
        handed out too often, are buried here and not returned.
        """
        ...

    async def forward(self, entry: Entry[Article], matches: Sequence[Match]) -> bool:
        """Finish the entry and, if there are `matches`, append them to the match log, in one step.

        Return False when another consumer has done so already; then nothing happens.
        """
        ...


class Matcher(Protocol):
    """Every rule at once. Pure and synchronous: the matching service runs it off the event loop."""

    def match(self, article: Article, now: datetime) -> tuple[Match, ...]:
        """Return a match for each rule that is not expired and finds the article, in the order of rule ids."""
        ...


class MatchLog(Protocol):
    """Matched articles on their way to routing."""

    async def read(self, limit: int, wait: timedelta) -> Sequence[Entry[MatchedArticle]]:
        """As `ArticleLog.read`."""
        ...

    async def done(self, entry: Entry[MatchedArticle], chapter: Chapter | None = None) -> bool:
        """Finish the entry and leave `chapter` for the archive; call it after all that follows from it is durable."""
        ...


class ArchiveLog(Protocol):
    """Chapters on their way to the archive. Both hops before leave one in the step in which they finish an entry."""

    async def read(self, limit: int, wait: timedelta) -> Sequence[Entry[Chapter]]:
        """As `ArticleLog.read`."""
        ...

    async def done(self, entries: Sequence[Entry[Chapter]]) -> int:
        """Finish these entries, once they are archived; return how many were not finished before."""
        ...


@dataclass(frozen=True, slots=True)
class PublicEntry:
    """One entry of the public stream: its id, which grows, and its fields as docs/stream.md describes them."""

    id: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Publication:
    """What the field `data` of a public entry says, as JSON."""

    article: Article
    match: Match


class PublicStream(Protocol):
    """The stream `monitor:matches`, which other programs read."""

    async def read(self, after: str, limit: int, wait: timedelta) -> Sequence[PublicEntry]:
        """Return up to `limit` entries that come after this id, oldest first; wait at most `wait` for the first.

        `0` begins at the oldest entry that is kept. An id that was never given is as good as any.
        """
        ...

    async def last(self) -> str:
        """Return the id of the newest entry, or `0` when there was none."""
        ...

    async def publish(self, matched: MatchedArticle, now: datetime) -> int:
        """Append one entry for each match that was not published before; return how many that were.

        A match is the pair of article and rule: an edit of the article does not publish it again.
        """
        ...
