"""Alerts to try a template on: one with everything, one with as little as there can be, and a digest."""

from collections.abc import Iterator
from datetime import UTC, datetime

from monitor.core.links import Links
from monitor.core.model import Alert, Article, ArticleKind, Delivery, Match, Severity, Span
from monitor.core.outcome import HoldReason
from monitor.core.render.message import Message, message

_AT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
_LINKS = Links(
    open="https://monitor.example/l/open",
    snooze_story="https://monitor.example/l/story",
    snooze_rule="https://monitor.example/l/rule",
    digest="https://monitor.example/l/digest",
    unsubscribe="https://monitor.example/l/unsubscribe",
)


def samples() -> Iterator[Message]:
    """Yield what a template must be able to say."""
    yield message(_delivery(_full()), _LINKS)
    yield message(_delivery(_bare()))
    digest = _delivery(_full(), _bare(), because=HoldReason.QUIET_HOURS, detail="22:00 to 07:00")
    yield message(digest, _LINKS)


def _delivery(*alerts: Alert, because: HoldReason | None = None, detail: str = "") -> Delivery:
    return Delivery(
        id="sample",
        target_id="desk/sample",
        alerts=alerts,
        created_at=_AT,
        due_at=_AT,
        because=because,
        because_of=detail,
        seq=1,
    )


def _full() -> Alert:
    title, summary = (
        'Talks on "Syria" & <Iraq> resume',
        "Delegates returned to the table on Thursday.",
    )
    article = Article(
        id="sample",
        feed_id="example-world",
        feed_name="Example World",
        url="https://news.example/2026/01/15/talks",
        title=title,
        was_title='Talks on "Syria" end',
        summary=summary,
        lang="en",
        published_at=_AT,
        seen_at=_AT,
        kind=ArticleKind.EDITED,
    )
    words = (
        Span(field="title", start=0, end=5, text="Talks"),
        Span(field="summary", start=26, end=31, text="table"),
    )
    match = Match(
        rule_id="talks",
        rule_name="Talks",
        article_id="sample",
        severity=Severity.CRITICAL,
        spans=words,
    )
    return Alert(subscriber="desk", article=article, matches=(match,), created_at=_AT)


def _bare() -> Alert:
    match = Match(rule_id="bare", article_id="bare")
    article = Article(id="bare", feed_id="bare")
    return Alert(subscriber="desk", article=article, matches=(match,), created_at=_AT)
