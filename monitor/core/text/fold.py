"""One spelling for each word: case, width, diacritics and script variants folded away.

`ё` becomes `е`, but `й`, `ї` and `ў` stay: they are letters of their own, and folding them would confuse words
(`мой`, "my", and `мои`, "mine" in the plural). Marks of Indic and South-East Asian scripts are vowels and stay.
"""

# ruff: noqa: RUF001, RUF002 - letters of other alphabets are what this file is about

import unicodedata
from functools import lru_cache

_LETTERS = {
    # Latin letters that Unicode does not decompose.
    "ł": "l",
    "ø": "o",
    "đ": "d",
    "ħ": "h",
    "ŧ": "t",
    "ı": "i",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    "ð": "d",
    # Cyrillic: only what is a plain letter with a mark for the reader.
    "ё": "е",
    "ѐ": "е",
    "ѝ": "и",
    # Arabic, Persian and Urdu writing of the same letters.
    "آ": "ا",
    "أ": "ا",
    "إ": "ا",
    "ٱ": "ا",
    "ى": "ي",
    "ی": "ي",
    "ے": "ي",
    "ة": "ه",
    "ۀ": "ه",
    "ە": "ه",
    "ہ": "ه",
    "ھ": "ه",
    "ۃ": "ه",
    "ک": "ك",
    "ـ": "",
    # Apostrophes.
    "’": "'",
    "ʼ": "'",
    "＇": "'",
}
_KEPT_PUNCTUATION = ".'"
_DROPPED_MARKS = (
    (0x0300, 0x036F),  # Latin, Greek and Cyrillic diacritics that have no letter of their own
    (0x0591, 0x05C7),  # Hebrew points
    (0x064B, 0x065F),  # Arabic tashkeel
    (0x0670, 0x0670),  # superscript alef
    (0x06D6, 0x06ED),  # Koranic signs
    (0xFE00, 0xFE0F),  # variation selectors
    (0xE0100, 0xE01EF),
)
_CACHED_LENGTH = 64  # longer words are rare and would let one article fill the cache


class _Letters(dict[int, str]):
    """What each character folds to, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_letter(chr(code))
        return folded


def _fold_letter(letter: str) -> str:
    if letter in _LETTERS:
        return _LETTERS[letter]
    if letter in _KEPT_PUNCTUATION:
        return letter
    category = unicodedata.category(letter)
    if category == "Nd":
        return str(unicodedata.decimal(letter))
    if category[0] not in "LMN" or _is_dropped_mark(ord(letter)):
        return ""
    if unicodedata.name(letter, "").startswith(("LATIN", "GREEK")):
        base = unicodedata.normalize("NFD", letter)[0]
        return base if base == letter else _fold_letter(base)
    return letter


def _is_dropped_mark(code: int) -> bool:
    return any(first <= code <= last for first, last in _DROPPED_MARKS)


_FOLDED = _Letters()


def fold(word: str) -> str:
    """Return the one spelling under which `word` is looked for; empty if nothing of it is a letter or digit."""
    return _fold_cached(word) if len(word) <= _CACHED_LENGTH else _fold(word)


def _fold(word: str) -> str:
    # What is left of an iota below has no letter to go with; case folding would make it one of its own.
    cased = unicodedata.normalize("NFKC", word).replace("\u0345", "").casefold()
    # Case folding takes some composed letters apart; put together again what is a letter of its own.
    return unicodedata.normalize("NFKC", cased).translate(_FOLDED)


_fold_cached = lru_cache(maxsize=1 << 15)(_fold)


def exact(word: str) -> str:
    """Return `word` with case and diacritics kept, in the form in which exact forms are compared."""
    return unicodedata.normalize("NFKC", word).translate(_EXACT)


class _Kept(dict[int, str]):
    """What each character is in an exact form, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        letter = "'" if chr(code) in _APOSTROPHES else chr(code)
        kept = letter in _KEPT_PUNCTUATION or unicodedata.category(letter)[0] in "LMN"
        form = self[code] = letter if kept else ""
        return form


_APOSTROPHES = "’ʼ＇"
_EXACT = _Kept()
