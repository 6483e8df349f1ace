"""`monitor doctor`: what is wrong here, and what to do about it."""

import asyncio
from pathlib import Path

import click

from monitor.app.doctor import examine
from monitor.cli.main import FAILED
from monitor.cli.options import config_option, load_settings
from monitor.config.settings import Settings
from monitor.core.checkup import Finding, Grade
from monitor.core.wording import counted

_MARKS = {Grade.OK: "ok  ", Grade.LOOK: "look", Grade.BAD: "BAD "}


@click.command()
@config_option
def doctor(config: Path) -> None:
    """Look at the machine, the clock, the disk, the store, the archive and every receiver.

    Relays are logged in to and tokens are tried; nothing is sent that anybody would see. Exit 1 if something is bad.
    """
    settings = load_settings(config)
    click.echo(
        f"ok   {'configuration':16} {config}: "
        f"{counted(len(settings.feeds), 'feed')}, {counted(len(settings.rules), 'rule')}"
    )
    if not asyncio.run(_print(settings)):
        raise click.exceptions.Exit(FAILED)


async def _print(settings: Settings) -> bool:
    well = True
    async for finding in examine(settings):
        click.echo(_line(finding))
        well = well and finding.grade is not Grade.BAD
    return well


def _line(finding: Finding) -> str:
    first = f"{_MARKS[finding.grade]} {finding.name:16} {finding.says}"
    return f"{first}\n     {'':16} -> {finding.fix}" if finding.fix else first
