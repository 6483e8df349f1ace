"""`monitor parse`: what a feed says, as JSON. Needs no store."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from monitor.app.parts import open_outside
from monitor.cli.options import config_option, load_settings
from monitor.cli.sources import read_file
from monitor.config.settings import Settings
from monitor.core.feed import Document, ParsedFeed
from monitor.core.identity import article_id, canonical_url, identify
from monitor.core.model import Feed, FeedState
from monitor.feeds.parse import parse_document


@click.command()
@config_option
@click.argument("source", metavar="FILE_OR_URL")
def parse(config: Path, source: str) -> None:
    """Print a feed as JSON.

    One object: `feed`, and its `articles` in the order of the document.
    A URL is fetched as the poller would, with the address guard of the configuration.
    """
    if "://" in source:
        settings = load_settings(config) if config.is_dir() else Settings()
        parsed = asyncio.run(_fetch(settings, source))
    else:
        parsed = parse_document(
            Document(url=Path(source).resolve().as_uri(), status=200, body=read_file(source))
        )
    click.echo(json.dumps(_object(source, parsed), ensure_ascii=False, indent=2))


async def _fetch(settings: Settings, url: str) -> ParsedFeed:
    async with open_outside(settings) as outside:
        document = await outside.fetcher.fetch(Feed(id=url, url=url, name=url), FeedState())
        return await outside.parser.parse(document)


def _object(source: str, parsed: ParsedFeed) -> dict[str, Any]:
    return {
        "feed": {
            "title": parsed.title,
            "url": parsed.url,
            "lang": parsed.lang,
            "complete": parsed.complete,
        },
        "articles": [
            {
                "id": article_id(source, one, address),
                "title": one.entry.title,
                "url": address,
                "author": one.entry.author,
                "published_at": one.entry.published_at and one.entry.published_at.isoformat(),
                "summary": one.entry.summary,
                "body": one.entry.body,
                "tags": list(one.entry.tags),
                "lang": one.entry.lang or parsed.lang,
            }
            for one in identify(parsed.articles, shared_urls=False)
            for address in (canonical_url(one.entry.url),)
        ],
    }
