"""How a query language is described: its operators, how tightly they bind, and what its fields are here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from monitor.core.query.expression import Attribute, Comparison, Quantity, Scope
from monitor.core.query.lexer import HEBREW_SIGN, QUOTES


class Role(Enum):
    """What an operator does, whatever it is called."""

    OR = auto()
    AND = auto()
    AND_NOT = auto()  # between two operands, with a level of its own; in front of one it is NOT
    NOT = auto()  # in front of an operand with everything that binds tighter than AND
    MINUS = auto()  # in front of a single operand
    PLUS = auto()  # in front of a single operand that must be there
    ADJACENT = auto()
    NEAR = auto()
    ONEAR = auto()
    NOT_NEAR = auto()
    SENTENCE = auto()
    PARAGRAPH = auto()
    AT_LEAST = auto()  # in front of an operand
    FIRST = auto()  # behind an operand


@dataclass(frozen=True, slots=True)
class Sign:
    """How an operator is written; its number, if it has one, is the first group that took part."""

    role: Role
    pattern: re.Pattern[str]
    shift: int = 0  # to be added to the number: ours is words between
    without: int = 0  # our number where theirs is not written


def word_sign(
    role: Role, pattern: str, *, shift: int = 0, without: int = 0, any_case: bool = True
) -> Sign:
    """Return an operator that is a word, and ends where a word ends."""
    flags = re.IGNORECASE if any_case else re.NOFLAG
    return Sign(role, re.compile(rf'(?:{pattern})(?=[\s()\[\]"“”]|$)', flags), shift, without)


def sign(role: Role, pattern: str) -> Sign:
    """Return an operator that is a mark."""
    return Sign(role, re.compile(pattern))


class Meaning(Enum):
    """What a field or function is here, besides a scope or an attribute."""

    EVERYWHERE = auto()  # our default fields
    LEAD = auto()
    EXACT = auto()
    UPPER = auto()
    AT_LEAST = auto()
    NOTHING = auto()  # its operand counts without it


@dataclass(frozen=True, slots=True)
class Field:
    """What a field or function of theirs becomes; `lost` and `changed` say what differs, if anything does."""

    becomes: Scope | Attribute | Meaning
    lost: str = ""
    changed: str = ""
    everything: bool = False  # it applies to all that follows


@dataclass(frozen=True, slots=True)
class Measure:
    """A comparison with a number, in the first group that took part; the group `sign` is the comparison."""

    pattern: re.Pattern[str]
    quantity: Quantity
    comparison: Comparison = Comparison.MORE


class Slop(Enum):
    """What `~n` behind a phrase means."""

    NONE = auto()
    BETWEEN = auto()  # words between, in any order
    MOVES = auto()  # by how many places words are moved: to change the order of two costs two more


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A query language as a table.

    `levels` go from the loosest to the tightest; `operand` is the level that a field in front takes in, the tightest
    if it is not given. With `closest_first` the smallest number of a level binds first, otherwise the left one.
    `clauses` reads operators as marks on the clauses beside them, as Lucene does.
    """

    name: str
    signs: tuple[Sign, ...]
    levels: tuple[frozenset[Role], ...]
    implicit: Role
    word: re.Pattern[str]
    fields: Mapping[str, Field] = field(default_factory=dict)
    field_name: re.Pattern[str] | None = None
    measures: tuple[Measure, ...] = ()
    dropped: tuple[tuple[re.Pattern[str], str], ...] = ()
    silent: re.Pattern[str] | None = None
    exact: re.Pattern[str] | None = None
    regex: re.Pattern[str] | None = None
    brackets: str = "()"
    wildcards: tuple[tuple[re.Pattern[str], str, str], ...] = ()
    gap: tuple[str, int] | None = None
    slop: Slop = Slop.NONE
    operand: int | None = None
    closest_first: bool = False
    clauses: bool = False


NAMED_FIELD = re.compile(r"([A-Za-z_][\w.]*):(?!//)\s*")
PLAIN_WORD = re.compile(rf"(?:[^\s(){QUOTES}]|{HEBREW_SIGN})+")
COUNTED_WORD = re.compile(rf"(?:(?![~^]\d)(?:[^\s(){QUOTES}]|{HEBREW_SIGN}))+")

BOOLEAN_LEVELS = (
    frozenset({Role.OR}),
    frozenset({Role.AND}),
    frozenset({Role.NEAR, Role.ONEAR, Role.NOT_NEAR}),
)
