"""What the commands that look back share: since when, the archive, and how its articles are shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import click

from monitor.app.parts import open_archive
from monitor.config.settings import Settings
from monitor.config.values import WrongValueError, duration
from monitor.core.chapter import Kept
from monitor.core.model import Article, Match
from monitor.core.render.clean import line
from monitor.errors import MonitorError
from monitor.ports import Archive

_TITLE = 160
_WORDS = 80


class When(click.ParamType[datetime]):
    """An instant: a duration before now (`7d`), a day or an instant (`2026-01-15`, `2026-01-15T12:00Z`)."""

    name = "when"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Read it; a day begins at midnight in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            return datetime.now(UTC) - duration(value)
        except (WrongValueError, OverflowError):
            pass
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(
                f"{value!r} is none: write 12h, 7d, 2026-01-15 or 2026-01-15T12:00Z", param, ctx
            )
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


since_option = click.option(
    "--since", type=When(), default="7d", show_default=True, help="Seen from then on."
)
until_option = click.option("--until", type=When(), help="Seen before then.")


@asynccontextmanager
async def open_archive_of(settings: Settings) -> AsyncIterator[Archive]:
    """Open the archive for a command; raise `MonitorError` when there is none."""
    async with open_archive(settings) as archive:
        if archive is None:
            raise MonitorError(
                "nothing is archived: set `archive: {enabled: true}` in monitor.yaml"
            )
        yield archive


def article_lines(article: Article, match: Match | None = None) -> tuple[str, ...]:
    """Return when it was seen, where, what, and the words found."""
    seen = article.seen_at.astimezone().strftime("%Y-%m-%d %H:%M") if article.seen_at else ""
    head = f"{seen}  {line(article.title, _TITLE) or '(no title)'}"
    source = line(article.feed_name or article.feed_id, _WORDS)
    words = ", ".join(
        dict.fromkeys(line(span.text, _WORDS) for span in match.spans) if match else ()
    )
    details = (source, article.url, f"[{line(words, _WORDS)}]" if words else "")
    return head, "  " + "  ".join(each for each in details if each)


def article_row(kept: Kept, match: Match | None = None) -> dict[str, Any]:
    """Return an article as a row of JSON, with the rules that found it when it came."""
    article = kept.article
    row: dict[str, Any] = {
        "id": article.id,
        "seen_at": _iso(article.seen_at),
        "published_at": _iso(article.published_at),
        "feed": article.feed_id,
        "feed_name": article.feed_name,
        "title": article.title,
        "summary": article.summary,
        "body": article.body,
        "url": article.url,
        "author": article.author,
        "lang": article.lang,
        "tags": list(article.tags),
        "country": article.country,
        "category": article.category,
        "rules": [one.rule_id for one in kept.matches],
        "suppressed": kept.suppressed,
    }
    if match:
        row["spans"] = [
            {"field": span.field, "start": span.start, "end": span.end, "text": span.text}
            for span in match.spans
        ]
    return row


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
