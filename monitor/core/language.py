"""Which language an article is in: what its letters allow, what it says of itself, and what a detector guesses.

A hint, never a reason to miss a match: names are looked for in every language, and stems by the alphabet too.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from monitor.core.model import Article

_SAMPLE = 400  # characters; guesses about more are hardly better
_PRIOR = 0.3  # what a declaration weighs, where a guess that is certain weighs 1
_LEAST = 0.15  # of an article that declares nothing, a weaker guess is worth nothing
_KANA_OF_JAPANESE = 0.1  # the least share; Chinese has none, but for a name
_MOST_FOREIGN = 0.02  # of the letters, as in names from elsewhere


@dataclass(frozen=True, slots=True)
class Guess:
    """A language that a detector thinks a text is in, and how sure it is, from 0 to 1."""

    lang: str
    probability: float


def sample(article: Article) -> str:
    """Return what to tell the language by: title, summary and the start of the body, on one line."""
    parts = (part[:_SAMPLE] for part in (article.title, article.summary, article.body))
    return " ".join(" ".join(parts).split())[:_SAMPLE]


def settle(text: str, declared: str | None, guesses: Iterable[Guess]) -> str | None:
    """Return the language of a text, or None if nothing tells.

    What is declared is believed, unless the letters rule it out or a guess is much surer of another language.
    """
    alphabet = _alphabet(text)
    if alphabet is None:
        return declared
    own = _base(declared) if declared else ""
    if own and not alphabet.allows(own, text):
        own = ""
    if not alphabet.is_shared:
        return declared if own else alphabet.langs[0]
    scores = {own: _PRIOR} if own else {}
    for guess in guesses:
        lang = _VARIETIES.get(guess.lang, guess.lang)
        if (lang in _NEWS or lang == own) and alphabet.allows(lang, text):
            scores[lang] = scores.get(lang, 0.0) + guess.probability
    best = max(scores, key=scores.__getitem__, default="")
    if scores.get(best, 0.0) < _LEAST:
        return next((lang for lang in alphabet.langs if alphabet.allows(lang, text)), None)
    return declared if best == own else best


def _base(tag: str) -> str:
    base = tag.casefold().replace("_", "-").partition("-")[0]
    return _VARIETIES.get(base, base)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alphabet:
    """Letters, and the languages that are written with them, the usual one first; Latin ones are not listed.

    A shared one does not tell its language, any other does as long as nothing else is declared.
    """

    letters: re.Pattern[str]
    langs: tuple[str, ...] = ()
    is_shared: bool = False

    def allows(self, lang: str, text: str) -> bool:
        """Tell whether the text can be in the language, as far as its letters say."""
        if not self.langs:
            return lang not in _NEVER_LATIN
        if lang not in self.langs:
            return False
        foreign = _FOREIGN.get(lang)
        return not foreign or len(foreign.findall(text)) <= _MOST_FOREIGN * len(text)


def _written(letters: str, langs: str, *, is_shared: bool = False) -> _Alphabet:
    pattern = re.compile(f"[{letters}]")
    return _Alphabet(letters=pattern, langs=tuple(langs.split()), is_shared=is_shared)


_LATIN = _written("A-Za-zªº\u00c0-\u024f\u1e00-\u1eff", "", is_shared=True)
_PLAIN = re.compile("[A-Za-z]")
_KANA = _written("\u3040-\u30ff\uff66-\uff9d", "ja")
_HAN = _written("\u3400-\u4dbf\u4e00-\u9fff", "zh ja")
_ALPHABETS = (
    _LATIN,
    _written("\u0400-\u052f", "ru uk bg sr mk be kk ky mn tg tt uz bs az", is_shared=True),
    _written(
        "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc",
        "ar fa ur ps ckb ku ug sd pa az",
        is_shared=True,
    ),
    _HAN,
    _KANA,
    _written("\u1100-\u11ff\u3130-\u318f\uac00-\ud7af", "ko"),
    _written("\u0370-\u03ff\u1f00-\u1fff", "el"),
    _written("\u0590-\u05ff", "he yi"),
    _written("\u0531-\u058f", "hy"),
    _written("\u0900-\u097f", "hi mr ne", is_shared=True),
    _written("\u0980-\u09ff", "bn as"),
    _written("\u0a00-\u0a7f", "pa"),
    _written("\u0a80-\u0aff", "gu"),
    _written("\u0b00-\u0b7f", "or"),
    _written("\u0b80-\u0bff", "ta"),
    _written("\u0c00-\u0c7f", "te"),
    _written("\u0c80-\u0cff", "kn"),
    _written("\u0d00-\u0d7f", "ml"),
    _written("\u0d80-\u0dff", "si"),
    _written("\u0e00-\u0e7f", "th"),
    _written("\u0e80-\u0eff", "lo"),
    _written("\u0f00-\u0fff", "bo dz"),
    _written("\u1000-\u109f", "my"),
    _written("\u10a0-\u10ff", "ka"),
    _written("\u1200-\u137f", "am ti"),
    _written("\u1780-\u17ff", "km"),
)
# The languages that other alphabets write, without those that Latin letters write as well.
_NEVER_LATIN = frozenset(lang for alphabet in _ALPHABETS for lang in alphabet.langs) - frozenset(
    ("sr", "bs", "uz", "az", "ku", "kk", "tt")
)
# Cyrillic letters that a language does not have.
_FOREIGN: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        lang: re.compile(f"[{letters}]")
        for lang, letters in {
            "ru": "іїєґўјљњђћџѓќѕІЇЄҐЎЈЉЊЂЋЏЃЌЅ",
            "uk": "ыэёъўјљњђћџѓќѕЫЭЁЪЎЈЉЊЂЋЏЃЌЅ",
            "be": "ищъїєґјљњђћџѓќѕИЩЪЇЄҐЈЉЊЂЋЏЃЌЅ",
            "bg": "ыэёіїєґўјљњђћџѓќѕЫЭЁІЇЄҐЎЈЉЊЂЋЏЃЌЅ",
            "sr": "йщъыьэюяёіїєґўѓќѕЙЩЪЫЬЭЮЯЁІЇЄҐЎЃЌЅ",
            "mk": "йщъыьэюяёіїєґўђћЙЩЪЫЬЭЮЯЁІЇЄҐЎЂЋ",
        }.items()
    }
)
# Languages in which news is written. A detector knows more, and takes short texts for one of those.
_NEWS_CODES = """
    af am ar as az be bg bn bo bs ca ckb cs cy da de dz el en es et eu fa fi fr ga gl gu ha he hi hr hu hy id is it
    ja ka kk km kn ko ku ky lb lo lt lv mk ml mn mr ms mt my ne nl no or pa pl ps pt ro ru sd si sk sl so sq sr sv
    sw ta te tg th ti tl tr tt ug uk ur uz vi yi zh
"""
_NEWS = frozenset(_NEWS_CODES.split())
_VARIETIES = {
    "arz": "ar", "yue": "zh", "wuu": "zh", "nb": "no", "nn": "no", "sh": "hr", "iw": "he", "in": "id", "azb": "az",
}  # fmt: skip


def _alphabet(text: str) -> _Alphabet | None:
    """Return the alphabet of most of the letters; Japanese counts as such where it shows."""
    plain = len(_PLAIN.findall(text))
    if plain > len(text) - len(text.encode("ascii", "ignore")):
        return _LATIN  # the others cannot have as many
    counts = {alphabet: len(alphabet.letters.findall(text)) for alphabet in _ALPHABETS}
    kana, han = counts[_KANA], counts[_HAN]
    is_japanese = kana > _KANA_OF_JAPANESE * (kana + han)
    counts |= {_KANA: kana + han if is_japanese else 0, _HAN: 0 if is_japanese else kana + han}
    alphabet = max(counts, key=counts.__getitem__)
    return alphabet if counts[alphabet] else None
