"""What rules found, and who was told of it: `GET /api/matches`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from monitor.core.access import Scope
from monitor.core.chapter import Decided
from monitor.core.model import Match
from monitor.core.outcome import HoldReason, Suppression
from monitor.ports import Page
from monitor.web.api.operation import Asked, Operation
from monitor.web.api.operations import Id, Operations, Since, Until
from monitor.web.api.shapes import ArticleShape, SpanShape, article_shape, span_shape

_MOST = 100


class MatchesQuery(Struct, kw_only=True):
    """Which matches."""

    rule: Annotated[Id, Meta(description="Only what this rule found.")] | None = None
    since: Since | None = None
    until: Until | None = None
    cursor: Annotated[int, Meta(ge=1, description="`next` of the page before.")] | None = None
    limit: Annotated[int, Meta(ge=1, le=_MOST, description="How many articles at most.")] = 50


class MatchShape(Struct, kw_only=True):
    """That a rule found an article when it came, and where."""

    rule: str
    name: str
    severity: str
    labels: dict[str, str]
    spans: list[SpanShape]


class AlertShape(Struct, kw_only=True):
    """What one target was told of an article, or why it was not: it has a `delivery`, or it was `suppressed`.

    A delivery may have been `held` first. Without a target nobody was there to be told.
    """

    decided_at: datetime
    rules: list[str]
    subscriber: str
    target: str
    delivery: str | None
    held: HoldReason | None
    suppressed: Suppression | None
    detail: str


class MatchedShape(Struct, kw_only=True):
    """An article with what found it, and what became of that."""

    article: ArticleShape
    matches: list[MatchShape]
    alerts: list[AlertShape]


class MatchesShape(Struct, kw_only=True):
    """A page of articles, newest first; `next` is the cursor of the page after, if there may be one."""

    matches: list[MatchedShape]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """What rules found, as the archive has it."""

    operations: Operations

    def all(self) -> tuple[Operation, ...]:
        """Return every operation, for the router and for the document."""
        return (
            Operation(
                method="GET",
                path="/api/matches",
                name="listMatches",
                summary="What rules found, newest first, and who was told of it or why not.",
                scope=Scope.READ,
                query=MatchesQuery,
                answer=MatchesShape,
                errors=(404,),
                handle=self.list_matches,
            ),
        )

    async def list_matches(self, asked: Asked) -> MatchesShape:
        """See `listMatches`."""
        query: MatchesQuery = asked.query
        archive = self.operations.kept()
        kept = await archive.page(
            Page(
                since=query.since,
                until=query.until,
                before=query.cursor,
                rule=query.rule,
                matched=True,
                limit=query.limit,
            )
        )
        found = [
            MatchedShape(
                article=article_shape(one),
                matches=[_match(each) for each in one.matches],
                alerts=list(_alerts(await archive.decided(one.article.id))),
            )
            for one in kept
        ]
        more = len(kept) == query.limit
        return MatchesShape(matches=found, next=str(kept[-1].number) if more else None)


def _match(match: Match) -> MatchShape:
    return MatchShape(
        rule=match.rule_id,
        name=match.rule_name,
        severity=match.severity,
        labels=dict(match.labels),
        spans=[span_shape(span) for span in match.spans],
    )


def _alerts(decided: Sequence[Decided]) -> Iterator[AlertShape]:
    for turn in decided:
        for each in turn.decisions:
            yield AlertShape(
                decided_at=turn.at,
                rules=list(each.rule_ids),
                subscriber=each.subscriber,
                target=each.target_id,
                delivery=each.delivery_id or None,
                held=each.held,
                suppressed=each.suppressed,
                detail=each.detail,
            )
