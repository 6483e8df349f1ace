"""`monitor deliveries`: what was sent, what was not, and sending it again."""

import asyncio
from datetime import datetime
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from monitor.app.parts import open_store_parts
from monitor.cli.options import config_option, load_settings
from monitor.cli.output import text_console
from monitor.core.model import Attempt, Delivery, DeliveryState
from monitor.core.render.clean import line
from monitor.errors import MonitorError
from monitor.ports import DeliveryFilter, DeliveryLedger


@click.group()
def deliveries() -> None:
    """Show what was sent to whom, and send it again."""


@deliveries.command("list")
@config_option
@click.option("--state", type=click.Choice([s.value for s in DeliveryState]), help="Only these.")
@click.option("--target", help="Only to this target, for example `press-office/slack`.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
def list_(config: Path, state: str | None, target: str | None, limit: int) -> None:
    """List deliveries, newest first."""
    which = DeliveryFilter(
        state=DeliveryState(state) if state else None, target_id=target, limit=limit
    )
    found = asyncio.run(_find(config, which))
    if not found:
        click.echo("no deliveries" + (f" in state {state}" if state else ""))
        return
    table = Table(box=None)
    for name in ("id", "created", "target", "state", "tries", "reason"):
        table.add_column(name, no_wrap=True)
    table.add_column("title")
    for each in found:
        table.add_row(
            each.id,
            _when(each.created_at),
            each.target_id,
            each.state,
            str(each.attempts),
            each.reason or "",
            Text(line(each.alert.article.title, 60), no_wrap=True, overflow="ellipsis"),
        )
    text_console().print(table)


@deliveries.command()
@config_option
@click.argument("delivery_id")
def show(config: Path, delivery_id: str) -> None:
    """Show one delivery: what it says, why, and how each attempt went."""
    delivery, attempts = asyncio.run(_get(config, delivery_id))
    article = delivery.alert.article
    rules = ", ".join(f"{m.rule_name or m.rule_id} ({m.severity})" for m in delivery.alert.matches)
    words = sorted({span.text for match in delivery.alert.matches for span in match.spans})
    due = (
        f", next try {_when(delivery.due_at)}"
        if delivery.state in {DeliveryState.PENDING, DeliveryState.RETRY}
        else ""
    )
    reason = f" ({delivery.reason}: {delivery.detail})" if delivery.reason else ""
    for label, value in (
        ("delivery", delivery.id),
        ("target", delivery.target_id),
        ("state", f"{delivery.state}{reason}{due}"),
        ("article", line(article.title, 200)),
        ("link", article.url),
        ("feed", article.feed_name or article.feed_id),
        ("published", _when(article.published_at)),
        ("seen", _when(article.seen_at)),
        ("rules", rules),
        ("words", ", ".join(words)),
        ("trace", article.trace_id),
    ):
        click.echo(f"{label:10} {value}")
    for attempt in attempts:
        click.echo(_attempt_line(attempt))
    if not attempts:
        click.echo("no attempt yet")


@deliveries.command()
@config_option
@click.argument("delivery_ids", nargs=-1)
@click.option("--dead", is_flag=True, help="Every dead delivery.")
@click.option("--target", help="With --dead: only to this target.")
def replay(config: Path, delivery_ids: tuple[str, ...], dead: bool, target: str | None) -> None:
    """Send again, under the same ids: the deliveries named, or every dead one."""
    if bool(delivery_ids) == dead:
        raise click.UsageError("name deliveries, or say --dead")
    which = (
        DeliveryFilter(state=DeliveryState.DEAD, target_id=target, limit=10_000) if dead else None
    )
    count = asyncio.run(_replay(config, delivery_ids, which))
    click.echo(f"{count} deliveries are due now")


async def _find(config: Path, which: DeliveryFilter) -> list[Delivery]:
    async with open_store_parts(load_settings(config)) as parts:
        return list(await parts.ledger.find(which))


async def _get(config: Path, delivery_id: str) -> tuple[Delivery, list[Attempt]]:
    async with open_store_parts(load_settings(config)) as parts:
        delivery = await _required(parts.ledger, delivery_id)
        return delivery, list(await parts.ledger.attempts(delivery_id))


async def _replay(config: Path, ids: tuple[str, ...], which: DeliveryFilter | None) -> int:
    async with open_store_parts(load_settings(config)) as parts:
        if which:
            ids = tuple(each.id for each in await parts.ledger.find(which))
        for each in ids:
            await _required(parts.ledger, each)
            await parts.ledger.replay(each, parts.clock.now())
        return len(ids)


async def _required(ledger: DeliveryLedger, delivery_id: str) -> Delivery:
    delivery = await ledger.get(delivery_id)
    if delivery is None:
        raise MonitorError(
            f"no delivery {delivery_id!r} in the store; `monitor deliveries list` shows the ids"
        )
    return delivery


def _when(instant: datetime | None) -> str:
    return instant.astimezone().strftime("%Y-%m-%d %H:%M:%S") if instant else "unknown"


def _attempt_line(attempt: Attempt) -> str:
    ms = round(attempt.duration.total_seconds() * 1000)
    status = f" {attempt.status}" if attempt.status else ""
    why = f" {attempt.reason}: {attempt.detail}" if attempt.reason else ""
    answer = f" answered {line(attempt.response, 120)!r}" if attempt.response else ""
    return f"try {attempt.number:<6} {_when(attempt.started_at)} {attempt.verdict}{status} in {ms} ms{why}{answer}"
