"""`monitor match`: which rules find which articles, and where. Needs no store."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import click

from monitor.config.rulefile import load_rule_set
from monitor.core.model import Article, Match
from monitor.errors import ConfigError, Problem

_TEXTS = ("title", "summary", "body", "url", "author")


@click.command()
@click.option(
    "--rules",
    "rules_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A rules YAML, or a .txt with one query a line (rule ids are the line numbers from 0).",
)
@click.option(
    "--entities",
    "entities_dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Entity files, for `entity:` in queries; without it `entities` beside a rules YAML.",
)
@click.option(
    "--plain", is_flag=True, help="ARTICLES has one article a line, plain text; ids from 0."
)
@click.argument("articles", type=click.File(encoding="utf-8", errors="replace"), default="-")
def match(rules_file: Path, entities_dir: Path | None, plain: bool, articles: TextIO) -> None:
    """Print which rules find which articles.

    One JSON line for each match of a rule in ARTICLES: JSON lines, or `-` for standard input.
    An article is an object with `id` and any of `title`, `summary`, `body`, `lang`, `feed`, `url`, `published_at`.
    """
    beside = rules_file.parent / "entities"
    if entities_dir is None and rules_file.suffix != ".txt" and beside.is_dir():
        entities_dir = beside
    rules = load_rule_set(rules_file, entities_dir)
    now = datetime.now(UTC)
    read = _plain_articles if plain else _json_articles
    for article in read(articles):
        for found in rules.match(article, now):
            sys.stdout.write(json.dumps(_row(found), ensure_ascii=False) + "\n")


def _row(found: Match) -> dict[str, Any]:
    places = {(span.field, span.start, span.end): span.text for span in found.spans}
    return {
        "article": found.article_id,
        "rule": found.rule_id,
        "score": found.score,
        "spans": [
            {"field": field, "start": start, "end": end, "text": text}
            for (field, start, end), text in places.items()
        ],
    }


def _plain_articles(lines: TextIO) -> Iterator[Article]:
    for number, line in enumerate(lines):
        yield Article(id=str(number), body=line.rstrip("\n"))


def _json_articles(lines: TextIO) -> Iterator[Article]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _article(line, lines.name, number)


def _article(line: str, file: str, number: int) -> Article:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        column = error.colno if isinstance(error, json.JSONDecodeError) else 1
        raise _refused(file, number, column, f"not JSON: {error}") from error
    if not isinstance(row, dict) or not isinstance(row.get("id"), str | int):
        raise _refused(file, number, 1, "an article is a JSON object with an `id`")
    for name in (*_TEXTS, "lang", "feed", "published_at"):
        if not isinstance(row.get(name), str | None):
            raise _refused(file, number, 1, f"`{name}` must be text")
    title, summary, body, url, author = (row.get(name) or "" for name in _TEXTS)
    return Article(
        id=str(row["id"]),
        title=title,
        summary=summary,
        body=body,
        url=url,
        author=author,
        lang=row.get("lang"),
        feed_id=row.get("feed") or "",
        published_at=_instant(row.get("published_at"), file, number),
    )


def _instant(text: str | None, file: str, number: int) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise _refused(
            file, number, 1, f"`published_at` is {text!r}: write it as 2026-01-15T12:00:00Z"
        ) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _refused(file: str, line: int, column: int, message: str) -> ConfigError:
    return ConfigError((Problem(file, line, column, message),))
