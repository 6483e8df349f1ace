"""What the archive keeps: everything seen, with what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.core.model import Article, Match
from monitor.core.outcome import HoldReason, Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What routing decided about some matches of an article, for one target of a subscriber.

    Either a delivery was made (`delivery_id`), which may be held for a reason, or nothing was told (`suppressed`).
    `target_id` and `subscriber` are empty where the way ended before there was one. `route` is the node that decided,
    where one did, and `detail` says it in words.
    """

    rule_ids: tuple[str, ...]
    subscriber: str = ""
    target_id: str = ""
    route: str = ""
    delivery_id: str = ""
    held: HoldReason | None = None
    suppressed: Suppression | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One thing that happened to an article: it was seen and matched, or its matches were routed.

    The first kind has `matches`, maybe none, or `suppressed`, when it never came to matching. The
    second kind has `decisions` and `decided_at`.
    """

    article: Article
    matches: tuple[Match, ...] = ()
    suppressed: Suppression | None = None
    decisions: tuple[Decision, ...] = ()
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An article as the archive has it. `number` counts what was archived, upwards; a page ends with the last one."""

    number: int
    article: Article
    matches: tuple[Match, ...] = ()
    suppressed: Suppression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Decisions about an article, made at one time."""

    at: datetime
    decisions: Sequence[Decision]
