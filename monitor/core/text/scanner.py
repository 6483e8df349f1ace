"""What the compiled scanner must be told: the class of each character, and what a run is made of.

It finds the same runs as `words.run_texts` and remembers their pieces; everything that knows about alphabets is asked
here, once for each page of characters and once for each run.
"""

from typing import Final

from monitor.core.compiled import NATIVE
from monitor.core.text.words import (
    APOSTROPHES,
    HEBREW_LETTERS,
    HYPHENS,
    IGNORED,
    MARKS,
    QUOTES,
    exact_form,
    is_by_character,
    pieces,
)

# As in native/scan.c.
_WORD, _MARK, _JOINT, _STOP, _HEBREW, _QUOTE, _BY_CHARACTER, _TAIL = (1 << bit for bit in range(8))
_PAGE = 256

_Piece = tuple[str, str, int, int]


def classify(page: int) -> bytes:
    """Return a class for each of the 256 characters of a page."""
    return bytes(map(_class_of, map(chr, range(page * _PAGE, (page + 1) * _PAGE))))


def _class_of(letter: str) -> int:
    return (
        _WORD * letter.isalnum()
        | _MARK * (letter in MARKS or letter in IGNORED)
        | _JOINT * (letter in APOSTROPHES or letter in HYPHENS)
        | _STOP * (letter == ".")
        | _HEBREW * (letter in HEBREW_LETTERS)
        | _QUOTE * (letter in QUOTES)
        | _BY_CHARACTER * is_by_character(letter)
        | _TAIL * (letter in MARKS or letter in HYPHENS)
    )


def resolve(run: str) -> tuple[tuple[_Piece, ...], tuple[_Piece, ...]]:
    """Return the words of a run and its other spellings, each folded and exact."""
    words, aliases = pieces(run)
    return (
        tuple((w.folded, exact_form(run[w.start : w.end]), w.start, w.end) for w in words),
        tuple((a.folded, a.exact, a.first, a.last) for a in aliases),
    )


SCANNER: Final = NATIVE.Scanner(classify, resolve) if NATIVE else None
