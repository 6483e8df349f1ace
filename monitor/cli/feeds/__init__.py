"""`monitor feeds`: what is polled, how each feed stands, and changing what is polled while it runs."""

import click

from monitor.cli.feeds.adding import add, discover, poll, remove
from monitor.cli.feeds.exchange import export, import_
from monitor.cli.feeds.showing import list_, show


@click.group()
def feeds() -> None:
    """Show feeds, and add or remove them while monitor runs.

    A running monitor takes a change within a second or two. Feeds in files of the configuration stay as they are.
    """


for each in (list_, show, add, discover, poll, import_, export, remove):
    feeds.add_command(each)
