"""Which nodes of a tree of routes take a match: the tree is walked as Alertmanager walks its own.

A match enters at the root. At each node it goes to the first child that accepts it, and on to the following ones while
those that took it say `continue`; a node none of whose children takes the match takes it itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from monitor.core.intervals import TimeInterval
from monitor.core.matchers import ANYTHING, Matchers, Subject
from monitor.core.model import Article, Match, Severity
from monitor.core.pace import Schedule

EVERYTHING = (
    "..."  # Alertmanager's word for grouping by everything: each match is a group of its own
)

T = TypeVar("T")


class BreakThrough(StrEnum):
    """What is told at once, whatever holds the rest: what is at least so severe, or nothing."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    NEVER = "never"

    @property
    def severity(self) -> Severity | None:
        """The least severity that breaks through."""
        return None if self is BreakThrough.NEVER else Severity(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node of the tree. What it does not say, down to `break_through`, it has from its parent.

    `continue_` lets the siblings after it see the match too. `muted` and `active` are intervals in which it tells
    nobody, and outside of which. `name` is for people. Nodes `beside` the children are asked whatever those did, and
    keep nothing from them nor from the node itself.
    """

    subscriber: str | None = None
    group_by: tuple[str, ...] | None = None
    group_wait: timedelta | None = None
    group_interval: timedelta | None = None
    schedule: Schedule | None = None
    break_through: BreakThrough | None = None
    matchers: Matchers = ANYTHING
    continue_: bool = False
    routes: tuple["Route", ...] = ()
    muted: tuple[TimeInterval, ...] = ()
    active: tuple[TimeInterval, ...] = ()
    beside: tuple["Route", ...] = ()
    name: str = ""

    @property
    def title(self) -> str:
        """What a person knows it by."""
        return self.name or str(self.matchers) or "everything"


Path = tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """A node that a match came to. `failed` says which conditions refused it; `took`, that it ended here.

    A node that is passed over, because a sibling before it took the match for itself, has that sibling in `behind`.
    """

    path: Path
    failed: tuple[str, ...] = ()
    took: bool = False
    behind: Route | None = None

    @property
    def node(self) -> Route:
        """The node itself."""
        return self.path[-1]

    @property
    def subscriber(self) -> str | None:
        """Who is told of what this node takes."""
        return effective(self.path).subscriber


def effective(path: Path) -> Route:
    """Return the node at the end of the path, with what it has from those above it."""
    above = path[0]
    for node in path[1:]:
        above = replace(
            node,
            subscriber=node.subscriber or above.subscriber,
            group_by=_given(node.group_by, above.group_by),
            group_wait=_given(node.group_wait, above.group_wait),
            group_interval=_given(node.group_interval, above.group_interval),
            schedule=node.schedule or above.schedule,
            break_through=node.break_through or above.break_through,
        )
    return above


def _given(own: T | None, above: T | None) -> T | None:
    return above if own is None else own


def walk(node: Route, subject: Subject, path: Path = ()) -> Iterator[Visit]:
    """Yield a visit for `node`, which accepts the match, and for every node below that it comes to or passes over."""
    path = (*path, node)
    below: list[Visit] = []
    behind: Route | None = None
    for child in node.routes:
        if behind is not None:
            below.append(Visit((*path, child), behind=behind))
            continue
        came = list(_enter(child, subject, path))
        below += came
        behind = child if not child.continue_ and not came[0].failed else None
    yield Visit(path, took=not any(visit.took for visit in below))
    yield from below
    for child in node.beside:
        yield from _enter(child, subject, path)


def _enter(child: Route, subject: Subject, path: Path) -> Iterator[Visit]:
    failed = tuple(child.matchers.failures(subject))
    if failed:
        yield Visit((*path, child), failed=failed)
    else:
        yield from walk(child, subject, path)


def take(tree: Route, article: Article, match: Match) -> Iterator[Visit]:
    """Yield the nodes that take the match, in the order of the tree; at least one."""
    return (visit for visit in walk(tree, Subject(article, match)) if visit.took)
