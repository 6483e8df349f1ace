"""`monitor feeds import|export`: lists of feeds, in and out."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.app.feeds import FeedDesk, Imported, Listed
from monitor.app.feedtexts import texts_of
from monitor.app.parts import open_store_parts
from monitor.cli.options import config_option, load_settings
from monitor.config.settings import Settings
from monitor.core.wording import counted
from monitor.errors import MonitorError
from monitor.feeds.feedcsv import LABEL, read_csv, write_csv
from monitor.feeds.lines import LARGEST_LIST, FeedLine
from monitor.feeds.opml import FOLDER_LABEL, read_opml, write_opml

_OPML, _CSV = "opml", "csv"
_format_option = click.option(
    "--format",
    "form",
    type=click.Choice([_OPML, _CSV]),
    help="Without it, by the name of the file.",
)


@click.command("import")
@config_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_format_option
def import_(config: Path, file: Path, form: str | None) -> None:
    """Add the feeds of an OPML or CSV file.

    Folders become categories. What is there already stays as it is; what is refused is named with its line and why.
    """
    if file.stat().st_size > LARGEST_LIST:
        raise click.UsageError(f"{file} is larger than {LARGEST_LIST // 2**20} MiB: split it")
    data = file.read_bytes()
    lines = _reader(form or _form_of(file, data))(data)
    settings = load_settings(config)
    with _bar() as bar:
        task = bar.add_task(f"reading {file.name}", total=data.count(b"\n") + 1)
        done = asyncio.run(_import(settings, lines, lambda n: bar.update(task, completed=n)))
        bar.update(task, completed=data.count(b"\n") + 1)
    for number, why in done.refused:
        click.echo(f"{file}:{number}: {why}", err=True)
    click.echo(f"{done.added} added, {done.known} there already, {len(done.refused)} refused")
    if done.refused:
        raise MonitorError(f"{len(done.refused)} lines were refused; all others are in")


@click.command()
@config_option
@click.option(
    "--output",
    "-o",
    "output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write; without it, the standard output.",
)
@_format_option
def export(config: Path, output: Path | None, form: str | None) -> None:
    """Write all feeds, those of files too, as OPML or CSV. Categories become folders."""
    form = form or (_form_of(output, b"") if output else _OPML)
    listed = asyncio.run(_everything(load_settings(config)))
    feeds, texts = [each.feed for each in listed], {}
    for feed in feeds:
        texts[feed.id] = texts_of(feed)
        if form == _OPML:  # the folders say it
            texts[feed.id].pop(LABEL + FOLDER_LABEL, None)
    data = write_opml(feeds, texts) if form == _OPML else write_csv(feeds, texts)
    if output is None:
        click.echo(data, nl=False)
    else:
        output.write_bytes(data)
        click.echo(f"{counted(len(feeds), 'feed')} in {output}")


def _reader(form: str) -> Callable[[bytes], Iterator[FeedLine]]:
    return read_opml if form == _OPML else read_csv


def _form_of(file: Path, data: bytes) -> str:
    if file.suffix.lower() in {".csv", ".tsv", ".txt"}:
        return _CSV
    return _OPML if file.suffix.lower() in {".opml", ".xml"} or b"<" in data[:1000] else _CSV


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("lines"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not Console(stderr=True).is_terminal,
    )


async def _import(
    settings: Settings, lines: Iterator[FeedLine], progress: Callable[[int], None]
) -> Imported:
    async with open_store_parts(settings) as parts:
        return await FeedDesk(settings, parts).import_(lines, progress)


async def _everything(settings: Settings) -> list[Listed]:
    async with open_store_parts(settings) as parts:
        return [each async for each in FeedDesk(settings, parts).everything()]
