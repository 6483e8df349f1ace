"""Options that several commands share."""

import os
from pathlib import Path

import click

from monitor.config.load import load
from monitor.config.settings import Settings

config_option = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    default=Path("config"),
    envvar="MONITOR_CONFIG",
    show_default=True,
    help="The configuration directory.",
)


def load_settings(directory: Path) -> Settings:
    """Load with the environment of this process; raise `ConfigError` with every problem."""
    return load(directory, os.environ)
