"""`monitor export`: the archive as a file."""

import asyncio
import csv
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

import click

from monitor.cli.archived import (
    article_row,
    open_archive_of,
    since_option,
    until_option,
)
from monitor.cli.options import config_option, load_settings
from monitor.config.settings import Settings
from monitor.core.chapter import Kept
from monitor.core.model import Article, Rule
from monitor.core.trial import Trial
from monitor.core.wording import counted
from monitor.errors import MonitorError
from monitor.lookback import search
from monitor.ports import Archive, Page

_PAGE = 500
_ALL = 2**31
_ROW_GROUP = 10_000
_LISTS = ("tags", "rules")
_COLUMNS = tuple(article_row(Kept(number=0, article=Article(id=""))))
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a text begins that a spreadsheet would work out

Row = dict[str, Any]
Write = Callable[[Row], None]


@click.command()
@config_option
@since_option
@until_option
@click.option(
    "--format",
    "kind",
    type=click.Choice(["jsonl", "csv", "parquet"]),
    default="jsonl",
    show_default=True,
)
@click.option("--query", help="Only what this query finds, in the language of rules.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="-")
def export(
    config: Path,
    since: datetime,
    until: datetime | None,
    kind: str,
    query: str | None,
    file: Path,
) -> None:
    """Write archived articles to FILE, newest first; `-` is standard output.

    Each with the rules that found it when it came.
    """
    settings = load_settings(config)
    trial = Trial(Rule(id="export", query=query), settings.rule_set) if query else None
    page = Page(since=since, until=until, limit=_ALL)
    if str(file) == "-":
        count = asyncio.run(_export(settings, trial, page, kind, sys.stdout.buffer))
    else:
        with file.open("wb") as out:
            count = asyncio.run(_export(settings, trial, page, kind, out))
    click.echo(counted(count, "article"), err=True)


async def _export(
    settings: Settings, trial: Trial | None, page: Page, kind: str, out: BinaryIO
) -> int:
    count = 0
    async with open_archive_of(settings) as archive:
        with _WRITERS[kind](out) as write:
            async for row in _rows(archive, trial, page):
                write(row)
                count += 1
    return count


async def _rows(archive: Archive, trial: Trial | None, page: Page) -> AsyncIterator[Row]:
    if trial:
        async for found in search(archive, trial, page):
            yield article_row(found.kept)
        return
    before = None
    while kept := await archive.page(
        Page(since=page.since, until=page.until, before=before, limit=_PAGE)
    ):
        for one in kept:
            yield article_row(one)
        before = kept[-1].number


@contextmanager
def _jsonl(out: BinaryIO) -> Iterator[Write]:
    yield lambda row: _discard(out.write(json.dumps(row, ensure_ascii=False).encode() + b"\n"))


@contextmanager
def _csv(out: BinaryIO) -> Iterator[Write]:
    """Write for a spreadsheet: lists are joined, and no text of a feed begins a formula."""
    text = TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.DictWriter(text, fieldnames=list(_COLUMNS))
    writer.writeheader()
    yield lambda row: _discard(writer.writerow({name: _cell(value) for name, value in row.items()}))
    text.flush()
    text.detach()


@contextmanager
def _parquet(out: BinaryIO) -> Iterator[Write]:
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise MonitorError("parquet needs pyarrow: pip install 'monitor[parquet]'") from None
    texts = arrow.list_(arrow.string())
    schema = arrow.schema(
        [(name, texts if name in _LISTS else arrow.string()) for name in _COLUMNS]
    )
    waiting: list[Row] = []
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:

        def flush() -> None:
            writer.write_table(arrow.Table.from_pylist(waiting, schema))
            waiting.clear()

        def write(row: Row) -> None:
            waiting.append(row)
            if len(waiting) >= _ROW_GROUP:
                flush()

        yield write
        flush()


_WRITERS = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}


def _cell(value: object) -> str:
    text = " ".join(value) if isinstance(value, list) else str(value or "")
    return f"'{text}" if text.startswith(_FORMULA) else text


def _discard(_result: object) -> None:
    """Take what a writer returns and nobody needs."""
