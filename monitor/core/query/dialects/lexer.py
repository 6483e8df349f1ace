"""The text of a foreign query, cut into tokens by the table of its dialect."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from monitor.core.query.dialects.conversion import Notes
from monitor.core.query.dialects.grammar import Dialect, Measure, Role, Sign
from monitor.core.query.expression import Span
from monitor.core.query.lexer import INSIDE_QUOTES, QUOTES
from monitor.errors import QueryError

_BLANK = re.compile(r"[\s,;]+")
_QUOTED = re.compile(rf"[{QUOTES}]({INSIDE_QUOTES.pattern})[{QUOTES}]")
_SLOP = re.compile(r"~(\d{0,9})(?:\.\d{1,9})?")
_BOOST = re.compile(r"\^(\d{1,9})(?:\.\d{1,9})?")


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    QUOTED = auto()
    EXACT = auto()
    REGEX = auto()
    OPERATOR = auto()
    FIELD = auto()
    MEASURE = auto()
    DROPPED = auto()
    SLOP = auto()
    BOOST = auto()
    OPEN = auto()
    CLOSE = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its text, without quotes; for an operator its role and number, in our way of counting."""

    kind: Kind
    text: str
    at: Span
    role: Role | None = None
    number: int | None = None
    measure: Measure | None = None


def tokenise(dialect: Dialect, text: str, notes: Notes) -> list[Token]:
    """Cut a query into tokens, the last of them an END."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        skipped = _BLANK.match(text, position) or (
            dialect.silent and dialect.silent.match(text, position)
        )
        if skipped:
            position = skipped.end()
            continue
        token = _token(dialect, text, position, notes)
        tokens.append(token)
        position = token.at.end
    tokens.append(Token(Kind.END, "", Span(len(text), len(text))))
    return tokens


def _token(dialect: Dialect, text: str, start: int, notes: Notes) -> Token:
    return (
        _dropped(dialect, text, start, notes)
        or _measure(dialect, text, start)
        or _operator(dialect, text, start)
        or _mark(dialect, text, start)
        or _field(dialect, text, start)
        or _word(dialect, text, start)
    )


def _dropped(dialect: Dialect, text: str, start: int, notes: Notes) -> Token | None:
    for pattern, message in dialect.dropped:
        found = pattern.match(text, start)
        if found:
            at = Span(*found.span())
            notes.lost(message.format(found.group()), at)
            return Token(Kind.DROPPED, found.group(), at)
    return None


def _measure(dialect: Dialect, text: str, start: int) -> Token | None:
    for measure in dialect.measures:
        found = measure.pattern.match(text, start)
        if found:
            return Token(Kind.MEASURE, found.group(), Span(*found.span()), measure=measure)
    return None


def _operator(dialect: Dialect, text: str, start: int) -> Token | None:
    for sign in dialect.signs:
        found = sign.pattern.match(text, start)
        if found and found.end() > start:
            return Token(
                Kind.OPERATOR, found.group(), Span(*found.span()), sign.role, _number(sign, found)
            )
    return None


def _number(sign: Sign, found: re.Match[str]) -> int:
    written = next((group for group in found.groups() if group), None)
    return sign.without if written is None else max(0, int(written[:9]) + sign.shift)


def _mark(dialect: Dialect, text: str, start: int) -> Token | None:
    letter = text[start]
    if letter in dialect.brackets:
        kind = Kind.CLOSE if dialect.brackets.index(letter) % 2 else Kind.OPEN
        return Token(kind, letter, Span(start, start + 1))
    for kind, pattern in (
        (Kind.QUOTED, _QUOTED),
        (Kind.EXACT, dialect.exact),
        (Kind.REGEX, dialect.regex),
        (Kind.SLOP, _SLOP),
        (Kind.BOOST, _BOOST),
    ):
        found = pattern.match(text, start) if pattern else None
        if found:
            number = int(found[1] or 0) if kind in (Kind.SLOP, Kind.BOOST) else None
            return Token(kind, found[1], Span(*found.span()), number=number)
    if letter in QUOTES:
        raise QueryError("the quotes are never closed", start, 1, "add a closing '\"'")
    return None


def _field(dialect: Dialect, text: str, start: int) -> Token | None:
    found = dialect.field_name.match(text, start) if dialect.field_name else None
    if not found:
        return None
    number = int(found[2]) if found.re.groups > 1 and found[2] else None
    return Token(Kind.FIELD, found[1].lower(), Span(*found.span()), number=number)


def _word(dialect: Dialect, text: str, start: int) -> Token:
    found = dialect.word.match(text, start)
    if not found:
        raise QueryError(
            f"'{text[start]}' has no meaning here",
            start,
            1,
            f"a query of {dialect.name} has it in quotes only",
        )
    return Token(Kind.WORD, found.group(), Span(*found.span()))
