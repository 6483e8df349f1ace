"""Forms of names in languages that set suffixes behind them: Finnish, Estonian, Hungarian.

Consonants of native words that change in Finnish are tried both ways; a form too many is no word of the language.
"""

from collections.abc import Iterator

_VOWELS = "aeiouyäöüõ"
_HUNGARIAN_VOWELS = "aeiouöüáéíóúőű"
_BACK = frozenset("aouáóú")
_ROUND = frozenset("öőüű")
_NEUTRAL = frozenset("eéií")

_FINNISH = ("n", "ssa", "sta", "lla", "lta", "lle", "ksi", "na", "kin")
_FINNISH_WEAK = {
    "kk": "k", "pp": "p", "tt": "t", "nt": "nn", "lt": "ll", "rt": "rr", "nk": "ng", "mp": "mm",
}  # fmt: skip
_ESTONIAN = ("", "t", "d", "s", "st", "sse", "l", "le", "lt", "ks", "ni", "na", "ga", "ta")
_ESTONIAN_ENDINGS = {"us": ("use",), "k": ("gi", "ki"), "p": ("bi", "pi"), "t": ("di", "ti")}
_HUNGARIAN_BACK = (
    "nak",
    "ban",
    "ból",
    "ba",
    "ról",
    "ra",
    "nál",
    "tól",
    "hoz",
    "ért",
    "ig",
    "ként",
    "t",
    "ék",
)
_HUNGARIAN_FRONT = (
    "nek",
    "ben",
    "ből",
    "be",
    "ről",
    "re",
    "nél",
    "től",
    "hez",
    "ért",
    "ig",
    "ként",
    "t",
    "ék",
)
_LENGTHENED = {"a": "á", "e": "é"}
_DOUBLED = ("sz", "zs", "cs", "gy", "ly", "ny", "ty")


def finnish(name: str) -> Iterator[str]:
    """Yield the cases of a name: `Lavrovin`, `Syyriassa`, `Turkin`, `Virtasen`."""
    if name[-1:].isupper() or not name[-1:].isalpha():
        return
    a = "a" if _last(name, "aouäöy") in _BACK else "ä"
    if name.endswith("nen"):
        stem = name[:-3] + "s"
        yield from _finnish_cases(f"{stem}e", a)
        yield f"{stem}t{a}"
    elif name[-1].lower() in _VOWELS:
        yield from _finnish_cases(name, a)
        yield f"{name}{a}"
        strong, weak = name[-3:-1], _FINNISH_WEAK.get(name[-3:-1], "")
        if weak:
            yield from _finnish_cases(name[: -len(strong) - 1] + weak + name[-1], a)
    else:
        yield from _finnish_cases(f"{name}i", a)
        yield f"{name}i{a}"


def _finnish_cases(stem: str, a: str) -> Iterator[str]:
    yield from (stem + ending.replace("a", a) for ending in _FINNISH)
    yield f"{stem}{stem[-1]}n"


def estonian(name: str) -> Iterator[str]:
    """Yield the cases of a name: `Lavroviga`, `Süürias`, `Iraagist`."""
    if name[-1:].isupper() or not name[-1:].isalpha():
        return
    stems: tuple[str, ...] = (name,)
    if name[-1].lower() not in _VOWELS:
        stems = (f"{name}i",)
        for ending, others in _ESTONIAN_ENDINGS.items():
            if name.endswith(ending):
                stems = tuple(name.removesuffix(ending) + other for other in others)
    for stem in stems:
        yield from (stem + ending for ending in _ESTONIAN)


def hungarian(name: str) -> Iterator[str]:
    """Yield the cases of a name: `Lavrovnak`, `Putyinnal`, `Szíriában`; both harmonies where vowels are mixed."""
    if name[-1:].isupper() or not name[-1:].isalpha():
        return
    vowels = [letter for letter in name.rpartition(" ")[2].lower() if letter in _HUNGARIAN_VOWELS]
    last = vowels[-1] if vowels else "e"
    is_mixed = last in _NEUTRAL and any(vowel in _BACK for vowel in vowels)
    ends_in_vowel = name[-1].lower() in _HUNGARIAN_VOWELS
    stem = name[:-1] + _LENGTHENED.get(name[-1], name[-1])
    if last in _BACK or is_mixed:
        yield from (stem + ending for ending in _HUNGARIAN_BACK)
        yield from (f"{stem}n",) if ends_in_vowel else (f"{stem}on", f"{stem}ot", f"{stem}at")
        yield _with(stem, "al")
    if last not in _BACK:
        yield from (stem + ending for ending in _HUNGARIAN_FRONT)
        yield from (f"{stem}n",) if ends_in_vowel else (f"{stem}en", f"{stem}et")
        yield _with(stem, "el")
    if last in _ROUND:
        yield from (stem + ending for ending in ("ön", "höz", "öt"))


def _with(name: str, ending: str) -> str:
    """Return "with": `v` after a vowel, else the last consonant again."""
    if name[-1].lower() in _HUNGARIAN_VOWELS:
        return f"{name}v{ending}"
    if name.endswith(_DOUBLED):
        return f"{name[:-1]}{name[-2:]}{ending}"
    return f"{name}{name[-1]}{ending}"


def _last(name: str, letters: str) -> str:
    return next((letter for letter in reversed(name.lower()) if letter in letters), "")
