"""`monitor restore`: what `monitor backup` wrote, back in place."""

from pathlib import Path

import click

from monitor.app import backup
from monitor.cli.options import config_option
from monitor.config.schema import StoreSettings


@click.command()
@config_option
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=StoreSettings().directory,
    envvar="MONITOR_DATA",
    show_default=True,
    help="Where store and archive go; the configuration's `store.directory`.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(config: Path, data: Path, file: Path) -> None:
    """Unpack FILE into the configuration directory and the data directory.

    Both must be empty or not there. Deliveries that were made after the backup are made again: receivers know them by
    their id.
    """
    count = backup.restore(file, config, data)
    click.echo(f"{count} files in {config} and {data}; next: monitor check --config {config}")
