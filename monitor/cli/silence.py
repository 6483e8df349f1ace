"""`monitor silence`: keep matches back for a time."""

import asyncio
import getpass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.table import Table

from monitor.app.everyone import with_made
from monitor.app.parts import open_store_parts
from monitor.cli.options import config_option, instant_option, load_settings
from monitor.cli.output import text_console
from monitor.config.settings import Settings
from monitor.config.values import WrongValueError, duration, nearest
from monitor.core.matchers import NAMES, Matcher, MatcherError, Operator, parse_matchers
from monitor.core.model import Severity
from monitor.core.notice import OWN_LABELS, OWN_RULES
from monitor.core.silences import Silence, expired, kept_until, new_silence
from monitor.errors import MonitorError
from monitor.ports import Draft, RecordKind, Registry
from monitor.registry import SILENCES, Roster

_AUTHOR = "MONITOR_AUTHOR"


@click.group()
def silence() -> None:
    """Keep matches back for a time; what is kept back is counted and logged."""


def _span(_context: click.Context, _option: click.Parameter, value: str | None) -> timedelta | None:
    try:
        return duration(value) if value else None
    except WrongValueError as error:
        raise click.BadParameter(error.message) from error


@silence.command()
@config_option
@click.option("-d", "--duration", "lasting", callback=_span, help="How long, such as 2h or 1d12h.")
@instant_option("--end", "Until when, instead of a duration.")
@instant_option("--start", "From when on, instead of now.")
@click.option(
    "-a", "--author", envvar=_AUTHOR, help=f"Who wants it; ${_AUTHOR}, else who is logged in."
)
@click.option("-c", "--comment", required=True, help="Why; whoever misses an alert finds it.")
@click.argument("matchers", nargs=-1, required=True, metavar="MATCHER...")
def add(
    config: Path,
    lasting: timedelta | None,
    end: datetime | None,
    start: datetime | None,
    author: str | None,
    comment: str,
    matchers: tuple[str, ...],
) -> None:
    """Keep back every match that meets all MATCHERs, and print the id of the silence.

    A MATCHER is such as rule=syria, 'severity!=critical', 'feed=~"bbc-.*"', story=ID, subscriber=NAME or a label.
    Routers know of it before the next article.
    """
    now = datetime.now(UTC)
    starts_at = start or now
    if (lasting is None) is (end is None):
        raise click.UsageError("say --duration or --end")
    ends_at = end or starts_at + (lasting or timedelta())
    if ends_at <= max(starts_at, now):
        raise click.UsageError("this would be over before it begins")
    wanted = new_silence(
        _read(matchers),
        starts_at=starts_at,
        ends_at=ends_at,
        author=author or getpass.getuser(),
        comment=comment,
    )
    asyncio.run(_put(load_settings(config), wanted, now))
    click.echo(wanted.id)


@silence.command("list")
@config_option
@click.option("--expired", "with_expired", is_flag=True, help="Those that are over too.")
def list_(config: Path, with_expired: bool) -> None:
    """List silences, those that end first before others."""
    settings, now = load_settings(config), datetime.now(UTC)
    found = asyncio.run(_all(settings))
    shown = [each for each in found if with_expired or each.status(now) != "expired"]
    if not shown:
        click.echo("no silences")
        return
    table = Table(box=None)
    for name in ("id", "status", "ends", "author", "matchers"):
        table.add_column(name, no_wrap=True)
    table.add_column("comment")
    for each in sorted(shown, key=lambda one: (one.ends_at, one.id)):
        ends = each.ends_at.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(each.id, each.status(now), ends, each.author, str(each), each.comment)
    text_console().print(table)


@silence.command()
@config_option
@click.argument("silence_ids", nargs=-1, required=True, metavar="ID...")
def expire(config: Path, silence_ids: tuple[str, ...]) -> None:
    """End silences now."""
    settings, now = load_settings(config), datetime.now(UTC)
    ended = asyncio.run(_expire(settings, silence_ids, now))
    click.echo(f"{ended} ended")


def _read(texts: tuple[str, ...]) -> tuple[Matcher, ...]:
    found: list[Matcher] = []
    for text in texts:
        try:
            found += parse_matchers(text)
        except MatcherError as error:
            hint = f" ({error.hint})" if error.hint else ""
            place = f"{text}\n{' ' * error.position}^"
            raise click.UsageError(f"{error.message}{hint}\n{place}") from error
    return tuple(found)


def _check(matcher: Matcher, settings: Settings) -> None:
    """Refuse a matcher that nothing can meet: a silence with a slip in it keeps nothing back."""
    labels = {label for rule in settings.rules for label in rule.labels} | OWN_LABELS
    if matcher.name not in (*NAMES, *labels):
        _refuse(f"no match has '{matcher.name}'", matcher.name, {*NAMES, *labels})
    known: dict[str, set[str]] = {
        "rule": {rule.id for rule in settings.rules} | OWN_RULES,
        "feed": {feed.id for feed in settings.feeds},
        "severity": {severity.value for severity in Severity},
        "subscriber": {each.name for each in settings.subscribers},
        "target": {each.id for each in settings.targets},
    }
    values = known.get(matcher.name)
    if (
        values
        and matcher.operator in (Operator.IS, Operator.IS_NOT)
        and matcher.value not in values
    ):
        _refuse(f"there is no {matcher.name} '{matcher.value}'", matcher.value, values)


def _refuse(message: str, word: str, known: set[str]) -> None:
    hint = nearest(word, known)
    raise click.UsageError(message + (f" ({hint})" if hint else ""))


async def _put(settings: Settings, wanted: Silence, now: datetime) -> None:
    async with open_store_parts(settings) as parts:
        feeds = {each.value for each in wanted.matchers if each.name == "feed"}
        whole = await with_made(settings, parts.registry, feeds)
        for matcher in wanted.matchers:
            _check(matcher, whole)
        await _write(parts.registry, wanted, now)


async def _write(registry: Registry, wanted: Silence, now: datetime) -> None:
    draft = Draft(id=wanted.id, value=SILENCES.encode(wanted), expires_at=kept_until(wanted))
    await registry.put(RecordKind.SILENCE, draft, now)


async def _all(settings: Settings) -> list[Silence]:
    async with open_store_parts(settings) as parts:
        silences = Roster(parts.registry, SILENCES)
        await silences.refresh()
        return list(silences.values.values())


async def _expire(settings: Settings, ids: tuple[str, ...], now: datetime) -> int:
    async with open_store_parts(settings) as parts:
        silences = Roster(parts.registry, SILENCES)
        await silences.refresh()
        for each in ids:
            if each not in silences.values:
                raise MonitorError(f"no silence {each!r}; `monitor silence list` shows the ids")
        ending = [silences.values[one] for one in ids]
        for one in ending:
            await _write(parts.registry, expired(one, now), now)
        return sum(one.status(now) != "expired" for one in ending)
