"""The text of a query, cut into tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum, auto

from monitor.core.query.expression import Span
from monitor.errors import QueryError

QUOTES = '"“”„‟«»'
_BLANK = re.compile(r"\s+")
# A quote between two Hebrew letters is the sign of an abbreviation, as in the Hebrew for UN.
HEBREW_SIGN = rf"(?<=[\u05d0-\u05ea])[{QUOTES}](?=[\u05d0-\u05ea])"
_WORD = re.compile(rf"(?:[^\s(),:<>{QUOTES}]|{HEBREW_SIGN})*")
INSIDE_QUOTES = re.compile(rf"(?:[^{QUOTES}]|{HEBREW_SIGN})*+(?=[{QUOTES}])")
_COMPARISON = re.compile(r"[<>]=?")
_FOREIGN = {
    "&": "AND",
    "&&": "AND",
    "|": "OR",
    "||": "OR",
    "!": "NOT",
    "+": "nothing: every word counts unless OR stands beside it",
}
_FOREIGN_CHARACTERS = re.compile(r"[~^|{}\[\]\\]|^[!+]")

PLAIN_OPERATORS = ("AND", "OR", "NOT", "EXCEPT", "OF", "SENT", "PARA", "LEAD", "SCORE")
NUMBERED_OPERATORS = ("NEAR", "ONEAR", "FIRST", "ATLEAST")
OPERATORS = (*PLAIN_OPERATORS, *NUMBERED_OPERATORS)
_NUMBERED = re.compile(r"([A-Za-z]+)(/?)(.*)", re.DOTALL)
_SLASH_NUMBER = re.compile(r"([A-Za-z]+)/-?\d+")
_MOST_DIGITS = 9


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    QUOTED = auto()
    REGEX = auto()
    OPERATOR = auto()
    COMPARISON = auto()
    OPEN = auto()
    CLOSE = auto()
    COMMA = auto()
    COLON = auto()
    MINUS = auto()
    EQUALS = auto()
    AT = auto()
    END = auto()


_SIGNS = {"(": Kind.OPEN, ")": Kind.CLOSE, ",": Kind.COMMA, ":": Kind.COLON}
_PREFIXES = {"-": Kind.MINUS, "=": Kind.EQUALS, "@": Kind.AT}


@dataclass(frozen=True, slots=True)
class Token:
    """A token, its text without quotes or slashes, and for a numbered operator its number, if it has one."""

    kind: Kind
    text: str
    at: Span
    number: int | None = None


def suggest(wrong: str, known: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    """Return "did you mean …?" for the nearest known name, or nothing."""
    near = get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""


def tokenise(query: str) -> list[Token]:
    """Cut a query into tokens, the last of them an END."""
    tokens: list[Token] = []
    position = 0
    while position < len(query):
        blank = _BLANK.match(query, position)
        if blank:
            position = blank.end()
            continue
        token = _token(query, position)
        tokens.append(token)
        position = token.at.end
    tokens.append(Token(Kind.END, "", Span(len(query), len(query))))
    return tokens


def _token(query: str, start: int) -> Token:
    letter = query[start]
    if letter in _SIGNS or letter in _PREFIXES:
        kind = _SIGNS.get(letter) or _PREFIXES[letter]
        return Token(kind, letter, Span(start, start + 1))
    if letter in QUOTES:
        return _quoted(query, start)
    comparison = _COMPARISON.match(query, start)
    if comparison:
        return Token(Kind.COMPARISON, comparison.group(), Span(*comparison.span()))
    if query[start : start + 4].lower() == "re:/":
        return _regex(query, start, start + 4)
    end = next(_WORD.finditer(query, start)).end()
    return _word(query[start:end], Span(start, end))


def _quoted(query: str, start: int) -> Token:
    inside = INSIDE_QUOTES.match(query, start + 1)
    if not inside:
        raise QueryError("the quotes are never closed", start, 1, "add a closing '\"'")
    return Token(Kind.QUOTED, inside.group(), Span(start, inside.end() + 1))


def _regex(query: str, start: int, position: int) -> Token:
    pattern: list[str] = []
    while position < len(query):
        letter = query[position]
        if letter == "/":
            return Token(Kind.REGEX, "".join(pattern), Span(start, position + 1))
        if letter == "\\":
            following = query[position + 1 : position + 2]
            pattern.append(following if following == "/" else letter + following)
            position += 2
        else:
            pattern.append(letter)
            position += 1
    raise QueryError("the regular expression is never closed", start, 4, "end it with '/'")


def _word(text: str, at: Span) -> Token:
    if text in PLAIN_OPERATORS:
        return Token(Kind.OPERATOR, text, at)
    _refuse_foreign(text, at)
    numbered = _NUMBERED.fullmatch(text)
    if numbered and numbered[1] in NUMBERED_OPERATORS:
        return _numbered(numbered, at)
    slashed = _SLASH_NUMBER.fullmatch(text)
    if slashed and slashed[1].upper() in NUMBERED_OPERATORS:
        hint = f"operators are written in capitals: '{text.upper()}'"
        raise QueryError(f"unknown operator '{text}'", at.start, len(text), hint)
    if slashed and slashed[1].isupper():
        hint = suggest(slashed[1], NUMBERED_OPERATORS) or "to look for it as text, put it in quotes"
        raise QueryError(f"unknown operator '{text}'", at.start, len(text), hint)
    return Token(Kind.WORD, text, at)


def _numbered(parts: re.Match[str], at: Span) -> Token:
    name, slash, number = parts.groups()
    if not slash and not number:
        return Token(Kind.OPERATOR, name, at)
    if not slash and not number.isdecimal():
        return Token(Kind.WORD, parts.group(), at)
    if slash and number.isdecimal() and number.isascii() and len(number) <= _MOST_DIGITS:
        return Token(Kind.OPERATOR, name, at, int(number))
    hint = f"write {name}/5" if slash else f"write '{name}/{number}'"
    message = (
        f"'{parts.group()}' needs a whole number after '/'"
        if slash
        else f"unknown operator '{parts.group()}'"
    )
    raise QueryError(message, at.start, at.end - at.start, hint)


def _refuse_foreign(text: str, at: Span) -> None:
    """Refuse signs of other query languages, which would otherwise be passed over as punctuation."""
    if text in _FOREIGN:
        raise QueryError(
            f"'{text}' is not an operator", at.start, len(text), f"write {_FOREIGN[text]}"
        )
    foreign = _FOREIGN_CHARACTERS.search(text)
    if foreign:
        sign = foreign.group()
        hint = (
            f"write {_FOREIGN[sign]}"
            if sign in _FOREIGN
            else "to look for it as text, put it in quotes"
        )
        raise QueryError(f"'{sign}' has no meaning here", at.start + foreign.start(), 1, hint)
