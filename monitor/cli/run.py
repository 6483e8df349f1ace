"""`monitor run`: the daemon."""

import sys
from datetime import timedelta
from pathlib import Path

import click
import uvloop

from monitor.app.daemon import run_daemon
from monitor.app.program import SERVICES
from monitor.cli.options import config_option, load_settings
from monitor.logsink import LogSink
from monitor.telemetry import LogFormat, configure_logging

_LAST_LINES = timedelta(seconds=2)


def _chosen(_context: click.Context, _option: click.Parameter, value: str | None) -> frozenset[str]:
    if value is None:
        return frozenset(SERVICES)
    names = frozenset(part.strip() for part in value.split(",") if part.strip())
    unknown = sorted(names - set(SERVICES))
    if unknown or not names:
        raise click.BadParameter(
            f"no service {', '.join(unknown) or 'named'}; there are {', '.join(SERVICES)}"
        )
    return names


@click.command()
@config_option
@click.option(
    "--only",
    callback=_chosen,
    metavar="SERVICES",
    help=f"Some of {', '.join(SERVICES)}, with commas.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="Instead of the configured one.",
)
@click.option(
    "--log-format",
    type=click.Choice(["auto", "json", "console"]),
    help="Instead of the configured one; auto is console on a terminal and JSON elsewhere.",
)
def run(
    config: Path, only: frozenset[str], log_level: str | None, log_format: LogFormat | None
) -> None:
    """Poll, match, route and deliver until told to stop.

    SIGTERM and Ctrl-C finish what is under way, within 10 s. SIGHUP, or saving a file, reloads the configuration.
    """
    settings = load_settings(config)
    level, style = log_level or settings.log.level, log_format or settings.log.format
    sink = LogSink(sys.stderr.fileno())
    redactor = configure_logging(level, style, sink.text)
    try:
        uvloop.run(run_daemon(config, settings, only, redactor, sink))
    finally:
        sink.drain(_LAST_LINES)
