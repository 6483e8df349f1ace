"""What the commands that look back share: since when, the archive, and how its articles are shown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from monitor.app.parts import open_archive
from monitor.cli.options import Instant, load_settings
from monitor.config.settings import Settings
from monitor.core.chapter import Kept
from monitor.core.model import Article, Match
from monitor.core.render.clean import line
from monitor.errors import MonitorError
from monitor.ports import Archive, Page
from monitor.web.api.shapes import article_shape

_LATELY, _MOST_LATELY = timedelta(days=7), 10_000
_TITLE = 160
_WORDS = 80


since_option = click.option(
    "--since", type=Instant(), default="7d", show_default=True, help="Seen from then on."
)
until_option = click.option("--until", type=Instant(), help="Seen before then.")


@asynccontextmanager
async def open_archive_of(settings: Settings) -> AsyncIterator[Archive]:
    """Open the archive for a command; raise `MonitorError` when there is none."""
    async with open_archive(settings) as archive:
        if archive is None:
            raise MonitorError(
                "nothing is archived: set `archive: {enabled: true}` in monitor.yaml"
            )
        yield archive


def newest_articles(config: Path) -> list[Article]:
    """Return the articles of the last days, the newest first, at most so many as a person waits for."""
    return asyncio.run(_newest(load_settings(config)))


async def _newest(settings: Settings) -> list[Article]:
    which = Page(since=datetime.now(UTC) - _LATELY, limit=_MOST_LATELY)
    async with open_archive_of(settings) as archive:
        return [kept.article for kept in await archive.page(which)]


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


def article_row(kept: Kept) -> dict[str, Any]:
    """Return an article as the API has it, for a table: without the places of a query."""
    row: dict[str, Any] = msgspec.to_builtins(article_shape(kept))
    del row["spans"]
    return row


def article_json(kept: Kept, match: Match | None = None) -> str:
    """Return an article as a line of JSON, as the API has it."""
    return msgspec.json.encode(article_shape(kept, match)).decode()
