"""Where words begin and end.

A word is letters, marks and digits with inner full stops and apostrophes. Hyphens separate, and the pieces can also be
found written as one (`cease-fire` as `ceasefire`). Chinese, Japanese, Thai, Khmer, Lao and Burmese are written without
blanks between words: there each character, with the marks it carries, counts as a word.
"""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, pairwise
from typing import NamedTuple

from monitor.core.text.fold import exact, fold
from monitor.core.text.spelled import is_spelled_out, origins, spell_out

_HYPHENS = "‐‑－"  # and the ASCII one
HYPHENS = f"{_HYPHENS}-"
IGNORED = (
    "\u00ad\u200c\u200d"  # soft hyphen, zero-width joiner and non-joiner: inside a word, not of it
)
MARKS = frozenset(chr(code) for code in range(0x20000) if unicodedata.category(chr(code))[0] == "M")


def _ranges(characters: Iterable[str]) -> str:
    """Write characters for a set of a regular expression as ranges: with each of them alone it compiles slowly."""
    codes = sorted(map(ord, characters))
    starts = [code for before, code in pairwise([-2, *codes]) if code != before + 1]
    ends = [code for code, after in pairwise([*codes, 0x110000]) if after != code + 1]
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))


_MARKS = _ranges(MARKS)
HEBREW_LETTERS = frozenset(map(chr, range(0x05D0, 0x05EB)))
QUOTES = '"״”'  # inside a Hebrew acronym
_SPECIAL = MARKS.union(IGNORED, HEBREW_LETTERS)

# Possessive quantifiers, so that each character is looked at once. `_` is blanked out beforehand.
_JOINT = rf"\.?['’＇{_HYPHENS}-]"
_PLAIN_RUN = re.compile(rf"\w++(?:{_JOINT}\w++|\.\w++)*+")
LETTER = rf"[\w{_MARKS}{IGNORED}]"
_HEBREW_QUOTE = rf"(?<=[\u05d0-\u05ea])[{QUOTES}](?=[\u05d0-\u05ea])"
_MARKED_RUN = re.compile(rf"\w{LETTER}*+(?:(?:{_JOINT}|\.|{_HEBREW_QUOTE}){LETTER}++)*+")

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
    + _ranges(  # the letters of South-East Asia; their marks belong to the letter before
        letter
        for letter in map(chr, chain(range(0x0E00, 0x1800), range(0xA900, 0xAB00)))
        if _SOUTH_EAST_ASIAN.match(letter) and letter not in _SPECIAL
    )
)
_PIECE = re.compile(rf"([{_BY_CHARACTER}][{_MARKS}]*+)|[^{_BY_CHARACTER}]++")
_STARTS_BY_CHARACTER = re.compile(rf"[{_BY_CHARACTER}]")
_HYPHEN = re.compile(rf"[{_HYPHENS}-]")
APOSTROPHES = "'’＇"
_INNER = "." + APOSTROPHES
_NO_START = "".join((_INNER, *sorted(MARKS), *IGNORED))
_SIGNS = re.compile(r"[.']{2,}")
_NO_END = _INNER + "sS"
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


def run_texts(text: str) -> list[str]:
    """Return the runs that `pieces` takes apart, in order, as strings only: that is three times as quick."""
    readable, pattern = _readable(text)
    return pattern.findall(readable)


def run_places(text: str) -> tuple[list[str], list[int], list[int]]:
    """Return the runs of a text without characters that stand for others, where each starts and where it ends.

    This is quicker than one match object for each.
    """
    readable, pattern = _readable(text)
    borders_between = _PLAIN_BORDERS if pattern is _PLAIN_RUN else _MARKED_BORDERS
    parts = borders_between.split(readable)
    borders = list(accumulate(map(len, parts)))
    return parts[1::2], borders[0:-1:2], borders[1::2]


def spelled_out(text: str) -> str:
    """Return the text in which words are looked for: without characters that stand for others."""
    return spell_out(text) if not text.isascii() and is_spelled_out(set(text)) else text


def _readable(text: str) -> tuple[str, re.Pattern[str]]:
    if text.isascii():
        return text.replace("_", " "), _PLAIN_RUN
    # Building the set first is quicker: a text has far fewer different characters than characters.
    characters = set(text)
    if is_spelled_out(characters):
        text = spell_out(text)
        characters = set(text)
    pattern = _PLAIN_RUN if _SPECIAL.isdisjoint(characters) else _MARKED_RUN
    return text.replace("_", " "), pattern


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
    """Return the words of a short text, in order. Words of one character have the same place."""
    readable = spelled_out(text)
    words = _split(readable)
    if readable is text:
        return tuple(words)
    origin = origins(text)
    return tuple(Word(w.folded, origin[w.start], origin[w.end - 1] + 1) for w in words)


def exact_words(text: str) -> tuple[str, ...]:
    """Return the words of a short text as `split` does, each in its exact form."""
    readable = spelled_out(text)
    return tuple(exact_form(readable[word.start : word.end]) for word in _split(readable))


def _split(text: str) -> Iterator[Word]:
    readable, pattern = _readable(text)
    for run in pattern.finditer(readable):
        for word in pieces(run.group()).words:
            yield Word(word.folded, run.start() + word.start, run.start() + word.end)


def exact_form(surface: str) -> str:
    """Return a word with case and diacritics kept, acronyms without their full stops."""
    return _join_acronym(_bare(exact(surface)))


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
        stripped = part if part[:1].isalnum() else part.lstrip(_NO_START)
        start = offset + begin + len(part) - len(stripped)
        surface = _strip_end(stripped)
        folded = _join_acronym(_bare(fold(surface)))
        if folded:
            yield Word(folded, start, start + len(surface))
        begin = end


def _bare(word: str) -> str:
    """Mend a word of which marks were dropped: signs that stood before or behind them are inside of it no longer."""
    word = _SIGNS.sub(lambda signs: "'" if "'" in signs.group() else ".", word)
    return _strip_end(word.lstrip(_INNER)) if word[:1] in _INNER or word[-1:] in _NO_END else word


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
