"""`monitor search`: what was seen, by a query of our language."""

import asyncio
import json
from datetime import datetime
from pathlib import Path

import click

from monitor.cli.archived import (
    article_lines,
    article_row,
    open_archive_of,
    since_option,
    until_option,
)
from monitor.cli.options import config_option, load_settings
from monitor.cli.output import text_console
from monitor.config.settings import Settings
from monitor.core.model import Rule
from monitor.core.trial import Found, Trial
from monitor.ports import Page
from monitor.services import search as archive_search

SEARCH = "search"


@click.command()
@config_option
@since_option
@until_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each article.")
@click.argument("query")
def search(
    config: Path,
    since: datetime,
    until: datetime | None,
    limit: int,
    as_json: bool,
    query: str,
) -> None:
    """Find archived articles by QUERY, newest first.

    QUERY is written as in rules; `@RULE` is the query of a configured rule.
    """
    settings = load_settings(config)
    trial = Trial(Rule(id=SEARCH, query=query), settings.rule_set)
    found = asyncio.run(_search(settings, trial, Page(since=since, until=until, limit=limit)))
    console = text_console()
    for one in found:
        if as_json:
            click.echo(json.dumps(article_row(one.kept, one.match), ensure_ascii=False))
        else:
            console.print(*article_lines(one.kept.article, one.match), sep="\n")
    if not found:
        click.echo(f"nothing since {since:%Y-%m-%d %H:%M} UTC", err=True)


async def _search(settings: Settings, trial: Trial, page: Page) -> list[Found]:
    async with open_archive_of(settings) as archive:
        return [found async for found in archive_search.search(archive, trial, page)]
