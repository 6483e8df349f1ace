"""Queries as the compiled engine reads them: nested tuples, for the shapes that it decides itself.

A tuple is (op, fields, argument, other, parts, text), as `native/nodes.c` says. What it has no operator for becomes
UNKNOWN: a query with such a part is decided in Python, unless its other parts already say no.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, TypeAlias

from monitor.core.engine.features import Feature, Group, is_wild
from monitor.core.query import to_text
from monitor.core.query.expression import (
    And,
    AtLeast,
    AtLeastOf,
    Compare,
    Exact,
    Except,
    Expression,
    Has,
    InField,
    ListRef,
    Near,
    Not,
    NotNear,
    Or,
    Phrase,
    Wildcard,
    Word,
)
from monitor.core.text import DEFAULT_FIELDS, split

Described: TypeAlias = tuple[int, int, object, object, tuple[Any, ...], str | None]


class Op(IntEnum):
    """What a node does, numbered as in `native/engine.h`."""

    WORD = 1
    EXACT = 2
    WILD = 3
    PHRASE = 4
    UNION = 5
    NEAR = 6
    NOT_NEAR = 7
    EXCEPT = 8
    ANY = 9
    ALL = 10
    NOT = 11
    SOME = 12
    OFTEN = 13
    FEATURE = 14
    UNKNOWN = 15


class Kind(IntEnum):
    """What a feature is, numbered as in `native/engine.h`."""

    WORD = 1
    PAIR = 2
    PATTERN = 3
    OTHER = 4
    GROUP = 5


EVERYWHERE = 7
_FIELDS = {name: 1 << number for number, name in enumerate(DEFAULT_FIELDS)}
_FARTHEST = 255  # words between; fields lie further apart
_LONGEST_MIXED = 16  # items of a phrase with wildcards, where places may multiply


class Programmer:
    """Writes programs. Lists are read as they are bound here; references to rules must be resolved before."""

    def __init__(self, lists: Mapping[str, Expression]) -> None:
        """Read these lists."""
        self._lists = lists

    def describe(self, node: Expression, fields: int = EVERYWHERE) -> Described:  # noqa: PLR0911 - a branch for each shape
        """Return the program of a query."""
        match node:
            case And():
                return self._joined(Op.ALL, node.parts, fields)
            case Or():
                return self._joined(Op.ANY, node.parts, fields)
            case AtLeastOf():
                return self._joined(Op.SOME, node.parts, fields, node.count)
            case Not():
                return self._joined(Op.NOT, (node.part,), fields)
            case InField() if node.scope in _FIELDS:
                return self.describe(node.part, _FIELDS[node.scope])
            case Has() | Compare():
                return (Op.FEATURE, 0, (Kind.OTHER, node), None, (), None)
            case AtLeast():
                found = self._of(Op.OFTEN, (node.part,), fields, node.times)
            case _:
                found = self._place(node, fields)
        return found or (Op.UNKNOWN, fields, to_text(node), None, (), None)

    def _joined(
        self, op: Op, parts: Sequence[Expression], fields: int, argument: int | None = None
    ) -> Described:
        return (op, 0, argument, None, tuple(self.describe(part, fields) for part in parts), None)

    def _place(self, node: Expression, fields: int) -> Described | None:  # noqa: PLR0911 - a branch for each shape
        """Return the program of a part that has places, if it can be written."""
        match node:
            case Word(text=text):
                return (Op.WORD, fields, text, None, (), to_text(node))
            case Exact(text=text):
                return (Op.EXACT, fields, split(text)[0].folded, text, (), to_text(node))
            case Wildcard(pattern=pattern):
                return (Op.WILD, fields, pattern, None, (), to_text(node))
            case Phrase():
                is_plain = all(isinstance(item, Word) for item in node.items)
                if is_plain or len(node.items) <= _LONGEST_MIXED:
                    return self._of(Op.PHRASE, node.items, fields, text=to_text(node))
            case ListRef():
                listed = self._lists[node.id]
                terms = listed.parts if isinstance(listed, Or) else (listed,)
                return self._of(Op.UNION, terms, fields, text=to_text(node))
            case Near(words=words) if words <= _FARTHEST:
                return self._of(Op.NEAR, (node.left, node.right), fields, words, int(node.ordered))
            case NotNear(words=words) if words <= _FARTHEST:
                return self._of(Op.NOT_NEAR, (node.wanted, node.unwanted), fields, words)
            case Except():
                return self._of(Op.EXCEPT, (node.wanted, node.unwanted), fields)
            case Or():
                return self._of(Op.ANY, node.parts, fields)
            case InField() if node.scope in _FIELDS:
                return self._place(node.part, _FIELDS[node.scope])
            case _:
                pass
        return None

    def _of(
        self,
        op: Op,
        parts: Sequence[Expression],
        fields: int,
        argument: int | None = None,
        other: int | None = None,
        text: str | None = None,
    ) -> Described | None:
        """Return a node of parts that all have places."""
        described = tuple(self._place(part, fields) for part in parts)
        mask = fields if text else 0
        return (op, mask, argument, other, described, text) if all(described) else None


def is_whole(program: Described) -> bool:
    """Tell whether a program leaves nothing to Python."""
    op, *_, parts, _ = program
    return op != Op.UNKNOWN and all(map(is_whole, parts))


def described(feature: Feature) -> tuple[Any, ...] | None:
    """Return a feature as the compiled engine reads it."""
    match feature:
        case "":
            return None
        case str():
            return (Kind.PATTERN if is_wild(feature) else Kind.WORD, feature)
        case (one, two):
            return (Kind.PAIR, one, two)
        case Group():
            return (Kind.GROUP, feature, tuple(map(described, feature.members)))
        case _:
            return (Kind.OTHER, feature)
