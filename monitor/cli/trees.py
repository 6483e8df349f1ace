"""Trees as commands print them: with lines for a terminal, with blanks alone for a pipe."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import click
from rich.text import Text
from rich.tree import Tree

from monitor.cli.output import text_console


@dataclass(frozen=True, slots=True)
class Branch:
    """A line and what stands below it. `style` is rich's."""

    text: str
    style: str = ""
    children: list["Branch"] = field(default_factory=list)


def print_tree(root: Branch) -> None:
    """Print a tree."""
    if sys.stdout.isatty():
        text_console().print(drawn(root))
        return
    for depth, branch in _flat(root, 0):
        click.echo("  " * depth + branch.text)


def drawn(root: Branch) -> Tree:
    """Return a tree as it is drawn on a terminal."""
    tree = Tree(Text(root.text, style=root.style))
    for child in root.children:
        _draw(child, tree)
    return tree


def _draw(branch: Branch, tree: Tree) -> None:
    below = tree.add(Text(branch.text, style=branch.style))
    for child in branch.children:
        _draw(child, below)


def _flat(branch: Branch, depth: int) -> Iterator[tuple[int, Branch]]:
    yield depth, branch
    for child in branch.children:
        yield from _flat(child, depth + 1)
