"""Forms of names in languages that exchange endings: Bulgarian, Macedonian, Greek, Latvian, Lithuanian, Romanian.

A table gives, for each ending, those that take its place. Of a name of several words one carries it: the first, as a
noun before what belongs to it, or the last, behind it.
"""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

_Table = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """How a language changes names.

    `endings` holds of the word that carries the name, `beside` of an adjective that goes with it, whose forms stand in
    the same order. `leads` says that the first word carries the name, not the last. `persons` says that people's
    names change too, and `alone` that names of one word do.
    """

    endings: _Table
    beside: _Table
    leads: bool
    persons: bool = True
    alone: bool = True


def exchanged(name: str, language: Exchange, *, person: bool) -> Iterator[str]:
    """Yield the forms of a name other than the one given."""
    words = name.split()
    if person and not language.persons:
        return
    if len(words) == 1 and not language.alone:
        return
    if person:  # given name and surname agree
        columns = [_forms(word, language.endings) for word in words]
        for number in range(max(map(len, columns))):
            yield " ".join(column[min(number, len(column) - 1)] for column in columns)
        return
    at = 0 if language.leads else len(words) - 1
    beside = at + 1 if language.leads else at - 1
    agreeing = _forms(words[beside], language.beside) if 0 <= beside < len(words) else []
    for number, form in enumerate(_forms(words[at], language.endings)):
        changed = {at: form}
        if len(agreeing) > 1:
            changed[beside] = agreeing[min(number, len(agreeing) - 1)]
        yield " ".join(changed.get(place, word) for place, word in enumerate(words))


def _forms(word: str, table: _Table) -> list[str]:
    """Return the word and what the longest ending of the table makes of it; abbreviations do not change."""
    if not word.isupper():
        for length in range(min(len(word) - 1, 5), 0, -1):
            if others := table.get(word[-length:]):
                return [word, *(word[:-length] + other for other in others)]
    return [word]


def _read(text: str) -> _Table:
    table = {}
    for line in text.strip().splitlines():
        endings, _, forms = line.partition(":")
        for ending in endings.split():
            table[ending] = tuple(forms.split())
    return MappingProxyType(table)


_NONE: _Table = MappingProxyType({})
_BULGARIAN = Exchange(
    leads=True,
    persons=False,
    alone=False,
    endings=_read("""
а: ата
я: ята
о: ото
е: ето
и: ите
ни: ните
ки: ките
ен: ния ният
ски: ския ският
ка: ката
на: ната
т: та тът
ж: жа жът
д: да дът
н: на нът
к: ка кът
л: ла лът
р: ра рът
с: са сът
м: ма мът
"""),
    beside=_NONE,
)
_MACEDONIAN = Exchange(
    leads=True,
    persons=False,
    alone=False,
    endings=_read("""
а: ата
о: ото
е: ето
и: ите
т: тот
д: дот
н: нот
к: кот
л: лот
р: рот
с: сот
м: мот
з: зот
"""),
    beside=_NONE,
)
_GREEK = Exchange(
    leads=True,
    endings=_read("""
ος: ου ο ε
ός: ού ό έ
ης: η
ής: ή
ας: α
άς: ά
α: ας
ά: άς
η: ης
ή: ής
ση: σης σεως
ο: ου
ό: ού
ένα: ένων
ένες: ένων
"""),
    beside=_read("""
ες: ων
άδα: άδας
ωση: ωσης
νη: νών
ος: ου ο
ός: ού ό
"""),
)
_LATVIAN = Exchange(
    leads=False,
    endings=_read("""
s: a am u ā
š: a am u ā
is: a im i ī
us: us um u ū
ja: jas jai ju jā
a: as ai u ā
e: es ei i ē
es: u ēm ēs
as: u ām ās
"""),
    beside=_read("""
ās: o ajām ajās
ā: ās ajai o ajā
ais: ā ajam o ajā
"""),
)
_LITHUANIAN = Exchange(
    leads=False,
    endings=_read("""
as: o ui ą u e
is: io iui į iu yje ies iai imi
ys: io iui į iu yje
us: aus ui ų umi uje
jus: jaus jui jų jumi juje
ius: iaus iui ių iumi iuje
ja: jos jai ją joje
a: os ai ą oje
ė: ės ei ę e ėje
os: ų oms as omis ose
ai: ų ams us ais uose
"""),
    beside=_read("""
inės: inių inėms ines inėmis inėse
ieji: ųjų iesiems uosius aisiais uosiuose
oji: osios ajai ąją ąja ojoje
"""),
)
_ROMANIAN = Exchange(
    leads=True,
    persons=False,
    endings=_read("""
ia: iei
ea: ei ii
unea: unii
ția: ției
a: ei
ca: căi cii
ga: gii
ul: ului
le: lor
"""),
    beside=_read("""
ană: ane
eană: ene
iană: iene
ă: e
ească: ești
"""),
)

EXCHANGES: Mapping[str, Exchange] = MappingProxyType(
    {
        "bg": _BULGARIAN,
        "mk": _MACEDONIAN,
        "el": _GREEK,
        "lv": _LATVIAN,
        "lt": _LITHUANIAN,
        "ro": _ROMANIAN,
    }
)
