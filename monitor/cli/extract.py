"""`monitor extract`: the text of an article's page, as `full_text` gives it to rules. Needs no store."""

import asyncio
import sys
from pathlib import Path

import click

from monitor.app.parts import open_outside
from monitor.cli.options import config_option, load_settings
from monitor.cli.sources import read_file
from monitor.config.settings import Settings
from monitor.core.feed import Document
from monitor.core.fulltext import PageOutcome, PageText
from monitor.core.model import Feed
from monitor.core.render.clean import visible
from monitor.feeds.extract import extract_page

_FAILED = 1


@click.command()
@config_option
@click.argument("source", metavar="FILE_OR_URL")
def extract(config: Path, source: str) -> None:
    """Print title and text of an article's page, and why.

    What is left out, as buttons or a lead given twice, is counted.
    A URL is fetched as the poller would, with the address guard of the configuration.
    Exit code 1: there is no text.
    """
    if "://" in source:
        settings = load_settings(config) if config.is_dir() else Settings()
        page = asyncio.run(_fetch(settings, source))
    else:
        url = Path(source).resolve().as_uri()
        page = extract_page(Document(url=url, status=200, body=read_file(source)))
    if page.outcome is not PageOutcome.EXTRACTED:
        click.echo(f"monitor: no text ({page.outcome}): {visible(page.detail)}", err=True)
        sys.exit(_FAILED)
    click.echo(f"title: {visible(page.title)}")
    click.echo(f"why:   {visible(page.detail)}")
    for paragraph in page.text.split("\n\n"):
        click.echo(f"\n{visible(paragraph)}")


async def _fetch(settings: Settings, url: str) -> PageText:
    async with open_outside(settings) as outside:
        return await outside.pages.read(Feed(id=url, url=url, name=url), url)
