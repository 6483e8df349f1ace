"""Characters that stand for others, spelled out before words are looked for.

Most compatibility characters become letters of one word, and are folded with it. Those here decide where words begin
and end: Thai AM is a mark of one letter and a letter of its own, `⑴` a digit in parentheses, `½` two numbers.
"""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import unicodedata
from itertools import chain

_RANGES = (
    (0x00BC, 0x00BE),  # fractions
    (0x037A, 0x037A),  # Greek iota below, alone
    (0x0E33, 0x0E33),  # Thai AM
    (0x0EB3, 0x0EB3),  # Lao AM
    (0x0EDC, 0x0EDD),  # Lao HN and HM
    (0x2150, 0x215F),  # fractions
    (0x2189, 0x2189),
    (0x2474, 0x249B),  # numbers in parentheses or with a full stop
    (0x309F, 0x309F),  # kana digraphs
    (0x30FF, 0x30FF),
    (0x3192, 0x3195),  # small or circled ideographs
    (0x3220, 0x3229),
    (0x3280, 0x3289),
    (0xFDFA, 0xFDFB),  # Arabic blessings of several words
    (0xFF9E, 0xFF9F),  # half-width marks of kana
    (0x1F100, 0x1F10A),  # digits with a full stop or a comma
)
_SPELLED = {
    **{
        code: unicodedata.normalize("NFKC", chr(code))
        for first, last in _RANGES
        for code in range(first, last + 1)
    },
    0x02BC: "’",  # the apostrophe that Unicode has for a letter
    0x0149: "’n",
}
_CHARACTERS = frozenset(map(chr, _SPELLED))


def is_spelled_out(characters: frozenset[str] | set[str]) -> bool:
    """Tell whether one of these characters stands for others."""
    return not _CHARACTERS.isdisjoint(characters)


def spell_out(text: str) -> str:
    """Write every character that stands for others as those."""
    return text.translate(_SPELLED)


def origins(text: str) -> list[int]:
    """Return for each character of the text spelled out which one of `text` it comes from."""
    lengths = (len(_SPELLED.get(ord(letter), letter)) for letter in text)
    return list(chain.from_iterable([index] * length for index, length in enumerate(lengths)))
