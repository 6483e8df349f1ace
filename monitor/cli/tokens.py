"""`monitor tokens`: who may use the API."""

import asyncio
import secrets
from datetime import datetime, timedelta
from pathlib import Path

import click
from rich.table import Table

from monitor.app.parts import open_store_parts
from monitor.cli.options import config_option, load_settings
from monitor.cli.output import text_console
from monitor.config.values import WrongValueError, duration
from monitor.core.access import PREFIX, Scope, Token, digest
from monitor.errors import MonitorError
from monitor.ports import Draft, RecordKind
from monitor.registry import TOKENS, Roster

_RANDOM_BYTES = 32
_SHOWN = "%Y-%m-%d %H:%M"


@click.group()
def tokens() -> None:
    """Make, list and revoke tokens of the API."""


def _lasting(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> timedelta | None:
    try:
        return None if value is None else duration(value)
    except WrongValueError as error:
        raise click.BadParameter(error.message) from None


@tokens.command()
@config_option
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default="read",
    show_default=True,
)
@click.option("--expires", callback=_lasting, metavar="DURATION", help="For how long, as in 90d.")
@click.argument("name")
def create(config: Path, scope: str, expires: timedelta | None, name: str) -> None:
    """Make a token called NAME, and print it.

    It is kept as a digest alone: nobody can print it again. `read` looks, `write` silences and replays, `admin`
    reloads; each takes in those before it.
    """
    token = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    asyncio.run(_create(config, token, name, Scope(scope), expires))
    click.echo(token)


@tokens.command("list")
@config_option
def list_(config: Path) -> None:
    """List tokens by name; what they are is not kept."""
    known = asyncio.run(_known(config))
    table = Table("name", "scope", "created", "expires", box=None)
    for token in sorted(known.values(), key=lambda each: each.name):
        ends = token.expires_at.strftime(_SHOWN) if token.expires_at else "never"
        table.add_row(token.name, token.scope, token.created_at.strftime(_SHOWN), ends)
    text_console().print(table)


@tokens.command()
@config_option
@click.argument("name")
def revoke(config: Path, name: str) -> None:
    """Make every token called NAME useless at once."""
    count = asyncio.run(_revoke(config, name))
    if not count:
        raise MonitorError(f"no token is called {name!r}; `monitor tokens list` shows them")
    click.echo(f"{count} revoked")


async def _create(
    config: Path, token: str, name: str, scope: Scope, expires: timedelta | None
) -> None:
    async with open_store_parts(load_settings(config)) as parts:
        now: datetime = parts.clock.now()
        kept = Token(
            name=name, scope=scope, created_at=now, expires_at=now + expires if expires else None
        )
        draft = Draft(id=digest(token), value=TOKENS.encode(kept), expires_at=kept.expires_at)
        await parts.registry.put(RecordKind.TOKEN, draft, now)


async def _known(config: Path) -> dict[str, Token]:
    async with open_store_parts(load_settings(config)) as parts:
        roster = Roster(parts.registry, TOKENS)
        await roster.refresh()
        return dict(roster.values)


async def _revoke(config: Path, name: str) -> int:
    async with open_store_parts(load_settings(config)) as parts:
        roster, now = Roster(parts.registry, TOKENS), parts.clock.now()
        await roster.refresh()
        called = [id_ for id_, token in roster.values.items() if token.name == name]
        removed = [await parts.registry.remove(RecordKind.TOKEN, id_, now) for id_ in called]
        return sum(removed)
