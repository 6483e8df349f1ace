"""The command group, and the one place where errors become exit codes."""

import sys

import click

from monitor import __version__
from monitor.cli.check import check
from monitor.cli.deliveries import deliveries
from monitor.cli.demo import demo
from monitor.cli.entities import entities
from monitor.cli.match import match
from monitor.cli.parse import parse
from monitor.cli.run import run
from monitor.cli.status import status
from monitor.config.explain import explain
from monitor.errors import ConfigError, MonitorError
from monitor.telemetry import configure_logging

FAILED = 1
BAD_USAGE = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "--version", message="monitor %(version)s")
def cli() -> None:
    """Watch news feeds and alert people to what their rules find.

    Exit codes: 0 done, 1 failed, 2 bad configuration or usage.
    """
    configure_logging("warning")  # `run` sets up its own


for command in (run, demo, check, status, match, parse, deliveries, entities):
    cli.add_command(command)


def main() -> None:
    """Run the command line; print errors meant for a person, without a traceback."""
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
