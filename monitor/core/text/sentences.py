"""Where sentences and paragraphs begin."""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import re
from typing import NamedTuple

_PARAGRAPH = re.compile(r"[\n\r\f\v\x85\u2028\u2029]+")
_END = re.compile(r"[.!?…؟۔।॥]++[\"'”’»)\]]*+(?=\s)|[。！？｡]++[」』”’）]*+")
_LAST_WORD = re.compile(r"[\w.]+\Z")
_FIRST_LETTER = re.compile(r"[^\W_]")
_ACRONYM = re.compile(r"(?:[^\W\d_]\.){2,}")
_INITIAL = re.compile(r"[^\W\d_]\.")
# fmt: off
_ABBREVIATIONS = frozenset({
    "mr.", "mrs.", "ms.", "dr.", "prof.", "st.", "gen.", "col.", "lt.", "sgt.", "capt.", "cmdr.", "adm.", "sen.",
    "rep.", "gov.", "pres.", "rev.", "hon.", "vs.", "inc.", "ltd.", "co.", "corp.",
    "jan.", "feb.", "mar.", "apr.", "jun.", "jul.", "aug.", "sep.", "sept.", "oct.", "nov.", "dec.",
    "г.", "гг.", "им.", "ул.", "проф.", "акад.", "ген.", "тыс.", "млн.", "млрд.",
    "bzw.", "ca.", "dipl.", "hr.", "fr.", "mme.", "mlle.", "sr.", "sra.",
})
# fmt: on
_LONGEST_ABBREVIATION = 16
_NEAREST_LETTER = 16


class Breaks(NamedTuple):
    """Offsets at which a new sentence or paragraph begins, in order; the first of each is not listed."""

    sentences: list[int]
    paragraphs: list[int]


def breaks(text: str) -> Breaks:
    """Find the borders. Every line break begins a paragraph, and a paragraph begins a sentence."""
    paragraphs = [line.end() for line in _PARAGRAPH.finditer(text)]
    sentences = [end.end() for end in _END.finditer(text) if _ends_sentence(text, end)]
    return Breaks(sorted({*sentences, *paragraphs}), paragraphs)


def _ends_sentence(text: str, end: re.Match[str]) -> bool:
    if end.group()[0] != ".":
        return True
    letter = _FIRST_LETTER.search(text, end.end(), end.end() + _NEAREST_LETTER)
    if letter and letter.group().islower():
        return False
    before = _LAST_WORD.search(text[max(0, end.start() - _LONGEST_ABBREVIATION) : end.start() + 1])
    word = before.group() if before else ""
    is_initial = _INITIAL.fullmatch(word) and word[0].isupper()
    return not (is_initial or word.lower() in _ABBREVIATIONS or _ACRONYM.fullmatch(word))
