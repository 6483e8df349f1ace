"""Subscribers that people add while the system runs, each with the route that leads to it.

A record is what `subscribers.yaml` would have under the name, and it is checked as that file is, place by place. What
it may name of this machine is bounded: secrets that the operator laid out for it, and no other file.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from monitor.config import routerecords
from monitor.config.checks import Known, repeated_targets, unknown_in
from monitor.config.files import Item
from monitor.config.problems import Path as Steps
from monitor.config.problems import in_words, translate
from monitor.config.routechecks import always_quiet, in_route, vocabulary
from monitor.config.routeschema import RouteSettings
from monitor.config.section import Section
from monitor.config.settings import Settings
from monitor.config.subscriberschema import AddedSettings
from monitor.config.targets import targets_of
from monitor.config.values import shown
from monitor.config.yamlpos import MAX_DEPTH, Document, Node, Place, Value, parse
from monitor.core.made import Made
from monitor.core.notice import OWN_RULES
from monitor.core.routing import Route
from monitor.core.targets import Subscriber, UnreadyTarget
from monitor.core.telling import Desk
from monitor.errors import Problem, RefusedError

_SECRET_FILE = re.compile(r"secrets/[A-Za-z0-9_][-.A-Za-z0-9_]*")
_SECRET_VARIABLE = "MONITOR_SECRET_"  # noqa: S105 - how the names of such variables begin
_MOST_SAID = 5

Say = Callable[[Problem, Document], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedSubscriber:
    """A subscriber that was added, with its pace and its route."""

    subscriber: Subscriber
    desk: Desk
    route: Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """The subscribers that were added, by name: those in force, and why the others cannot be used.

    Of those in force `unready` says why some targets of one cannot be reached; what is told to these waits. `read` are
    the records that those in force and ready were read from.
    """

    in_force: Mapping[str, AddedSubscriber] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    unready: Mapping[str, str] = field(default_factory=dict)
    read: Mapping[str, Made] = field(default_factory=dict, compare=False)


NOBODY = Added()


def as_yaml(settings: Mapping[str, Any]) -> str:
    """Write settings as a file would have them; raise `RefusedError` for what is nested too deeply for one."""
    if _is_deep(settings, MAX_DEPTH):
        raise RefusedError(f"the settings are nested more than {MAX_DEPTH} deep")
    text: str = yaml.dump(
        dict(settings), Dumper=_Plain, allow_unicode=True, sort_keys=False, width=100
    )
    return text


def read_yaml(text: str) -> Document:
    """Read what somebody wrote; never raise, whatever it is."""
    return parse(text.encode(errors="replace"), "the text")


def join(files: Settings, made: Mapping[str, Made], standing: Added = NOBODY) -> Added:
    """Read the subscribers that were added and that no file has. One that cannot be used costs no other.

    Those of `standing` whose records are the same are taken over: give none where files or secrets may have changed.
    """
    ours = {each.name for each in files.subscribers}
    in_force: dict[str, AddedSubscriber] = {}
    left_out: dict[str, str] = {}
    unready: dict[str, str] = {}
    for name, each in made.items():
        if name in ours:
            continue
        if standing.read.get(name) == each:
            in_force[name] = standing.in_force[name]
            continue
        try:
            document = read_yaml(as_yaml(each.settings))
            in_force[name], problems = _read(name, document, files, by_path)
        except RefusedError as error:
            left_out[name] = str(error)
            continue
        if problems:
            unready[name] = f"{_refused(problems, document, by_path)}; what it is told of waits"
    return Added(
        in_force=in_force,
        left_out=left_out,
        unready=unready,
        read={name: made[name] for name in in_force if name not in unready},
    )


def with_added(settings: Settings, added: Added) -> Settings:
    """Return settings in which those that were added are told too."""
    everyone, table = added.in_force.values(), settings.routing
    beside = tuple(each.route for each in everyone)
    desks = {**table.desks, **{each.subscriber.name: each.desk for each in everyone}}
    return replace(
        settings,
        subscribers=(*settings.subscribers, *(each.subscriber for each in everyone)),
        routing=replace(table, tree=replace(table.tree, beside=beside), desks=desks),
    )


def try_added(
    name: str, document: Document, settings: Settings, feeds: Iterable[str], say: Say
) -> Made:
    """Return the record of a subscriber; raise `RefusedError` unless it can be put in force beside `settings`.

    What its route names has to be there; `feeds` are the ids of feeds that it may name. Later nothing of that is asked
    again: a change elsewhere must not switch a subscriber off.
    """
    _, problems = _read(name, document, settings, say)
    problems += _named(document, settings, frozenset(feeds))
    if problems:
        raise _refused(problems, document, say)
    return Made(settings=_mapping(document, say))


def _is_deep(value: object, left: int) -> bool:
    if isinstance(value, Mapping):
        value = [*value.values()]
    if not isinstance(value, list | tuple):
        return False
    return left == 0 or any(_is_deep(each, left - 1) for each in value)


def words_in(value: object) -> Iterator[str]:
    """Yield each word of settings that may be the id of something."""
    if isinstance(value, str):
        yield from re.findall(r"[^\s\"',=!~{}]+", value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from words_in(each)
    elif isinstance(value, Sequence):
        for each in value:
            yield from words_in(each)


def by_line(problem: Problem, document: Document) -> str:  # noqa: ARG001 - as `by_path`
    """Say where a problem stands to somebody who has the text."""
    return f"line {problem.line}"


def by_path(problem: Problem, document: Document) -> str:
    """Say where a problem stands to a program, which has the settings."""
    steps = _path_to(document.root, Place(problem.line, problem.column))
    return ".".join(str(step) for step in steps or ())


def _read(
    name: str, document: Document, settings: Settings, say: Say
) -> tuple[AddedSubscriber, list[Problem]]:
    """Return a subscriber, and why targets of it are not ready, if some are; raise `RefusedError` for all else."""
    item = _checked(name, document, say)
    problems = [*_of_this_machine(item), *_elsewhere(item), *repeated_targets(item)]
    problems += always_quiet(item)
    if problems:  # nothing is read of what it must not name
        raise _refused(problems, document, say)
    route = routerecords.route(item.settings.route, settings.intervals)
    desk = routerecords.desk(item.settings)
    ready = {each.id: each for each in targets_of(item, settings.secret_source, Path(), problems)}
    why = str(_refused(problems, document, by_path)) if problems else ""
    targets = (
        ready.get(id_) or UnreadyTarget(id=id_, subscriber=name, why=why) for id_ in desk.paces
    )
    added = AddedSubscriber(
        subscriber=Subscriber(name=name, targets=tuple(targets)),
        desk=desk,
        route=replace(route, subscriber=name, name=route.name or name),
    )
    return added, problems


def _checked(name: str, document: Document, say: Say) -> Item[AddedSettings]:
    """Hold a document against the schema."""
    given = _mapping(document, say)
    if "name" in given:
        raise RefusedError("the name is not given among the settings: leave it out", "name")
    try:
        AddedSettings.model_validate({"name": name, "route": {}})
    except ValidationError as error:
        raise RefusedError(*in_words(error)) from error
    try:
        settings = AddedSettings.model_validate({**given, "name": name})
    except ValidationError as error:
        problems = list(translate(document, AddedSettings, error))
        raise _refused(problems, document, say) from error
    return Item(settings, document.root, document)


def _mapping(document: Document, say: Say) -> Mapping[str, Value]:
    if document.problems:
        raise _refused(document.problems, document, say)
    if not isinstance(document.root.value, dict):
        raise RefusedError("expected a mapping with `route:` and `targets:` at the top")
    return document.root.value


def _of_this_machine(item: Item[AddedSettings]) -> Iterator[Problem]:
    """Find files and variables that are none of the secrets laid out for those who add subscribers.

    Whoever may add a subscriber says where messages go, and could have anything sent there.
    """
    for path, value in _sources(item.settings):
        key = str(path[-1])
        if path[-2:-1] == ("template",):
            yield item.problem(path, "a template cannot be a file here", "write it here itself")
        elif key.endswith("_file") and not _SECRET_FILE.fullmatch(value):
            hint = "write secrets/NAME: a file that the operator put into `secrets` of the configuration"
            yield item.problem(path, f"the file {shown(value)} is not laid out for this", hint)
        elif key.endswith("_env") and not value.startswith(_SECRET_VARIABLE):
            hint = f"name one that begins with {_SECRET_VARIABLE}"
            yield item.problem(path, f"the variable {shown(value)} is not laid out for this", hint)


def _sources(section: Section, path: Steps = ()) -> Iterator[tuple[Steps, str]]:
    """Yield the files and variables that settings name, with the path to each."""
    for key, value in section:
        if isinstance(value, Section):
            yield from _sources(value, (*path, key))
        elif isinstance(value, tuple):
            for number, each in enumerate(value):
                if isinstance(each, Section):
                    yield from _sources(each, (*path, key, number))
        elif value and key.endswith(("_file", "_env")):
            yield (*path, key), value


def _elsewhere(item: Item[AddedSettings]) -> Iterator[Problem]:
    """Find routes that lead to somebody else."""
    name = item.settings.name
    for path, route in _routes(item.settings.route, ("route",)):
        if route.subscriber not in (None, name):
            message = f"the route of '{name}' leads to '{route.subscriber}'"
            yield item.problem((*path, "subscriber"), message, "leave the key out")


def _routes(route: RouteSettings, path: Steps) -> Iterator[tuple[Steps, RouteSettings]]:
    yield path, route
    for number, child in enumerate(route.routes):
        yield from _routes(child, (*path, "routes", number))


def _named(document: Document, settings: Settings, feeds: frozenset[str]) -> Iterator[Problem]:
    """Find what a route names and nothing has."""
    rules = frozenset(settings.rulebase.rules) | OWN_RULES
    names = frozenset(each.name for each in settings.subscribers)
    route = document.root.children["route"]
    yield from unknown_in(route, document, Known(feeds=feeds, rules=rules, subscribers=names))
    known = vocabulary(settings.rules, ids=rules, feeds=feeds, subscribers=names)
    yield from in_route(route, document, known, frozenset(settings.intervals))


def _refused(problems: Sequence[Problem], document: Document, say: Say) -> RefusedError:
    """Say what is wrong, first things first."""
    found = sorted(set(problems))
    said = [_said(each, say(each, document)) for each in found[:_MOST_SAID]]
    said += [f"and {len(found) - _MOST_SAID} more"] if len(found) > _MOST_SAID else []
    return RefusedError("; ".join(said), by_path(found[0], document))


def _said(problem: Problem, where: str) -> str:
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{where}: {problem.message}{hint}" if where else f"{problem.message}{hint}"


def _path_to(node: Node, place: Place) -> Steps | None:
    """Return the path to the innermost value that stands at a place, or whose key does."""
    for step, child in node.children.items():
        if place in (child.place, child.key):
            return (step, *(_path_to(child, place) or ()))
        below = _path_to(child, place)
        if below is not None:
            return (step, *below)
    return None


class _Plain(yaml.SafeDumper):
    """Writes everything out: what stands twice is written twice."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - of nothing
        """Write no anchors, which our reader refuses."""
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Write lines as lines, and what cannot be seen as an escape."""
        bare = data.replace("\n", "")
        style = '"' if not bare.isprintable() else "|" if bare != data else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


_Plain.add_representer(str, _Plain.represent_str)
