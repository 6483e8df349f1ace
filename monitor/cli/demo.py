"""`monitor demo`: the pipeline on a newsroom of its own."""

import asyncio
import sys

import click
from rich.console import Console

from monitor.demo.run import run_demo


@click.command()
@click.option(
    "--seconds",
    default=45.0,
    show_default=True,
    type=click.FloatRange(5, 600),
    help="How long the newsroom publishes.",
)
def demo(seconds: float) -> None:
    """Show everything at work on invented news.

    A small newsroom on this machine, without network or accounts, and what each subscriber received.
    """
    sys.exit(asyncio.run(run_demo(seconds, Console())))
