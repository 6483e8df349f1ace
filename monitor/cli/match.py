"""`monitor match`: which rules find which articles, and where. Needs no store."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import click

from monitor.cli.articles import json_articles, text_articles
from monitor.config.rulefile import load_rule_set
from monitor.core.model import Match


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
    read = text_articles if plain else json_articles
    for article in read(articles):
        for found in rules.match(article, now):
            sys.stdout.write(json.dumps(match_row(found), ensure_ascii=False) + "\n")


def match_row(found: Match) -> dict[str, Any]:
    """Return a match as it is printed."""
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
