"""Where words begin and end.

A word is letters, marks and digits with inner full stops and apostrophes. Hyphens separate, and the pieces can also be
found written as one (`cease-fire` as `ceasefire`). Chinese, Japanese, Thai, Khmer, Lao and Burmese are written without
blanks between words: there each character, with the marks it carries, counts as a word.
"""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from monitor.core.text.fold import exact, fold

_HYPHENS = "‐‑－"  # and the ASCII one
HYPHENS = f"{_HYPHENS}-"
IGNORED = (
    "\u00ad\u200c\u200d"  # soft hyphen, zero-width joiner and non-joiner: inside a word, not of it
)
MARKS = frozenset(chr(code) for code in range(0x20000) if unicodedata.category(chr(code))[0] == "M")
_MARKS = "".join(map(re.escape, sorted(MARKS)))
HEBREW_LETTERS = frozenset(map(chr, range(0x05D0, 0x05EB)))
QUOTES = '"״”'  # inside a Hebrew acronym
VOICED = "\uff9e\uff9f"  # half-width marks of Japanese, which are letters to Unicode
_SPECIAL = MARKS.union(IGNORED, HEBREW_LETTERS)

# Possessive quantifiers, so that each character is looked at once. `_` is blanked out beforehand.
_JOINT = rf"\.?['’＇{_HYPHENS}-]"
_PLAIN_RUN = re.compile(rf"\w++(?:{_JOINT}\w++|\.\w++)*+")
LETTER = rf"[\w{_MARKS}{IGNORED}]"
_HEBREW_QUOTE = rf"(?<=[\u05d0-\u05ea])[{QUOTES}](?=[\u05d0-\u05ea])"
_MARKED_RUN = re.compile(
    rf"\w{LETTER}*+(?:{_JOINT}{LETTER}++|\.{LETTER}++|{_HEBREW_QUOTE}{LETTER}++)*+"
)

# The same with what lies between, for `split`.
_PLAIN_BORDERS = re.compile(f"({_PLAIN_RUN.pattern})")
_MARKED_BORDERS = re.compile(f"({_MARKED_RUN.pattern})")

_SOUTH_EAST_ASIAN = re.compile(
    "["
    "\u0e01-\u0e4f\u0e5a\u0e5b\u0e81-\u0ecf\u0edc-\u0edf"  # Thai and Lao
    "\u1000-\u103f\u104c-\u108f\u109a-\u109f\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa7f"  # Burmese
    "\u1780-\u17df"  # Khmer
    "]"
)
_BY_CHARACTER = (
    "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3031-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"  # Han
    "\u3041-\u3096\u309b-\u309f\u30a1-\u30ff\u31f0-\u31ff\uff66-\uff9d"  # kana
    + "".join(  # the letters of South-East Asia; their marks belong to the letter before
        letter
        for letter in map(chr, range(0x0E00, 0xAB00))
        if _SOUTH_EAST_ASIAN.match(letter) and letter not in _SPECIAL
    )
)
_PIECE = re.compile(rf"([{_BY_CHARACTER}][{_MARKS}{VOICED}]*+)|[^{_BY_CHARACTER}]++")
_STARTS_BY_CHARACTER = re.compile(rf"[{_BY_CHARACTER}]")
_HYPHEN = re.compile(rf"[{_HYPHENS}-]")
APOSTROPHES = "'’＇"
_INNER = "." + APOSTROPHES
_FEWEST_LETTERS = 2
_ACRONYM = re.compile(r"[^\W\d_](?:\.[^\W\d_])+")

# fmt: off
_ELIDED = frozenset({  # French, Italian and Catalan
    "l", "d", "j", "m", "t", "s", "c", "n", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu",
    "un", "all", "dall", "dell", "nell", "sull", "coll", "quell",
})
# fmt: on
_LONGEST_COMPOUND = 4
_CACHED_LENGTH = 64
_CACHED_RUNS = 1 << 16


class Word(NamedTuple):
    """A word as written: its folded form, and where it stands in the text that was split."""

    folded: str
    start: int
    end: int


class Alias(NamedTuple):
    """Another way to find words `first` to `last`, counted from 0: a compound written as one, a noun after `l'`."""

    folded: str
    exact: str
    first: int
    last: int


class Pieces(NamedTuple):
    """What a run of characters without blanks is made of. Offsets count from the start of the run."""

    words: tuple[Word, ...]
    aliases: tuple[Alias, ...]


def runs(text: str) -> Iterator[re.Match[str]]:
    """Find the runs that `pieces` takes apart, in order."""
    return _pattern(text).finditer(text.replace("_", " "))


def run_texts(text: str) -> list[str]:
    """Return the runs as strings only, which is three times as quick."""
    return _pattern(text).findall(text.replace("_", " "))


def run_places(text: str) -> tuple[list[str], list[int], list[int]]:
    """Return the runs, where each starts and where each ends: quicker than one match object for each."""
    plain = _pattern(text) is _PLAIN_RUN
    parts = (_PLAIN_BORDERS if plain else _MARKED_BORDERS).split(text.replace("_", " "))
    borders = list(accumulate(map(len, parts)))
    return parts[1::2], borders[0:-1:2], borders[1::2]


def _pattern(text: str) -> re.Pattern[str]:
    # Building the set first is quicker: a text has far fewer different characters than characters.
    plain = text.isascii() or _SPECIAL.isdisjoint(set(text))
    return _PLAIN_RUN if plain else _MARKED_RUN


class _Single(dict[str, str | None]):
    """The folded form of each short run that is one word with one spelling; None for any other run."""

    def __missing__(self, run: str) -> str | None:
        if len(run) > _CACHED_LENGTH or _STARTS_BY_CHARACTER.match(run):
            return None
        words, aliases = pieces(run)
        if len(self) >= _CACHED_RUNS:
            self.clear()
        is_single = len(words) == 1 and not aliases and _is_where_it_seems(words[0], run)
        single = self[run] = words[0].folded if is_single else None
        return single


def _is_where_it_seems(word: Word, run: str) -> bool:
    """Tell whether a run of letters only is the word from end to end; of others nobody expects it."""
    return not run.isalnum() or (word.start, word.end) == (0, len(run))


# Most runs of most articles are words seen before: one look here is a third of the work of folding again.
SINGLE = _Single()


def split(text: str) -> tuple[Word, ...]:
    """Return the words of a short text, in order."""
    return tuple(
        Word(word.folded, run.start() + word.start, run.start() + word.end)
        for run in runs(text)
        for word in pieces(run.group()).words
    )


def exact_form(surface: str) -> str:
    """Return a word with case and diacritics kept, acronyms without their full stops."""
    return _join_acronym(exact(surface))


def is_by_character(folded: str) -> bool:
    """Tell whether a word is one character of a script that is matched by characters."""
    return _STARTS_BY_CHARACTER.match(folded) is not None


def pieces(run: str) -> Pieces:
    """Take a run apart into words."""
    words: list[Word] = []
    start = 0
    parts = _HYPHEN.split(run)
    for part in parts:
        for piece in _PIECE.finditer(part):
            at = start + piece.start()
            if piece[1]:
                words.append(Word(fold(piece[1]), at, at + len(piece[1])))
            else:
                words.extend(_words(piece[0], at))
        start += len(part) + 1
    aliases = [
        alias for index, word in enumerate(words) for alias in _after_elision(run, index, word)
    ]
    if 1 < len(parts) <= _LONGEST_COMPOUND and len(words) == len(parts):
        joined = exact_form("".join(run[word.start : word.end] for word in words))
        folded = "".join(word.folded for word in words)
        aliases.append(Alias(folded, joined, 0, len(words) - 1))
    return Pieces(tuple(words), tuple(aliases))


def _words(piece: str, offset: int) -> Iterator[Word]:
    """Yield the words of a piece without hyphens; two where a full stop ends a sentence without a blank after it."""
    begin = 0
    for end in [*_sentence_ends(piece), len(piece)]:
        part = piece[begin:end]
        stripped = part.lstrip(_INNER)
        start = offset + begin + len(part) - len(stripped)
        surface = _strip_end(stripped)
        folded = _join_acronym(fold(surface))
        if folded:
            yield Word(folded, start, start + len(surface))
        begin = end


def _strip_end(surface: str) -> str:
    """Cut full stops, apostrophes and possessives off the end."""
    end = len(surface)
    while True:
        if end and surface[end - 1] in _INNER:
            end -= 1
        elif end > 1 and surface[end - 1] in "sS" and surface[end - 2] in APOSTROPHES:
            end -= 2
        else:
            return surface[:end]


def _sentence_ends(piece: str) -> list[int]:
    """Find the full stops between `said.The`: two letters on both sides, small before and capital after."""
    return [
        stop
        for stop in _stops(piece)
        if piece[max(0, stop - 3) : stop - 1].islower()
        and piece[max(0, stop - 3) : stop - 1].isalpha()
        and piece[stop : stop + 1].isupper()
        and piece[stop : stop + 2].isalpha()
        and min(stop - 1, len(piece) - stop) >= _FEWEST_LETTERS
    ]


def _stops(piece: str) -> Iterator[int]:
    """Yield the offset behind each full stop."""
    stop = piece.find(".") + 1
    while stop:
        yield stop
        stop = piece.find(".", stop) + 1


def _join_acronym(word: str) -> str:
    return word.replace(".", "") if "." in word and _ACRONYM.fullmatch(word) else word


def _after_elision(run: str, index: int, word: Word) -> Iterator[Alias]:
    elided, apostrophe, rest = word.folded.partition("'")
    if apostrophe and elided in _ELIDED and len(rest) > 1:
        surface = exact(run[word.start : word.end]).partition("'")[2]
        yield Alias(_join_acronym(rest), _join_acronym(surface), index, index)
