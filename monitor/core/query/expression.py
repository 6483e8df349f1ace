"""The expression tree of a query: one frozen class per operator.

Words are kept folded and everything else in canonical form, so that two queries that mean the same by construction are
equal. The place in the query text is remembered for messages and takes no part in equality.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias


class Span(NamedTuple):
    """A piece of the query text."""

    start: int = 0
    end: int = 0


NO_PLACE = Span()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    at: Span = field(default=NO_PLACE, compare=False, repr=False)


# --- terms: what stands in a text ---


@dataclass(frozen=True, slots=True)
class Word(_Node):
    """A word, folded."""

    text: str


@dataclass(frozen=True, slots=True)
class Exact(_Node):
    """A word with its case and diacritics."""

    text: str


@dataclass(frozen=True, slots=True)
class Wildcard(_Node):
    """A folded word with `*` for any characters and `?` for one."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Phrase(_Node):
    """Words in sequence, at least two."""

    items: tuple[Word | Exact | Wildcard, ...]


@dataclass(frozen=True, slots=True)
class Stem(_Node):
    """Any inflected form of a folded word."""

    word: str


@dataclass(frozen=True, slots=True)
class Regex(_Node):
    """A word that a regular expression matches from end to end."""

    pattern: str


@dataclass(frozen=True, slots=True)
class EntityRef(_Node):
    """Any name of an entry of the gazetteer."""

    id: str


@dataclass(frozen=True, slots=True)
class ListRef(_Node):
    """Any term of a named list."""

    id: str


@dataclass(frozen=True, slots=True)
class RuleRef(_Node):
    """Another rule's query."""

    id: str


# --- places: which occurrences count ---


@dataclass(frozen=True, slots=True)
class Near(_Node):
    """Left and right with at most `words` words between, in either order or as written."""

    words: int
    left: "Expression"
    right: "Expression"
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class NotNear(_Node):
    """An occurrence of `wanted` that has no `unwanted` within `words` words."""

    words: int
    wanted: "Expression"
    unwanted: "Expression"


@dataclass(frozen=True, slots=True)
class Except(_Node):
    """An occurrence of `wanted` that does not lie inside an `unwanted`."""

    wanted: "Expression"
    unwanted: "Expression"


class Unit(StrEnum):
    """A stretch of text that its own operator asks about."""

    SENTENCE = "SENT"
    PARAGRAPH = "PARA"


@dataclass(frozen=True, slots=True)
class Within(_Node):
    """One sentence or paragraph in which the part holds."""

    unit: Unit
    part: "Expression"


@dataclass(frozen=True, slots=True)
class First(_Node):
    """The part holds in the first `words` words of the body."""

    words: int
    part: "Expression"


@dataclass(frozen=True, slots=True)
class Lead(_Node):
    """The part holds in title, summary and first paragraph of the body."""

    part: "Expression"


class Scope(StrEnum):
    """A field in which terms are looked for."""

    TITLE = "title"
    SUMMARY = "summary"
    BODY = "body"
    AUTHOR = "author"
    TAG = "tag"
    URL = "url"


@dataclass(frozen=True, slots=True)
class InField(_Node):
    """The part, looked for in one field; the innermost scope counts."""

    scope: Scope
    part: "Expression"


@dataclass(frozen=True, slots=True)
class AtLeast(_Node):
    """The part stands at least `times` times; occurrences that overlap count once."""

    times: int
    part: "Expression"


# --- truth: what holds of the article ---


@dataclass(frozen=True, slots=True)
class Not(_Node):
    """The part does not hold."""

    part: "Expression"


@dataclass(frozen=True, slots=True)
class And(_Node):
    """Every part holds. `grouped` says that it was written in parentheses."""

    parts: tuple["Expression", ...]
    grouped: bool = field(default=True, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Or(_Node):
    """Some part holds."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class AtLeastOf(_Node):
    """At least `count` of the parts hold."""

    count: int
    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Weighted(_Node):
    """A part of a score, and what its presence adds."""

    part: "Expression"
    weight: int


@dataclass(frozen=True, slots=True)
class Score(_Node):
    """The weights of the parts present add up to the threshold or more."""

    parts: tuple[Weighted, ...]
    threshold: int


class Attribute(StrEnum):
    """What is known of an article besides its text."""

    LANG = "lang"
    FEED = "feed"
    SITE = "site"
    COUNTRY = "country"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Has(_Node):
    """The attribute has this value."""

    attribute: Attribute
    value: str


class Quantity(StrEnum):
    """What can be compared with a number: words of the text, and seconds since publication."""

    WORDS = "words"
    AGE = "age"


class Comparison(StrEnum):
    """How a quantity is compared."""

    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Compare(_Node):
    """The quantity compares so with the value; ages are in seconds."""

    quantity: Quantity
    comparison: Comparison
    value: int


Term: TypeAlias = Word | Exact | Wildcard | Phrase | Stem | Regex | EntityRef | ListRef
Reference: TypeAlias = EntityRef | ListRef | RuleRef
Proximity: TypeAlias = Near | NotNear | Except
Restriction: TypeAlias = Within | First | Lead | InField
Condition: TypeAlias = Has | Compare
Expression: TypeAlias = (
    Term
    | RuleRef
    | Proximity
    | Restriction
    | AtLeast
    | Not
    | And
    | Or
    | AtLeastOf
    | Score
    | Condition
)


def children(node: Expression) -> tuple[Expression, ...]:
    """Return the parts of a node, in the order of the query; a phrase has none."""
    parts_of = _PARTS.get(type(node))
    return parts_of(node) if parts_of else ()


# Looked up by type, because queries are walked many times while a hundred thousand of them are loaded.
_PARTS: Mapping[type, Callable[[Any], tuple[Expression, ...]]] = {
    Near: lambda node: (node.left, node.right),
    **dict.fromkeys((NotNear, Except), lambda node: (node.wanted, node.unwanted)),
    **dict.fromkeys((Within, First, Lead, InField, AtLeast, Not), lambda node: (node.part,)),
    **dict.fromkeys((And, Or, AtLeastOf), lambda node: node.parts),
    Score: lambda node: tuple(weighted.part for weighted in node.parts),
}


def with_parts(node: Expression, parts: tuple[Expression, ...]) -> Expression:
    """Return the same node made of other parts, as many as `children` gives."""
    match node:
        case Near():
            return replace(node, left=parts[0], right=parts[1])
        case NotNear() | Except():
            return replace(node, wanted=parts[0], unwanted=parts[1])
        case Score():
            weights = (weighted.weight for weighted in node.parts)
            return replace(node, parts=tuple(map(Weighted, parts, weights)))
        case And() | Or() | AtLeastOf():
            return replace(node, parts=parts)
        case Within() | First() | Lead() | InField() | AtLeast() | Not():
            return replace(node, part=parts[0])
        case _:
            return node


def walk(node: Expression) -> Iterator[Expression]:
    """Yield the node and everything below it, in the order of the query."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))


def conjunction(
    parts: list[Expression], at: Span = NO_PLACE, *, grouped: bool = True
) -> Expression:
    """Join parts with AND; nested ones become one."""
    flat: list[Expression] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And) else (part,))
    return flat[0] if len(flat) == 1 else And(tuple(flat), grouped=grouped, at=at)


def disjunction(parts: list[Expression], at: Span = NO_PLACE) -> Expression:
    """Join parts with OR; nested ones become one."""
    flat: list[Expression] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Or) else (part,))
    return flat[0] if len(flat) == 1 else Or(tuple(flat), at=at)


def negation(part: Expression, at: Span = NO_PLACE) -> Expression:
    """Put NOT before a part; two of them cancel out."""
    return part.part if isinstance(part, Not) else Not(part, at=at)
