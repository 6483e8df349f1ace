"""`monitor feeds list|show`: how feeds stand."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from monitor.app.feeds import ADDED, FeedDesk, Listed
from monitor.app.parts import open_store_parts
from monitor.cli.options import config_option, load_settings
from monitor.cli.output import text_console
from monitor.config.settings import Settings
from monitor.core.model import FeedState
from monitor.core.render.clean import line
from monitor.core.schedule import in_words, interval_of
from monitor.core.standing import (
    ago,
    ahead,
    hub_in_words,
    in_a_word,
    in_detail,
    is_failing,
    is_silent,
)
from monitor.core.websub import HubSubscription
from monitor.core.wording import counted

_NOTHING = FeedState()
_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_ORDERS: Mapping[str, Callable[[Listed], Any]] = {
    "id": lambda each: each.feed.id,
    "success": lambda each: _state(each).succeeded_at or _NEVER,
    "news": lambda each: _state(each).changed_at or _NEVER,
    "next": lambda each: _state(each).next_poll_at or _NEVER,
    "failures": lambda each: -_state(each).failures,
    "interval": lambda each: interval_of(each.feed, _state(each))[0],
    "missed": lambda each: -_state(each).missed,
}


@click.command("list")
@config_option
@click.option("--failing", is_flag=True, help="Only those whose last poll failed.")
@click.option("--silent", is_flag=True, help="Only those without news for longer than usual.")
@click.option("--sort", type=click.Choice(list(_ORDERS)), help="Without it: files, then added.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
def list_(config: Path, failing: bool, silent: bool, sort: str | None, limit: int | None) -> None:
    """List feeds: where each comes from, its last success, next poll and interval, and what is wrong."""
    listed, now = asyncio.run(_everything(load_settings(config)))
    if failing or silent:
        listed = [
            each
            for each in listed
            if each.state
            and ((failing and is_failing(each.state)) or (silent and is_silent(each.state, now)))
        ]
    if sort:
        listed.sort(key=_ORDERS[sort])
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("id", "from", "last success", "next poll", "interval"):
        table.add_column(name, no_wrap=True)
    table.add_column("state", overflow="ellipsis", no_wrap=True)
    for each in listed[:limit]:
        state = _state(each)
        table.add_row(
            each.feed.id,
            "command" if each.origin == ADDED else "file",
            ago(state.succeeded_at, now),
            ahead(state.next_poll_at, now) if each.state else "",
            in_words(interval_of(each.feed, state)[0]),
            Text(line(in_a_word(each.state, now), 200)),
        )
    if listed:
        text_console().print(table)
    count = len(listed)
    click.echo(counted(count, "feed"), err=True)


@click.command()
@config_option
@click.argument("feed_id")
def show(config: Path, feed_id: str) -> None:
    """Show one feed: what it is, how it stands, when it is polled next and why."""
    listed, hub, now = asyncio.run(_get(load_settings(config), feed_id))
    feed = listed.feed
    origin = "added by command" if listed.origin == ADDED else "a file of the configuration"
    rows = [("feed", feed.id), ("name", feed.name), ("url", feed.url), ("from", origin)]
    rows += [
        (name, value)
        for name, value in (
            ("lang", feed.lang),
            ("country", feed.country),
            ("category", feed.category),
            ("labels", ", ".join(f"{name}={text}" for name, text in feed.labels.items())),
        )
        if value
    ]
    pushed = [("hub", hub_in_words(hub, now))] if hub else []
    for name, value in (*rows, *in_detail(feed, listed.state, now), *pushed):
        click.echo(f"{name:13} {line(value, 1000)}")


def _state(listed: Listed) -> FeedState:
    return listed.state or _NOTHING


async def _everything(settings: Settings) -> tuple[list[Listed], datetime]:
    async with open_store_parts(settings) as parts:
        listed = [each async for each in FeedDesk(settings, parts).everything()]
        return listed, parts.clock.now()


async def _get(settings: Settings, feed_id: str) -> tuple[Listed, HubSubscription | None, datetime]:
    async with open_store_parts(settings) as parts:
        desk = FeedDesk(settings, parts)
        return await desk.get(feed_id), await desk.hub_of(feed_id), parts.clock.now()
