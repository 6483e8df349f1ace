"""What must hold between the parts of a configuration, each problem with its place."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitor.config.files import Files, Item, Source
from monitor.config.problems import at, place_of
from monitor.config.records import target_id
from monitor.config.routechecks import Vocabulary, routing, vocabulary
from monitor.config.schema import FeedSettings, RulesFile
from monitor.config.section import Section
from monitor.config.subscriberschema import SubscriberSettings, SubscribersFile
from monitor.config.values import nearest, shown
from monitor.config.yamlpos import Document, Node
from monitor.core.notice import OWN_RULES, is_our_own
from monitor.core.wording import format_duration
from monitor.errors import Problem


@dataclass(frozen=True, slots=True)
class Known:
    """Every id that is defined somewhere, be its definition sound or not."""

    feeds: frozenset[str]
    rules: frozenset[str]
    subscribers: frozenset[str]


def disagreements(files: Files) -> Iterator[Problem]:
    """Yield what is wrong with files that are each sound by themselves."""
    known = Known(
        feeds=frozenset(value for value, *_ in named(files.feeds, "feeds", "id")),
        rules=frozenset(value for value, *_ in named(files.rules, "rules", "id")) | OWN_RULES,
        subscribers=frozenset(
            value for value, *_ in named(files.subscribers, "subscribers", "name")
        ),
    )
    yield from repeated(files.feeds, "feeds", "id")
    yield from repeated(files.rules, "rules", "id")
    yield from repeated(files.subscribers, "subscribers", "name")
    yield from reserved(files.feeds, "feeds")
    yield from reserved(files.rules, "rules")
    yield from repeated_lists(files.rules)
    for feeds in files.feeds:
        for feed in feeds.items("feeds", feeds.settings.feeds):
            yield from too_frequent(feed, files.process.settings.poll.min_interval)
    for subscribers in files.subscribers:
        for subscriber in subscribers.items("subscribers", subscribers.settings.subscribers):
            yield from repeated_targets(subscriber)
    yield from repeated(files.subscribers, "time_intervals", "name")
    yield from routes(files.subscribers, known)
    yield from routing(files.subscribers, _vocabulary(files, known))


def _vocabulary(files: Files, known: Known) -> Vocabulary:
    rules = [rule for source in files.rules for rule in source.settings.rules]
    return vocabulary(rules, ids=known.rules, feeds=known.feeds, subscribers=known.subscribers)


def named(
    sources: Iterable[Source[Section]], key: str, name: str
) -> Iterator[tuple[str, Node, Document]]:
    """Yield the id, its node and its file for each element of the lists `key`, broken ones included."""
    for source in sources:
        for node in source.root.items(key):
            child = node.children.get(name)
            if child is not None and isinstance(child.value, str):
                yield child.value, child, source.document


def repeated(sources: Iterable[Source[Section]], key: str, name: str) -> Iterator[Problem]:
    """Find ids that are used twice."""
    first: dict[str, str] = {}
    for value, node, document in named(sources, key, name):
        if value in first:
            kind = key.removesuffix("s").replace("_", " ")
            what = f"the {kind} {shown(value)} is defined a second time"
            yield at(document, node.place, what, f"first in {first[value]}")
        else:
            first[value] = f"{document.file}:{node.place.line}"


def reserved(sources: Iterable[Source[Section]], key: str) -> Iterator[Problem]:
    """Find ids under which the monitor itself speaks."""
    for value, node, document in named(sources, key, "id"):
        if is_our_own(value):
            what = f"the id {shown(value)} is the monitor's own"
            yield at(document, node.place, what, "take another")


def repeated_lists(sources: Iterable[Source[RulesFile]]) -> Iterator[Problem]:
    """Find lists of the same name in two files."""
    first: dict[str, str] = {}
    for source in sources:
        lists = source.root.find(("lists",))
        for name in source.settings.lists:
            if name in first:
                message = f"the list {shown(name)} is defined a second time"
                place = place_of(lists.children[name])
                yield at(source.document, place, message, f"first in {first[name]}")
            else:
                first[name] = source.document.file


def repeated_targets(subscriber: Item[SubscriberSettings]) -> Iterator[Problem]:
    """Find targets of one subscriber that would have the same id."""
    ids: set[str] = set()
    for number, target in enumerate(subscriber.settings.targets):
        name = target_id(subscriber.settings.name, target)
        if name in ids:
            yield subscriber.problem(
                ("targets", number), f"two targets have the id {shown(name)}", "give them a `name`"
            )
        ids.add(name)


def too_frequent(feed: Item[FeedSettings], least: timedelta) -> Iterator[Problem]:
    """Find a feed that would be polled more often than the operator allows."""
    every = feed.settings.every
    if isinstance(every, timedelta) and every < least:
        yield feed.problem(
            ("every",),
            f"every {format_duration(every)} is more often than poll.min_interval allows",
            f"write {format_duration(least)}, or change that in monitor.yaml",
        )


def routes(sources: Sequence[Source[SubscribersFile]], known: Known) -> Iterator[Problem]:
    """Find what is wrong with the route tree: none, two, or one that names what is not there."""
    having = [source for source in sources if "route" in source.root.children]
    for source in having[1:]:
        node = source.root.children["route"]
        first = having[0].document.file
        yield at(source.document, place_of(node), "a second route", f"the first is in {first}")
    if not having:
        for source in sources:
            if source.settings.subscribers:
                node = source.root.children["subscribers"]
                message = "there are subscribers but no `route`: nobody would be told"
                yield at(source.document, place_of(node), message, "add `route:` at the top level")
                return
    for source in having:
        root = source.root.children["route"]
        if "match" in root.children:
            place = place_of(root.children["match"])
            hint = "move this to a child in `routes`"
            yield at(source.document, place, "the root takes every match", hint)
        yield from unknown_in(root, source.document, known)


def unknown_in(route: Node, document: Document, known: Known) -> Iterator[Problem]:
    """Find names in a route and below it that nothing has. The route need not be sound otherwise."""
    for path, what, ids in (
        (("subscriber",), "subscriber", known.subscribers),
        (("match", "rule"), "rule", known.rules),
        (("match", "feed"), "feed", known.feeds),
    ):
        for node in _texts(route, path):
            if node.value not in ids:
                message = f"unknown {what} {shown(node.value)}"
                yield at(document, node.place, message, nearest(str(node.value), ids))
    for child in route.items("routes"):
        yield from unknown_in(child, document, known)


def _texts(node: Node, path: tuple[str, ...]) -> Iterator[Node]:
    """Yield the text at `path`, or each text of the list there."""
    for step in path:
        if step not in node.children:
            return
        node = node.children[step]
    for candidate in node.children.values() if isinstance(node.value, list) else (node,):
        if isinstance(candidate.value, str):
            yield candidate
