"""What must hold between routes, rules and subscribers, each problem with its place."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from monitor.config.files import Item, Source
from monitor.config.problems import at, place_of
from monitor.config.querypos import place_in
from monitor.config.routerecords import quiet_of
from monitor.config.schema import RuleSettings
from monitor.config.subscriberschema import SubscriberSettings, SubscribersFile
from monitor.config.values import nearest, shown
from monitor.config.yamlpos import Document, Node
from monitor.core.matchers import (
    NAMES,
    OF_TARGET,
    MatcherError,
    Operator,
    Read,
    read_matchers,
)
from monitor.core.model import Rule, Severity
from monitor.core.notice import OWN_LABELS
from monitor.core.pace import is_always_quiet
from monitor.core.routing import EVERYTHING
from monitor.errors import Problem

_ENTITY = re.compile(r'entity:(?:"([^"]*)"|([^\s()"]+))')
_TEXTS = ("matchers", "source_matchers", "target_matchers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What matchers can ask for: labels that some rule has, and what some names can be."""

    labels: frozenset[str]
    values: dict[str, frozenset[str]]
    told_to: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a match can have something under."""
        of_match = (name for name in NAMES if name not in OF_TARGET)
        return (*of_match, *self.told_to, *sorted(self.labels))


def vocabulary(
    rules: Collection[RuleSettings | Rule],
    *,
    ids: frozenset[str],
    feeds: frozenset[str],
    subscribers: frozenset[str],
) -> Vocabulary:
    """Collect what routes can ask for; `ids` are those of all rules, of those too that are not sound."""
    asked = (found for rule in rules for found in _ENTITY.findall(rule.query))
    return Vocabulary(
        labels=frozenset(name for rule in rules for name in rule.labels) | OWN_LABELS,
        values={
            "rule": ids,
            "feed": feeds,
            "subscriber": subscribers,
            "severity": frozenset(severity.value for severity in Severity),
            "entity": frozenset((quoted or plain).casefold() for quoted, plain in asked),
        },
    )


def routing(sources: Sequence[Source[SubscribersFile]], known: Vocabulary) -> Iterator[Problem]:
    """Find what is wrong with time intervals, inhibitions, quiet hours, and with what routes name."""
    intervals = frozenset(
        each.name for source in sources for each in source.settings.time_intervals
    )
    for source in sources:
        for subscriber in source.items("subscribers", source.settings.subscribers):
            yield from always_quiet(subscriber)
        for node in source.root.items("inhibit_rules"):
            yield from _matchers(node, source.document, known)
            yield from _common(node, "equal", source.document, known)
            yield from _without_matcher(node, source.document)
        if "route" in source.root.children:
            root = source.root.children["route"]
            yield from _asks_at_the_root(root, source.document)
            yield from in_route(root, source.document, known, intervals)


def always_quiet(subscriber: Item[SubscriberSettings]) -> Iterator[Problem]:
    """Find quiet hours that never end."""
    settings = subscriber.settings
    paces = [((), settings), *((("targets", i), one) for i, one in enumerate(settings.targets))]
    for path, pace in paces:
        if pace.quiet_hours and is_always_quiet(tuple(map(quiet_of, pace.quiet_hours))):
            yield subscriber.problem(
                (*path, "quiet_hours"),
                "these quiet hours never end: nobody would be told",
                "leave some time in the week, or switch it off with `enabled: false`",
            )


def _asks_at_the_root(root: Node, document: Document) -> Iterator[Problem]:
    for key, message in (
        ("matchers", "the root takes every match"),
        ("mute_time_intervals", "the root cannot be muted"),
        ("active_time_intervals", "the root is always active"),
    ):
        if key in root.children:
            place = place_of(root.children[key])
            yield at(document, place, message, "move this to a child in `routes`")


def in_route(
    node: Node, document: Document, known: Vocabulary, intervals: frozenset[str]
) -> Iterator[Problem]:
    """Check a node and those below it. They need not be sound otherwise."""
    yield from _matchers(node, document, known)
    yield from _common(node, "group_by", document, known)
    for key in ("mute_time_intervals", "active_time_intervals"):
        for text in _texts(node, key):
            if text.value not in intervals:
                message = f"unknown time interval {shown(text.value)}"
                hint = nearest(str(text.value), intervals) or "define it in `time_intervals`"
                yield at(document, text.place, message, hint)
    if "match" in node.children:
        match = node.children["match"]
        for text in _texts(match, "entity"):
            yield from _unasked(text, document, known)
        severity = match.children.get("severity")
        if severity is not None and severity.value == Severity.INFO:
            message = "every match is at least as severe as info"
            hint = "to ask for no more than info, write matchers: severity=info"
            yield at(document, severity.place, message, hint)
    for child in node.items("routes"):
        yield from in_route(child, document, known, intervals)


def _unasked(text: Node, document: Document, known: Vocabulary) -> Iterator[Problem]:
    entities = known.values["entity"]
    if str(text.value).casefold() not in entities:
        message = f"no rule asks for the entity {shown(text.value)}"
        yield at(document, text.place, message, nearest(str(text.value), entities))


def _without_matcher(node: Node, document: Document) -> Iterator[Problem]:
    for key in ("source_matchers", "target_matchers"):
        child = node.children.get(key)
        if child is not None and child.value == []:
            message = "an inhibition without a matcher is about everything"
            yield at(document, place_of(child), message, "write one, such as rule=un-resolution")


def _common(node: Node, key: str, document: Document, known: Vocabulary) -> Iterator[Problem]:
    """Find names that alerts cannot have in common."""
    for text in _texts(node, key):
        if text.value not in (*known.names, EVERYTHING):
            yield at(document, text.place, *_unknown_name(str(text.value), known))


def _matchers(node: Node, document: Document, known: Vocabulary) -> Iterator[Problem]:
    """Find matchers that nothing can meet. Those that cannot be read were reported before."""
    for key in _TEXTS:
        for text in _texts(node, key):
            try:
                reads = read_matchers(str(text.value))
            except MatcherError:
                continue
            for read in reads:
                ours = known if key != "target_matchers" else replace(known, told_to=OF_TARGET)
                for position, message, hint in _doubts(read, ours):
                    place = place_in(document.lines, text, position)
                    yield at(document, place, message, hint)


def _doubts(read: Read, known: Vocabulary) -> Iterator[tuple[int, str, str]]:
    matcher = read.matcher
    if matcher.name not in known.names:
        yield (read.start, *_unknown_name(matcher.name, known))
    elif matcher.operator in (Operator.IS, Operator.IS_NOT) and matcher.value:
        values = known.values.get(matcher.name)
        if values is not None and matcher.value.casefold() not in values:
            what = (
                "no rule asks for the entity"
                if matcher.name == "entity"
                else f"unknown {matcher.name}"
            )
            yield read.value, f"{what} {shown(matcher.value)}", nearest(matcher.value, values)


def _unknown_name(name: str, known: Vocabulary) -> tuple[str, str]:
    if name in OF_TARGET:
        hint = "silences and target_matchers can ask for it"
        return f"the {name} is not known here", hint
    hint = nearest(name, known.names)
    return f"no match has {shown(name)}: it is not ours, and no rule has such a label", hint


def _texts(node: Node, key: str) -> Iterable[Node]:
    """Return the text under a key, or each text of the list there."""
    child = node.children.get(key)
    if child is None:
        return ()
    nodes = child.children.values() if isinstance(child.value, list) else (child,)
    return [each for each in nodes if isinstance(each.value, str)]
