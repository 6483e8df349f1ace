"""From the words a query quotes or writes to the terms that are looked for."""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import re
from collections.abc import Iterator
from typing import assert_never

from monitor.core.query.expression import Exact, Expression, Phrase, Span, Wildcard, Word
from monitor.core.text import LETTER, exact_words, fold, is_by_character, spelled_out, split
from monitor.errors import QueryError

_FEWEST_FIXED = 3
_WILD = re.compile(r"[*?]")
_PIECE = re.compile(r"\S+")
_WILD_WORD = re.compile(rf"(?:{LETTER}|[*?.'’＇])+")
_POSSESSIVE = re.compile(r"'s$")


def term(text: str, at: Span, *, exact: bool = False, offset: int = 0) -> Expression:
    """Return the word or phrase that `text` stands for; `offset` is where it begins within `at`."""
    found: list[Word | Exact | Wildcard]
    found = list(map(Exact, exact_words(text))) if exact else [*_words(text, at.start + offset)]
    if exact and _WILD.search(text):
        raise QueryError(
            "an exact form has no wildcards", at.start, at.end - at.start, "leave out '='"
        )
    if not found:
        hint = "a term needs a letter or a digit"
        raise QueryError(f"nothing to look for in '{text}'", at.start, at.end - at.start, hint)
    if len(found) > 1:
        return Phrase(tuple(found), at=at)
    return _placed(found[0], at)


def _placed(item: Word | Exact | Wildcard, at: Span) -> Expression:
    match item:
        case Word(text=text):
            return Word(text, at=at)
        case Exact(text=text):
            return Exact(text, at=at)
        case Wildcard(pattern=pattern):
            return Wildcard(pattern, at=at)
        case _:
            assert_never(item)


def _words(text: str, start: int) -> Iterator[Word | Wildcard]:
    if not _WILD.search(text):
        yield from (Word(word.folded) for word in split(text))
        return
    for piece in _PIECE.finditer(text.replace("_", " ")):
        if not _WILD.search(piece.group()):
            yield from (Word(word.folded) for word in split(piece.group()))
            continue
        for part in _WILD_WORD.finditer(piece.group()):
            yield from _part(part.group(), start + piece.start() + part.start())


def _part(text: str, start: int) -> Iterator[Word | Wildcard]:
    if not _WILD.search(text):
        yield from (Word(word.folded) for word in split(text))
        return
    folded = "".join(p if p in "*?" else fold(p) for p in re.split(r"([*?])", spelled_out(text)))
    pattern = _POSSESSIVE.sub("", re.sub(r"\*+", "*", folded).strip(".'"))
    fixed = _WILD.sub("", pattern)
    if any(is_by_character(letter) for letter in fixed):
        hint = "leave it out: this script is matched by characters, so a term is found inside longer ones"
        raise QueryError(f"'{text}' cannot have a wildcard", start, len(text), hint)
    if len(fixed) < _FEWEST_FIXED:
        hint = f"write at least {_FEWEST_FIXED} letters besides '*' and '?'"
        raise QueryError(f"the wildcard '{text}' would match too much", start, len(text), hint)
    yield Wildcard(pattern)
