"""`monitor status`: how everything stands, for a person in a hurry."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from monitor.app.parts import open_store_parts
from monitor.cli.options import config_option, load_settings
from monitor.cli.output import text_console
from monitor.config.settings import Settings
from monitor.core.model import DeliveryState, Feed, FeedState
from monitor.ports import Census

_MIB = 1024 * 1024


@click.command()
@config_option
def status(config: Path) -> None:
    """Show how everything stands.

    Feeds and why each is silent, what waits and for how long, deliveries, dead entries, server memory.
    """
    settings = load_settings(config)
    census, states, now = asyncio.run(_ask(settings))
    console = text_console()
    _print_store(console, census)
    _print_feeds(console, settings.feeds, states, now)


async def _ask(settings: Settings) -> tuple[Census, Mapping[str, FeedState], datetime]:
    async with open_store_parts(settings) as parts:
        now = parts.clock.now()
        states = await parts.feeds.states([feed.id for feed in settings.feeds])
        return await parts.health.census(now), states, now


def _print_store(console: Console, census: Census) -> None:
    limit = f" of {census.memory_limit_bytes / _MIB:.0f}" if census.memory_limit_bytes else ""
    console.print(f"store       {census.server}, {census.memory_bytes / _MIB:.1f}{limit} MiB")
    for each in census.logs:
        oldest = f", oldest {_span(each.oldest)}" if each.oldest else ""
        console.print(f"{each.name:11} {each.length} waiting, {each.pending} in work{oldest}")
    counts = ", ".join(
        f"{census.deliveries.get(state, 0)} {state}"
        for state in DeliveryState
        if census.deliveries.get(state) or state in {DeliveryState.DELIVERED, DeliveryState.DEAD}
    )
    console.print(f"deliveries  {counts}")
    console.print(f"dead        {census.dead_entries} entries that could not be read or handled")
    console.print(f"feeds       {census.feeds} scheduled, {census.feeds_due} due now")


def _print_feeds(
    console: Console, feeds: tuple[Feed, ...], states: Mapping[str, FeedState], now: datetime
) -> None:
    table = Table("feed", "last success", "next poll", box=None, padding=(0, 2, 0, 0))
    table.add_column("state", overflow="ellipsis", no_wrap=True)
    for feed in feeds:
        state = states.get(feed.id)
        if state is None:
            table.add_row(feed.id, "never", "", "not polled yet")
            continue
        succeeded = f"{_span(now - state.succeeded_at)} ago" if state.succeeded_at else "never"
        due = "now"
        if state.next_poll_at and state.next_poll_at > now:
            due = f"in {_span(state.next_poll_at - now)}"
        table.add_row(feed.id, succeeded, due, _words(state))
    console.print(table)


def _words(state: FeedState) -> str:
    return state.detail if state.reason else f"ok, {state.because}"


def _span(duration: timedelta) -> str:
    seconds = max(0, round(duration.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
