"""What looking back needs: everything that was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.core.chapter import Chapter, Decided, Kept
from monitor.core.narrowing import EVERYTHING, Narrowing


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which archived articles to return, newest first: those seen in [`since`, `until`), archived before `before`.

    `rule`: only those that matched it when they came. `matched`: only those that matched any rule.
    """

    narrowing: Narrowing = EVERYTHING
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    rule: str | None = None
    matched: bool = False
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSize:
    """How much the archive holds."""

    articles: int
    bytes: int
    oldest: datetime | None


class Archive(Protocol):
    """Everything that was seen, with what came of it, for as long as it is kept.

    Every method raises `ArchiveError` when the database cannot be used; the caller backs off and repeats the step.
    """

    async def add(self, chapters: Sequence[Chapter]) -> None:
        """Keep these chapters, all or none. What is kept already is not kept twice, so that a step can be repeated."""
        ...

    async def page(self, which: Page) -> Sequence[Kept]:
        """Return articles that have what the narrowing asks, maybe some that have not: newest first."""
        ...

    async def count(self, since: datetime | None, until: datetime | None) -> int:
        """Return how many articles were seen in [`since`, `until`)."""
        ...

    async def matched(self, since: datetime) -> Mapping[str, int]:
        """Return how many articles each rule found since then; a rule that found none is absent."""
        ...

    async def versions(self, article_id: str) -> Sequence[Kept]:
        """Return an article in every text it had, oldest first; nothing when it is not kept."""
        ...

    async def decided(self, article_id: str) -> Sequence[Decided]:
        """Return what routing decided about an article, oldest first."""
        ...

    async def tidy(self, before: datetime) -> int:
        """Delete what was seen before this instant, in small steps; return how many articles went."""
        ...

    async def size(self) -> ArchiveSize:
        """Count what there is."""
        ...
