"""`monitor explain`: what became of an article, from the poll to the last attempt, and why."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click
import structlog

from monitor.app.parts import open_archive, open_store_parts
from monitor.cli.options import config_option, load_settings
from monitor.cli.output import text_console
from monitor.config.settings import Settings
from monitor.core.account import Event, Sent, account
from monitor.core.chapter import Decided, Kept
from monitor.core.model import Article, DeliveryState
from monitor.core.render.clean import line
from monitor.errors import ArchiveError, MonitorError
from monitor.ports import DeliveryLedger

_LONGEST = 400

log = structlog.get_logger()

Told = tuple[Article, tuple[Event, ...]]


@click.command()
@config_option
@click.argument("alert_or_article")
def explain(config: Path, alert_or_article: str) -> None:
    """Tell the whole story of an article: when it was seen, what found it, who was told, and why others were not.

    ALERT_OR_ARTICLE is the id of an article or of a delivery, as `search`, `deliveries` and messages have them.
    """
    console = text_console()
    for article, events in asyncio.run(_explain(load_settings(config), alert_or_article)):
        console.print(line(article.title, _LONGEST) or "(no title)", style="bold")
        console.print(f"{article.id}  {article.url}")
        for event in events:
            console.print(f"{_when(event.at):19}  {'  ' * event.depth}{line(event.said, _LONGEST)}")


async def _explain(settings: Settings, wanted: str) -> list[Told]:
    async with open_store_parts(settings) as parts:
        delivery = await parts.ledger.get(wanted)
        if delivery is None:
            return [await _one(settings, parts.ledger, wanted, [], None)]
        articles = {alert.article.id: alert.article for alert in delivery.alerts}
        return [
            await _one(settings, parts.ledger, article_id, [wanted], article)
            for article_id, article in articles.items()
        ]


async def _one(
    settings: Settings,
    ledger: DeliveryLedger,
    article_id: str,
    deliveries: list[str],
    article: Article | None,
) -> Told:
    versions, decided = await _archived(settings, article_id)
    if not versions and article is None:
        raise MonitorError(
            f"no article and no delivery {article_id!r}: what is older than its retention is gone"
        )
    ids = [one.delivery_id for each in decided for one in each.decisions if one.delivery_id]
    sent = await _sent(ledger, dict.fromkeys([*ids, *deliveries]))
    return article or versions[-1].article, account(versions, decided, sent)


async def _archived(
    settings: Settings, article_id: str
) -> tuple[tuple[Kept, ...], tuple[Decided, ...]]:
    try:
        async with open_archive(settings) as archive:
            if archive is None:
                return (), ()
            versions = await archive.versions(article_id)
            return tuple(versions), tuple(await archive.decided(article_id))
    except ArchiveError as error:
        log.warning("archive_unavailable", error=str(error), hint="only deliveries are shown")
        return (), ()


async def _sent(ledger: DeliveryLedger, ids: Iterable[str]) -> list[Sent]:
    """Return deliveries that are still kept, and the digests that they were folded into."""
    waiting, found = list(ids), dict[str, Sent]()
    while waiting:
        delivery = await ledger.get(waiting.pop(0))
        if delivery and delivery.id not in found:
            attempts = await ledger.attempts(delivery.id)
            found[delivery.id] = Sent(delivery=delivery, attempts=attempts)
            if delivery.state is DeliveryState.FOLDED:
                waiting.append(delivery.detail)
    return list(found.values())


def _when(instant: datetime | None) -> str:
    return instant.astimezone().strftime("%Y-%m-%d %H:%M:%S") if instant else ""
