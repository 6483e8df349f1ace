"""YAML without its traps: text -> plain values, with the line and column of each value and key, in one walk.

Only `true`, `false`, `null` and plain decimal numbers are special, so `NO`, `on`, `22:30`, `2012-06-28`, `0x10` and
`1_000` are text. A repeated key, a tag, an anchor, an alias, `<<` and a second document are problems.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import yaml

from monitor.config.excerpt import excerpt
from monitor.config.yamlerrors import invalid_bytes, refused_character, syntax_problem
from monitor.errors import Problem

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 32
MAX_PROBLEMS = 100  # of one file: a file that is no YAML at all must not bury the rest

_NUMBER = re.compile(
    r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?"
)  # what fits a float exactly, or nearly
_WORDS: Mapping[str, Value] = {"true": True, "false": False, "null": None, "": None}
_NOTHING: Mapping[str | int, "Node"] = MappingProxyType({})


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file; both count from 1, columns in characters."""

    line: int
    column: int


@dataclass(slots=True, kw_only=True)
class Node:
    """A value with its place, the place of the key that leads to it, and the nodes inside it.

    `style` of a text is how it was written: `'`, `"`, `|`, `>`, or nothing for plain.
    """

    value: Value
    place: Place
    key: Place | None = None
    style: str = ""
    children: Mapping[str | int, "Node"] = field(default_factory=lambda: _NOTHING, repr=False)

    def find(self, path: tuple[str | int, ...]) -> "Node":
        """Return the node at the end of `path`, or the last one on the way there.

        A number leads nowhere from what is no list: one element may stand for a list of one.
        """
        node = self
        for step in path:
            if step in node.children:
                node = node.children[step]
            elif not isinstance(step, int) or isinstance(node.value, list):
                break
        return node

    def owner(self, key: str) -> "Node":
        """Return the mapping at or below this node that has `key`, or this node if none has."""
        if key in self.children:
            return self
        below = (child.owner(key) for child in self.children.values())
        return next((node for node in below if key in node.children), self)

    def items(self, key: str) -> Iterator["Node"]:
        """Yield the elements of the list under `key`; nothing if there is no list."""
        child = self.children.get(key)
        if child is not None and isinstance(child.value, list):
            yield from child.children.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that was read: its lines, its root, and what is wrong with it as YAML.

    The root of what is not YAML at all is a null, as is that of an empty file.
    """

    file: str
    lines: tuple[str, ...] = ()
    root: Node = field(default_factory=lambda: Node(value=None, place=Place(1, 1)))
    problems: tuple[Problem, ...] = ()


def parse(content: bytes, file: str) -> Document:
    """Read one file's content; never raise, whatever it is."""
    if len(content) > MAX_BYTES:
        message = f"the file has {len(content):,} bytes; the limit is {MAX_BYTES:,}"
        return _unreadable(
            file, Problem(file, 0, 0, message, "split it: a folder of files is read too")
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        lines = split_lines(content.decode(errors="replace"))
        return _unreadable(file, invalid_bytes(file, content, error.start), lines)
    lines = split_lines(text)
    problem = refused_character(file, lines)
    if problem is not None:
        return _unreadable(file, problem, lines)
    loader = yaml.CSafeLoader(text)
    composer = _Composer(loader, file)
    root = Node(value=None, place=Place(1, 1))
    try:
        root = composer.document()
    except yaml.MarkedYAMLError as error:
        composer.problems.append(syntax_problem(file, lines, error))
    except _TooManyError:
        pass  # what was found so far is said
    finally:
        loader.dispose()
    return Document(file=file, lines=lines, root=root, problems=_shown(composer.problems, lines))


def split_lines(text: str) -> tuple[str, ...]:
    """Split as YAML 1.1 counts lines."""
    return tuple(re.split("\r\n|[\r\n\x85\u2028\u2029]", text))


def _unreadable(file: str, problem: Problem, lines: tuple[str, ...] = ()) -> Document:
    return Document(file=file, lines=lines, problems=_shown([problem], lines))


def _shown(problems: list[Problem], lines: tuple[str, ...]) -> tuple[Problem, ...]:
    return tuple(replace(problem, excerpt=excerpt(lines, problem.line)) for problem in problems)


class _TooManyError(Exception):
    """Ends the walk: what was found is enough."""


class _Composer:
    """Builds nodes from the events of the C parser, which itself does not recurse."""

    def __init__(self, loader: yaml.CSafeLoader, file: str) -> None:
        self._loader = loader
        self._file = file
        self.problems: list[Problem] = []

    def document(self) -> Node:
        """Build the one document of the file; an empty file is a null."""
        self._next()  # stream start
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return Node(value=None, place=Place(1, 1))
        root = self._node(self._next(), 0)
        self._next()  # document end
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._refuse(event, "a second document begins here", "remove the line `---`")
        return root

    def _next(self) -> Any:  # the stubs know neither which event follows nor what an event has
        return self._loader.get_event()

    def _refuse(self, event: Any, message: str, hint: str = "") -> None:
        place = _place(event)
        self.problems.append(Problem(self._file, place.line, place.column, message, hint))
        if len(self.problems) == MAX_PROBLEMS:
            raise _TooManyError

    def _node(self, event: Any, depth: int) -> Node:
        if depth > MAX_DEPTH:
            self._refuse(event, f"nested more than {MAX_DEPTH} deep")
            raise _TooManyError
        if isinstance(event, yaml.AliasEvent):
            self._refuse(
                event,
                "aliases (`*name`) are not supported",
                "put quotes around a text that begins with *",
            )
            return Node(value=None, place=_place(event))
        if event.anchor is not None:
            self._refuse(
                event,
                "anchors (`&name`) are not supported",
                "put quotes around a text that begins with &",
            )
        if event.tag is not None:
            self._refuse(
                event,
                "tags (`!name`) are not supported",
                "put quotes around a text that begins with !",
            )
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, depth)
        style = event.style or ""
        return Node(
            value=event.value if style else _plain(event.value), place=_place(event), style=style
        )

    def _sequence(self, start: Any, depth: int) -> Node:
        children: dict[str | int, Node] = {}
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            children[len(children)] = self._node(event, depth + 1)
        values = [child.value for child in children.values()]
        return Node(value=values, place=_place(start), children=children)

    def _mapping(self, start: Any, depth: int) -> Node:
        children: dict[str | int, Node] = {}
        value: dict[str, Value] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event, depth, children)
            child = self._node(self._next(), depth + 1)
            child.key = _place(event)
            if key is not None:
                children[key] = child
                value[key] = child.value
        return Node(value=value, place=_place(start), children=children)

    def _key(self, event: Any, depth: int, siblings: Mapping[str | int, Node]) -> str | None:
        """Return the text of a key, or refuse it and return None; the first of two equal keys stays."""
        node = self._node(event, depth + 1)
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(event, "a key must be a text")
            return None
        key: str = event.value
        if key == "<<" and not node.style:
            self._refuse(event, "merge keys (`<<`) are not supported", "write the keys out")
            return None
        if key in siblings:
            first = siblings[key].key
            line = first.line if first else 0
            self._refuse(
                event,
                f"the key '{key.partition(':')[0]}' stands here twice",
                f"first on line {line}",
            )
            return None
        return key


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _plain(text: str) -> Value:
    if text in _WORDS:
        return _WORDS[text]
    number = _NUMBER.fullmatch(text)
    if number is None:
        return text
    return float(text) if number[2] else int(text)
