"""The command group, and the one place where errors become exit codes."""

import os
import sys
from importlib import import_module

import click

from monitor import __version__
from monitor.config.explain import explain
from monitor.core.compiled import MATCHER
from monitor.errors import ConfigError, MonitorError

FAILED = 1
BAD_USAGE = 2


class Commands(click.Group):
    """Imports a command when it is asked for: a daemon that runs for months carries no library of the others."""

    NAMES = (
        "run",
        "demo",
        "check",
        "status",
        "explain",
        "search",
        "export",
        "feeds",
        "match",
        "parse",
        "extract",
        "rules",
        "routes",
        "silence",
        "deliveries",
        "targets",
        "entities",
        "tokens",
        "doctor",
        "backup",
        "restore",
    )
    LOG_NOTHING = frozenset({"check", "entities"})

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the group's
        """Return the names, the first to know first."""
        return list(self.NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the group's
        """Return the command of the module of that name, if there is one."""
        if cmd_name not in self.NAMES:
            return None
        command: click.Command = getattr(import_module(f"monitor.cli.{cmd_name}"), cmd_name)
        return command


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, "--version", message=f"monitor %(version)s ({MATCHER} matcher)")
@click.pass_context
def cli(context: click.Context) -> None:
    """Watch news feeds and alert people to what their rules find.

    Exit codes: 0 done, 1 failed, 2 bad configuration or usage.
    """
    if context.invoked_subcommand not in Commands.LOG_NOTHING:
        # What is set up takes a fifth of the start of a command that has no use for it.
        from monitor.telemetry import configure_logging  # noqa: PLC0415

        configure_logging("warning")  # `run` sets up its own


def open_standard_files() -> None:
    """Open what the caller left closed (`2>&-`): else the next socket gets its number, and our lines with it."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8")
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")


def main() -> None:
    """Run the command line; print errors meant for a person, without a traceback."""
    open_standard_files()
    try:
        cli(standalone_mode=True)
    except ConfigError as error:
        click.echo(explain(error), err=True)
        sys.exit(BAD_USAGE)
    except MonitorError as error:
        click.echo(f"monitor: {error}", err=True)
        sys.exit(FAILED)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        sys.stderr.close()
        sys.exit(FAILED)
