"""`monitor deliveries`: what was sent, what was not, and sending it again."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from monitor.app.parts import open_store_parts
from monitor.cli.options import Instant, config_option, load_settings
from monitor.cli.output import text_console
from monitor.config.settings import Settings
from monitor.core.model import Alert, Attempt, Delivery, DeliveryState
from monitor.core.render.clean import line
from monitor.core.wording import counted
from monitor.errors import MonitorError
from monitor.ports import DeliveryFilter, DeliveryLedger

_SEVERAL = 1000


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose deliveries; `_which` reads them."""
    for option in (
        click.option("--until", type=Instant(), help="Only those made before."),
        click.option("--since", type=Instant(), help="Only those made since: 2h, 7d, 2026-12-31."),
        click.option("--text", help="Only those with this in a title."),
        click.option("--article", "article_id", help="Only those about this article."),
        click.option("--rule", "rule_id", help="Only those of this rule."),
        click.option("--subscriber", help="Only to this subscriber."),
        click.option("--target", "target_id", help="Only to this target, as `press-office/slack`."),
        click.option("--state", type=click.Choice([s.value for s in DeliveryState])),
    ):
        command = option(command)
    return command


def _which(chosen: Mapping[str, Any], limit: int) -> DeliveryFilter:
    """Return the filter that the options of `_filters` make."""
    given = {name: value for name, value in chosen.items() if value is not None}
    if "state" in given:
        given["state"] = DeliveryState(given["state"])
    return DeliveryFilter(**given, limit=limit)


@click.group()
def deliveries() -> None:
    """Show what was sent to whom, and send it again."""


@deliveries.command("list")
@config_option
@_filters
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(config: Path, limit: int, *, as_json: bool, **chosen: Any) -> None:
    """List deliveries, newest first."""
    found = asyncio.run(_find(load_settings(config), _which(chosen, limit)))
    if as_json:
        for each in found:
            click.echo(json.dumps(_record(each), ensure_ascii=False))
        return
    if not found:
        state = chosen["state"]
        click.echo("no deliveries" + (f" in state {state}" if state else ""))
        return
    table = Table(box=None)
    for name in ("id", "created", "target", "state", "tries", "reason"):
        table.add_column(name, no_wrap=True)
    table.add_column("title")
    for each in found:
        title = line(each.alert.article.title, 60)
        more = f" and {len(each.alerts) - 1} more" if each.is_digest else ""
        table.add_row(
            each.id,
            when(each.created_at),
            each.target_id,
            each.state,
            str(each.attempts),
            each.reason or each.because or "",
            Text(title + more, no_wrap=True, overflow="ellipsis"),
        )
    text_console().print(table)


@deliveries.command()
@config_option
@click.argument("delivery_id")
def show(config: Path, delivery_id: str) -> None:
    """Show one delivery: what it says, why, and how each attempt went."""
    delivery, attempts = asyncio.run(_get(load_settings(config), delivery_id))
    because = ": ".join(filter(None, (delivery.because, delivery.because_of)))
    _say(
        ("delivery", delivery.id),
        ("target", delivery.target_id),
        ("state", _state(delivery)),
        ("gathered", because and f"{because}, {counted(len(delivery.alerts), 'alert')}"),
    )
    for alert in delivery.alerts:
        if delivery.is_digest:
            click.echo()
        _say_alert(alert)
    for attempt in attempts:
        click.echo(attempt_line(attempt))
    if not attempts:
        click.echo("no attempt yet")


def _state(delivery: Delivery) -> str:
    reason = f" ({delivery.reason}: {delivery.detail})" if delivery.reason else ""
    match delivery.state:
        case DeliveryState.PENDING | DeliveryState.RETRY:
            return f"{delivery.state}{reason}, next try {when(delivery.due_at)}"
        case DeliveryState.HELD:
            return f"held until {when(delivery.due_at)}"
        case DeliveryState.FOLDED:
            return f"folded into {delivery.detail}"
        case _:
            return f"{delivery.state}{reason}"


def _say_alert(alert: Alert) -> None:
    article = alert.article
    rules = ", ".join(f"{m.rule_name or m.rule_id} ({m.severity})" for m in alert.matches)
    _say(
        ("article", line(article.title, 200)),
        ("link", article.url),
        ("feed", article.feed_name or article.feed_id),
        ("published", when(article.published_at)),
        ("seen", when(article.seen_at)),
        ("rules", rules),
        ("words", ", ".join(sorted({span.text for m in alert.matches for span in m.spans}))),
        ("trace", article.trace_id),
    )


def _say(*facts: tuple[str, str]) -> None:
    for label, value in facts:
        if value:
            click.echo(f"{label:10} {value}")


@deliveries.command()
@config_option
@click.argument("delivery_ids", nargs=-1)
@_filters
@click.option("--dead", is_flag=True, help="Short for --state dead.")
@click.option(
    "--limit",
    default=_SEVERAL,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="Refuse to send more than so many.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def replay(
    config: Path, delivery_ids: tuple[str, ...], limit: int, *, dead: bool, yes: bool, **chosen: Any
) -> None:
    """Send again, under the same ids: the deliveries named, or all that the options choose.

    Without --state those that are dead.
    """
    some = dead or any(value is not None for value in chosen.values())
    if bool(delivery_ids) == some:
        raise click.UsageError(
            "name deliveries, or choose them: --dead, or --target, --since and the like"
        )
    if some:
        chosen["state"] = chosen["state"] or DeliveryState.DEAD.value
        delivery_ids = _chosen(config, _which(chosen, limit + 1), yes=yes)
    count = asyncio.run(_replay(load_settings(config), delivery_ids))
    click.echo(f"due now: {counted(count, 'delivery', 'deliveries')}")


def _chosen(config: Path, which: DeliveryFilter, *, yes: bool) -> tuple[str, ...]:
    """Return the ids of those to replay, the oldest first, after asking."""
    found = asyncio.run(_find(load_settings(config), which))
    if len(found) == which.limit:
        raise click.UsageError(
            f"these are more than {which.limit - 1}: narrow them with --target, --since and the like,"
            " or raise --limit"
        )
    if found and not yes:
        goals = ", ".join(sorted({each.target_id for each in found}))
        click.confirm(
            f"send {counted(len(found), f'{which.state} delivery', f'{which.state} deliveries')} again, to {goals}?",
            abort=True,
        )
    return tuple(each.id for each in reversed(found))


async def _find(settings: Settings, which: DeliveryFilter) -> list[Delivery]:
    async with open_store_parts(settings) as parts:
        return list(await parts.ledger.find(which))


async def _get(settings: Settings, delivery_id: str) -> tuple[Delivery, list[Attempt]]:
    async with open_store_parts(settings) as parts:
        delivery = await _required(parts.ledger, delivery_id)
        return delivery, list(await parts.ledger.attempts(delivery_id))


async def _replay(settings: Settings, ids: tuple[str, ...]) -> int:
    async with open_store_parts(settings) as parts:
        for each in ids:
            await _required(parts.ledger, each)
        return sum([await parts.ledger.replay(each, parts.clock.now()) for each in ids])


async def _required(ledger: DeliveryLedger, delivery_id: str) -> Delivery:
    delivery = await ledger.get(delivery_id)
    if delivery is None:
        raise MonitorError(
            f"no delivery {delivery_id!r} in the store; `monitor deliveries list` shows the ids"
        )
    return delivery


def when(instant: datetime | None) -> str:
    """Write an instant for a person, in the time zone of this machine."""
    return instant.astimezone().strftime("%Y-%m-%d %H:%M:%S") if instant else "unknown"


def attempt_line(attempt: Attempt) -> str:
    """Say in one line how a try went."""
    ms = round(attempt.duration.total_seconds() * 1000)
    status = f" {attempt.status}" if attempt.status else ""
    why = f" {attempt.reason}: {attempt.detail}" if attempt.reason else ""
    answer = f" answered {line(attempt.response, 120)!r}" if attempt.response else ""
    return f"try {attempt.number:<6} {when(attempt.started_at)} {attempt.verdict}{status} in {ms} ms{why}{answer}"


def _record(delivery: Delivery) -> dict[str, object]:
    """Say a delivery as JSON values."""
    return {
        "id": delivery.id,
        "target": delivery.target_id,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "created_at": delivery.created_at.isoformat(),
        "due_at": delivery.due_at.isoformat(),
        "reason": delivery.reason,
        "detail": delivery.detail,
        "because": delivery.because,
        "because_of": delivery.because_of,
        "alerts": [
            {
                "subscriber": alert.subscriber,
                "article": alert.article.id,
                "url": alert.article.url,
                "title": alert.article.title,
                "rules": [match.rule_id for match in alert.matches],
            }
            for alert in delivery.alerts
        ],
    }
