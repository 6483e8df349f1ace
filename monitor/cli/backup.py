"""`monitor backup`: configuration, store and archive as one file."""

import asyncio
from pathlib import Path

import click

from monitor.app.backup import back_up
from monitor.cli.options import config_option, load_settings

_MIB = 1024 * 1024


@click.command()
@config_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(config: Path, file: Path) -> None:
    """Write configuration, store and archive to FILE, such as monitor.tar.gz.

    The daemon may run. FILE holds the secrets of the configuration: only you can read it. `monitor restore` brings it
    back.
    """
    settings = load_settings(config)
    contents = asyncio.run(back_up(config, settings, file))
    size = file.stat().st_size / _MIB
    elsewhere = "not in it; it is in PostgreSQL: back it up with pg_dump"
    click.echo(f"{file}: {size:.1f} MiB; {contents.files} files of {config}")
    for part, taken, missing in (
        (
            "store",
            contents.store,
            "not in it; it is a server of yours: back it up with its own tools",
        ),
        ("archive", contents.archive, elsewhere if settings.archive.url else "there is none"),
    ):
        click.echo(f"  {part}: {'in it' if taken else missing}")
