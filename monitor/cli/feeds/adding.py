"""`monitor feeds add|discover|poll|remove`."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import click

from monitor.app.feeds import FeedDesk, Found, Polled, look
from monitor.app.feedtexts import make_feed
from monitor.app.parts import open_outside, open_store_parts
from monitor.app.pollwords import poll_in_words
from monitor.cli.options import config_option, load_settings
from monitor.config.settings import Settings
from monitor.core.addresses import suggested_id
from monitor.core.model import Feed
from monitor.core.render.clean import line
from monitor.core.wording import counted
from monitor.errors import MonitorError

_LONGEST = 100


def _label(_context: click.Context, _option: click.Parameter, value: tuple[str, ...]) -> list[str]:
    if wrong := [each for each in value if "=" not in each]:
        raise click.BadParameter(f"expected NAME=TEXT, not {wrong[0]!r}")
    return list(value)


@click.command()
@config_option
@click.argument("url")
@click.option("--id", "id", help="What queries and routes call it; without it, after its address.")
@click.option("--name", help="For people; without it, as the feed calls itself.")
@click.option("--every", help="How often to poll, for example 10m; without it, as it has news.")
@click.option("--since", help="How old the articles may be that the first poll alerts.")
@click.option("--lang", help="The language of articles that do not say it.")
@click.option("--country", help="The country of the publisher.")
@click.option("--category", help="What the feed is about.")
@click.option("--label", multiple=True, callback=_label, metavar="NAME=TEXT", help="Of your own.")
def add(config: Path, url: str, label: list[str], **said: str | None) -> None:
    """Add the feed at URL, or the one that the page at URL links to.

    It is fetched once: that is its first poll, which alerts nobody.
    """
    values = {"url": url} | {key: text for key, text in said.items() if text}
    values |= {f"label:{name}": text for name, text in (each.split("=", 1) for each in label)}
    done = asyncio.run(_add(load_settings(config), values))
    if isinstance(done, Found):
        _print_links(done)
        raise MonitorError(f"nothing was added: {url} links to several feeds, add one of these")
    feed = done.feed if isinstance(done, Polled) else done
    click.echo(f"added {feed.id}: {line(feed.name, _LONGEST)}, {feed.url}")
    if isinstance(done, Polled):
        _print(poll_in_words(done, quiet=True))
    else:
        click.echo("it is polled within a minute, if monitor runs")


@click.command()
@config_option
@click.argument("url")
def discover(config: Path, url: str) -> None:
    """Show the feed at URL, or the feeds that the page at URL links to. Adds nothing."""
    settings = load_settings(config)
    make_feed({"id": suggested_id(url), "url": url}, settings.poll)
    found = asyncio.run(_look(settings, url))
    if found.parsed is None:
        _print_links(found)
        return
    count = len(found.parsed.articles)
    title = line(found.parsed.title, _LONGEST) or "(without a title)"
    click.echo(f"{found.document.url}  {title}, {counted(count, 'article')}")


@click.command()
@config_option
@click.argument("feed_id")
def poll(config: Path, feed_id: str) -> None:
    """Poll a feed now, and show what came. What is new is matched and told as always, if monitor runs."""
    done = asyncio.run(_poll(load_settings(config), feed_id))
    _print(poll_in_words(done))
    if done.decision.state.reason:
        raise MonitorError(f"the poll of '{feed_id}' failed")


@click.command()
@config_option
@click.argument("feed_ids", nargs=-1, required=True)
def remove(config: Path, feed_ids: tuple[str, ...]) -> None:
    """Poll these feeds no more. What was seen in them is kept, so that adding one again alerts no backlog."""
    asyncio.run(_remove(load_settings(config), feed_ids))
    click.echo(f"removed {', '.join(feed_ids)}")


async def _add(settings: Settings, values: dict[str, str]) -> Polled | Feed | Found:
    async with open_store_parts(settings) as parts, open_outside(settings) as outside:
        return await FeedDesk(settings, parts).add(values, outside)


async def _look(settings: Settings, url: str) -> Found:
    async with open_outside(settings) as outside:
        return await look(url, outside)


async def _poll(settings: Settings, feed_id: str) -> Polled:
    async with open_store_parts(settings) as parts, open_outside(settings) as outside:
        desk = FeedDesk(settings, parts)
        listed = await desk.get(feed_id)
        return await desk.poll(listed.feed, outside)


async def _remove(settings: Settings, feed_ids: Iterable[str]) -> None:
    async with open_store_parts(settings) as parts:
        desk = FeedDesk(settings, parts)
        for feed_id in feed_ids:
            await desk.remove(feed_id)


def _print_links(found: Found) -> None:
    for link in found.links:
        click.echo(f"{link.url}  {line(link.title, _LONGEST)}".rstrip())


def _print(lines: Iterable[str]) -> None:
    for each in lines:
        click.echo(each)
