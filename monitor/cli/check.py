"""`monitor check`: whether the configuration is good."""

from pathlib import Path

import click

from monitor.cli.options import config_option, load_settings
from monitor.core.wording import counted


@click.command()
@config_option
def check(config: Path) -> None:
    """Validate the whole configuration.

    Every problem is listed at once, with its place. Exit 2 if there is one.
    """
    settings = load_settings(config)
    targets = ", ".join(target.id for target in settings.targets) or "none"
    click.echo(
        f"{config}: ok; {counted(len(settings.feeds), 'feed')}, {counted(len(settings.rules), 'rule')}, "
        f"targets switched on: {targets}"
    )
