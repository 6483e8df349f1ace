"""The forms in which a name stands in a text, worked out when the gazetteer is loaded."""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

from collections.abc import Iterator

from monitor.core.entities.cases import EXCHANGES, exchanged
from monitor.core.entities.declension import GRAMMARS, declined
from monitor.core.entities.suffixes import estonian, finnish, hungarian

_ARABIC = ("و", "ف", "ب", "ل", "ك", "وب", "ول", "وك")
# fmt: off
_HEBREW = (
    "ו", "ב", "ה", "ל", "כ", "מ", "ש", "וב", "וה", "ול", "וכ", "ומ", "וש", "שב", "שה", "של", "שמ", "כש", "וכש",
)
_HEBREW_THE = "ה"
_HEBREW_SWALLOWING = ("ב", "ל", "כ", "וב", "ול", "וכ", "שב", "של")
_KOREAN = (
    "은", "는", "이", "가", "을", "를", "의", "에", "에서", "에게", "에도", "와", "과", "도", "로", "으로", "만",
    "까지", "부터", "측", "측은", "측이",
)
# fmt: on
_ARTICLE = "ال"


_TURKISH_FRONT = "eiöü"
_TURKISH_VOWELS = "aeıioöuü"
_TURKISH_VOICELESS = "fstkçşhp"
_GERMAN_SIBILANTS = ("s", "ß", "x", "z")


def forms(name: str, lang: str, *, person: bool = False) -> tuple[str, ...]:  # noqa: PLR0911 - one for each family
    """Return the spellings of a name in running text, the name itself first.

    Slavic names are declined, people by the rules for people. German names take the genitive -s, and adjectives before
    them their endings. Finnish, Estonian and Hungarian set suffixes behind; Greek, Latvian, Lithuanian and Romanian
    exchange endings; Bulgarian and Macedonian have the article behind. Turkish sets its suffixes off with an
    apostrophe. Arabic and Hebrew write one-letter words together with the next one, Korean its particles with the one
    before. Other languages have the name alone.
    """
    base = lang.partition("-")[0]
    if grammar := GRAMMARS.get(lang) or GRAMMARS.get(base):
        return (name, *declined(name, grammar, person=person))
    if exchange := EXCHANGES.get(base):
        return tuple(dict.fromkeys((name, *exchanged(name, exchange, person=person))))
    match base:
        case "fi" | "et" | "hu":
            suffixed = {"fi": finnish, "et": estonian, "hu": hungarian}[base]
            return tuple(dict.fromkeys((name, *suffixed(name))))
        case "ar":
            return (name, *(_with_arabic(prefix, name) for prefix in _ARABIC))
        case "he":
            return (name, *_hebrew(name))
        case "ko":
            return (name, *(name + particle for particle in _KOREAN))
        case "de":
            return (name, *_german(name))
        case "tr":
            return (name, *(f"{name}'{suffix}" for suffix in _turkish(name)))
        case _:
            return (name,)


def _with_arabic(prefix: str, name: str) -> str:
    """Put a prefix before a name; "for the" is written as one."""
    if prefix.endswith("ل") and name.startswith(_ARTICLE):
        return prefix + "ل" + name.removeprefix(_ARTICLE)
    return prefix + name


def _hebrew(name: str) -> Iterator[str]:
    """Yield a name behind each prefix; "to the" is the prefix alone: `הבית הלבן`, `לבית הלבן`.

    Where the second word has the article too, the first letter is one: `הונג קונג` keeps its own.
    """
    yield from (prefix + name for prefix in _HEBREW)
    first, _, rest = name.partition(" ")
    if first.startswith(_HEBREW_THE) and rest.startswith(_HEBREW_THE):
        yield from (prefix + name.removeprefix(_HEBREW_THE) for prefix in _HEBREW_SWALLOWING)


def _german(name: str) -> Iterator[str]:
    """Yield the genitive, and what stands behind an article: "der Vereinten Nationen"."""
    first, blank, rest = name.partition(" ")
    if blank and first.endswith("e") and first[:1].isupper():
        yield f"{first}n {rest}"
        yield f"{first}r {rest}"
    if name[-1:].isalpha() and not name.endswith(_GERMAN_SIBILANTS) and not name.isupper():
        yield f"{name}s"


def _turkish(name: str) -> Iterator[str]:
    """Yield the suffixes of case, those after a possessive (`Konseyi'nde`) too, and a few of those made upon them."""
    sound = name.lower()
    if name.isupper() and sound[-1:] not in _TURKISH_VOWELS:
        sound += "e"  # abbreviations are read by letters: ABD'nin
    vowels = [letter for letter in sound if letter in _TURKISH_VOWELS]
    if not vowels:
        return
    wide, unrounded = ("e", "i") if vowels[-1] in _TURKISH_FRONT else ("a", "ı")
    rounded = {"ö": "ü", "ü": "ü", "o": "u", "u": "u"}.get(vowels[-1], unrounded)
    consonant = "t" if sound[-1] in _TURKISH_VOICELESS else "d"
    for narrow in dict.fromkeys((rounded, unrounded)):  # foreign names go by sound
        if sound[-1] in _TURKISH_VOWELS:
            yield from (f"n{narrow}", f"y{narrow}", f"n{narrow}n", f"l{narrow}")
        else:
            yield from (narrow, f"{narrow}n", f"l{narrow}")
    if sound[-1] in _TURKISH_VOWELS:
        yield from (f"n{wide}", f"y{wide}", f"yl{wide}", f"nd{wide}", f"nd{wide}n", f"nd{wide}ki")
    else:
        yield from (wide, f"l{wide}")
    yield from (f"{consonant}{wide}{end}" for end in ("", "n", "ki"))
    yield f"{'ç' if consonant == 't' else 'c'}{wide}"
