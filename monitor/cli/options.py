"""Options that several commands share."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from monitor.config.load import load
from monitor.config.settings import Settings
from monitor.config.values import WrongValueError, duration, expiry

Command = TypeVar("Command", bound=Callable[..., Any])

config_option = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    default=Path("config"),
    envvar="MONITOR_CONFIG",
    show_default=True,
    help="The configuration directory.",
)


def instant_option(name: str, text: str) -> Callable[[Command], Command]:
    """Return an option that takes an instant; without a zone it is in UTC."""
    return click.option(
        name,
        callback=_instant,
        metavar="INSTANT",
        help=f"{text} Such as 2026-01-15T23:30+02:00; without a zone it is UTC.",
    )


def _instant(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> datetime | None:
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is no instant: write 2026-01-15T23:30+02:00"
        ) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def load_settings(directory: Path) -> Settings:
    """Load with the environment of this process; raise `ConfigError` with every problem."""
    return load(directory, os.environ)


class Instant(click.ParamType[datetime]):
    """An instant in the past: so long ago (`2h`, `7d`), a date (its beginning in UTC), or an instant with its zone."""

    name = "when"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read it, or refuse it with an example."""
        if isinstance(value, datetime):
            return value
        try:
            return datetime.now(UTC) - duration(value)
        except (WrongValueError, OverflowError):
            pass  # not a duration, then
        try:
            if len(value) == len("2026-12-31"):
                return datetime.fromisoformat(f"{value}T00:00+00:00")
            return expiry(value)
        except (WrongValueError, ValueError):
            self.fail(f"{value!r} is none of 2h, 7d, 2026-12-31 and 2026-12-31T18:00Z", param, ctx)
