"""`monitor explain`: what became of an article, from the poll to the last attempt, and why."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import click

from monitor.app.everyone import with_made
from monitor.app.parts import open_archive, open_store_parts
from monitor.cli.options import config_option, load_settings
from monitor.cli.output import text_console
from monitor.config.settings import Settings
from monitor.core.localtime import to_the_second
from monitor.core.render.clean import line
from monitor.errors import MonitorError
from monitor.lookback import Story, stories

_LONGEST = 400


@click.command()
@config_option
@click.argument("alert_or_article")
def explain(config: Path, alert_or_article: str) -> None:
    """Tell the whole story of an article: when it was seen, what found it, who was told, and why others were not.

    ALERT_OR_ARTICLE is the id of an article or of a delivery, as `search`, `deliveries` and messages have them.
    Instants are in UTC; until when a subscriber waits is told by the clocks there.
    """
    console = text_console()
    for story in asyncio.run(_explain(load_settings(config), alert_or_article)):
        article = story.article
        console.print(line(article.title, _LONGEST) or "(no title)", style="bold")
        console.print(f"{article.id}  {article.url}")
        for event in story.events:
            console.print(f"{_when(event.at):23}  {'  ' * event.depth}{line(event.said, _LONGEST)}")


async def _explain(settings: Settings, wanted: str) -> list[Story]:
    async with open_store_parts(settings) as parts, open_archive(settings) as archive:
        whole = await with_made(settings, parts.registry)
        found = await stories(archive, parts.ledger, whole.routing.zone_of, wanted)
    if not found:
        raise MonitorError(
            f"no article and no delivery {wanted!r}: what is older than its retention is gone, and of"
            " what the first poll of a feed keeps back the newest 200 are kept"
        )
    return found


def _when(instant: datetime | None) -> str:
    return to_the_second(instant, UTC) if instant else ""
