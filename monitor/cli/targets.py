"""`monitor targets`: how the receivers are doing, trying one out, leaving one alone, and changing its secret."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from monitor.app.everyone import with_subscribers
from monitor.app.parts import StoreParts, SystemClock, open_outside, open_store_parts
from monitor.app.trying import send_test
from monitor.cli.deliveries import attempt_line, when
from monitor.cli.options import config_option, load_settings
from monitor.cli.output import text_console
from monitor.config.rotation import rotate
from monitor.config.settings import Settings
from monitor.config.values import nearest
from monitor.core import breaker
from monitor.core.breaker import TargetHealth, TargetStatus
from monitor.core.model import Attempt, Delivery, DeliveryState
from monitor.core.outcome import Verdict
from monitor.core.render.clean import line
from monitor.core.targets import Target, kind_of
from monitor.errors import MonitorError
from monitor.ports import DeliveryFilter, LaneStanding

_FEW = 5
_PACE = timedelta(seconds=2)  # the pause between two messages is no request to wait
_FAILED = 1


@click.group()
def targets() -> None:
    """Show how the receivers are doing; test them, leave them alone, change their secrets."""


@targets.command("list")
@config_option
def list_(config: Path) -> None:
    """List every target with its state and what waits for it."""
    known, standings, now = asyncio.run(_standings(load_settings(config)))
    if not known:
        click.echo("no target is switched on; see subscribers.yaml")
        return
    table = Table(box=None)
    for name in ("target", "kind", "state", "waiting", "in flight"):
        table.add_column(name, no_wrap=True)
    table.add_column("last failure")
    for target_id, standing in standings.items():
        table.add_row(
            target_id,
            kind_of(known[target_id]),
            _state(standing, now),
            str(standing.waiting),
            str(standing.in_flight),
            Text(_failure(standing.health, 80), no_wrap=True, overflow="ellipsis"),
        )
    text_console().print(table)


@targets.command()
@config_option
@click.argument("target_id")
def show(config: Path, target_id: str) -> None:
    """Show one target: its state, what waits, and its latest deliveries."""
    target, standing, latest, now = asyncio.run(_look(load_settings(config), target_id))
    health = standing.health
    for label, value in (
        ("target", f"{target_id} ({kind_of(target)})"),
        ("state", _state(standing, now)),
        ("since", when(health.changed_at) if health.changed_at else ""),
        ("failures", _failures(health)),
        ("waiting", f"{standing.waiting}, {standing.in_flight} in flight"),
    ):
        if value:
            click.echo(f"{label:10} {value}")
    for each in latest:
        reason = f" ({each.reason})" if each.reason else ""
        title = line(each.alert.article.title, 60)
        click.echo(f"{each.id} {when(each.created_at)} {each.state}{reason} {title}")


@targets.command()
@config_option
@click.argument("target_id")
def test(config: Path, target_id: str) -> None:
    """Send a test alert, marked as one, and say what came of it. Nothing of it is kept."""
    attempt = asyncio.run(_try(load_settings(config), target_id))
    click.echo(attempt_line(attempt))
    if attempt.verdict is not Verdict.DELIVERED:
        raise click.exceptions.Exit(_FAILED)


@targets.command()
@config_option
@click.argument("target_id")
def enable(config: Path, target_id: str) -> None:
    """Send to a target again, at once and all that waits, whatever was wrong before."""
    waiting, dead = asyncio.run(_enable(load_settings(config), target_id))
    click.echo(f"{target_id} is on; deliveries waiting for it: {waiting:,}")
    if dead:
        click.echo(f"some were given up: monitor deliveries replay --dead --target {target_id}")


@targets.command()
@config_option
@click.argument("target_id")
@click.option("--why", default="", help="Shown by `monitor targets list`.")
def disable(config: Path, target_id: str, why: str) -> None:
    """Send nothing to a target until it is enabled; its alerts wait."""
    asyncio.run(_disable(load_settings(config), target_id, why))
    click.echo(f"{target_id} is off; alerts wait until: monitor targets enable {target_id}")


@targets.command("rotate-secret")
@config_option
@click.argument("target_id")
def rotate_secret(config: Path, target_id: str) -> None:
    """Make a new secret for a webhook; until you take the old one out, requests carry both signatures."""
    _required(load_settings(config), target_id)
    rotation = rotate(config, target_id)
    click.echo(f"new secret: {rotation.secret}")
    for step in rotation.steps:
        click.echo(step)


async def _standings(
    settings: Settings,
) -> tuple[Mapping[str, Target], Mapping[str, LaneStanding], datetime]:
    async with open_store_parts(settings) as parts:
        whole = await with_subscribers(settings, parts.registry)
        known = {each.id: each for each in whole.targets}
        return known, await parts.ledger.standings(list(known)), parts.clock.now()


async def _look(
    settings: Settings, target_id: str
) -> tuple[Target, LaneStanding, list[Delivery], datetime]:
    async with open_store_parts(settings) as parts:
        target = await _known(settings, parts, target_id)
        standings = await parts.ledger.standings([target_id])
        latest = await parts.ledger.find(DeliveryFilter(target_id=target_id, limit=_FEW))
        return target, standings[target_id], list(latest), parts.clock.now()


async def _try(settings: Settings, target_id: str) -> Attempt:
    filed = {each.id: each for each in settings.targets}
    target = filed.get(target_id)
    if target is None:  # only then the store is needed
        async with open_store_parts(settings) as parts:
            target = await _known(settings, parts, target_id)
    async with open_outside(settings) as outside:
        return await send_test(outside, target, SystemClock())


async def _known(settings: Settings, parts: StoreParts, target_id: str) -> Target:
    return _required(await with_subscribers(settings, parts.registry), target_id)


async def _enable(settings: Settings, target_id: str) -> tuple[int, bool]:
    async with open_store_parts(settings) as parts:
        await _known(settings, parts, target_id)
        await _change(parts, target_id, breaker.enable)
        standings = await parts.ledger.standings([target_id])
        dead = DeliveryFilter(state=DeliveryState.DEAD, target_id=target_id, limit=1)
        return standings[target_id].waiting, bool(await parts.ledger.find(dead))


async def _disable(settings: Settings, target_id: str, why: str) -> None:
    async with open_store_parts(settings) as parts:
        await _known(settings, parts, target_id)
        detail = f"switched off by the operator{f': {why}' if why else ''}"
        await _change(
            parts, target_id, lambda health, now: breaker.disable(health, None, detail, now)
        )


async def _change(
    parts: StoreParts, target_id: str, change: Callable[[TargetHealth, datetime], TargetHealth]
) -> None:
    """Change the health of a target, again when an attempt has changed it meanwhile."""
    changed = False
    while not changed:
        before = (await parts.ledger.health([target_id]))[target_id]
        health = change(before, parts.clock.now())
        changed = await parts.ledger.set_health(target_id, before, health)


def _required(settings: Settings, target_id: str) -> Target:
    known = {each.id: each for each in settings.targets}
    if target_id not in known:
        hint = nearest(target_id, known) or "`monitor targets list` shows all"
        raise MonitorError(f"no target {target_id!r} is switched on; {hint}")
    return known[target_id]


def _state(standing: LaneStanding, now: datetime) -> str:
    health, held = standing.health, standing.held_until
    match health.status:
        case TargetStatus.DISABLED:
            return "disabled"
        case TargetStatus.OPEN:
            return f"left alone until {when(health.until)}"
        case TargetStatus.ACTIVE:
            asked = held is not None and held > now + _PACE
            return f"asked to wait until {when(held)}" if asked else "slow" if health.slow else "ok"


def _failures(health: TargetHealth) -> str:
    if not health.failures:
        return health.detail
    since = f" since {when(health.failing_since)}" if health.failing_since else ""
    return f"{health.failures} in a row{since}; the last: {_failure(health, 300)}"


def _failure(health: TargetHealth, limit: int) -> str:
    said = f"{health.reason}: {health.detail}" if health.reason else health.detail
    return line(said, limit)
