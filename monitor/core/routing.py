"""Who is told of a match: a tree of routes, walked as Alertmanager walks its own.

A match enters at the root. At each node it goes to the first child that accepts it, and on to the following ones while
those that took it say `continue`; a node none of whose children takes the match takes it itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.core.matchers import ANYTHING, Matchers
from monitor.core.model import Article, Match, MatchedArticle


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node of the tree. Without a `subscriber` of its own it has that of its parent.

    `continue_` lets the siblings after it see the match too. `name` is for people: `monitor routes` prints it.
    """

    subscriber: str | None = None
    matchers: Matchers = ANYTHING
    continue_: bool = False
    routes: tuple["Route", ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A node that took a match: the way to it from the root, and the subscriber there, if there is one."""

    path: tuple[Route, ...]
    subscriber: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """Where the matches of one article go; every match is in `alerts` or in `unrouted`.

    `alerts` has each subscriber once, with all matches for it, in the order in which the tree reached them.
    """

    alerts: tuple[tuple[str, tuple[Match, ...]], ...]
    unrouted: tuple[Match, ...]


def route(tree: Route, matched: MatchedArticle) -> Routed:
    """Route each match by itself, then join those that reach the same subscriber into one alert.

    The root takes every match: its own matchers are not asked.
    """
    alerts: dict[str, dict[int, Match]] = {}
    unrouted = []
    for number, match in enumerate(matched.matches):
        subscribers = [
            taken.subscriber for taken in take(tree, matched.article, match) if taken.subscriber
        ]
        for subscriber in subscribers:
            alerts.setdefault(subscriber, {})[number] = match
        if not subscribers:
            unrouted.append(match)
    return Routed(
        alerts=tuple((subscriber, tuple(told.values())) for subscriber, told in alerts.items()),
        unrouted=tuple(unrouted),
    )


def take(
    node: Route, article: Article, match: Match, path: tuple[Route, ...] = ()
) -> Iterator[Taken]:
    """Yield the nodes below `node`, or itself, that take the match; `path` leads to `node`."""
    path = (*path, node)
    taken = False
    for child in node.routes:
        if child.matchers.accept(article, match):
            taken = True
            yield from take(child, article, match, path)
            if not child.continue_:
                break
    if not taken:
        yield Taken(path, next((at.subscriber for at in reversed(path) if at.subscriber), None))
