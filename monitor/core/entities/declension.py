"""Declines names in the Slavic languages, by the ending of each word.

The tables make a few forms that nobody writes, such as both genders of a name in -ь: what matters is that none in use
is missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from types import MappingProxyType

from monitor.core.entities.endings import TABLES

_CASES = 5  # genitive, dative, accusative, instrumental, locative
_MOST_FORMS = 40
_SHORTEST = 4
_FULL_NAME = 2
_ANY = "*"
_DROPPED = frozenset("aeiouyáéíýаеиіоуюяй")  # noqa: RUF001 - both alphabets

_Cases = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """How a language declines: endings of people, of other nouns and of adjectives.

    `never_adjectives` are endings of nouns that look like those of adjectives. Where adjectives may follow their noun,
    `trailing` holds. `vowels` end words that the table does not list, and that therefore do not change.
    """

    people: Mapping[str, _Cases]
    places: Mapping[str, _Cases]
    adjectives: Mapping[str, _Cases]
    joins: frozenset[str]
    vowels: str
    never_adjectives: tuple[str, ...] = ()
    trailing: bool = False


def declined(name: str, grammar: Grammar, *, person: bool) -> Iterator[str]:
    """Yield the forms of a name in the cases other than the nominative, at most forty.

    A name of one short word stays as it is: its forms would be words of other languages.
    """
    words = name.split()
    if len(words) == 1 and len(name) < _SHORTEST:
        return
    forms = list(_people(words, grammar) if person else _nouns(words, grammar))
    made = dict.fromkeys(_joined(forms))
    if person and len(words) > _FULL_NAME:  # Korean and Chinese names: the last word alone
        made |= dict.fromkeys(_joined([*map(_fixed, words[:-1]), forms[-1]]))
    made.pop(name, None)
    yield from islice(made, _MOST_FORMS)


def _joined(forms: Sequence[_Cases]) -> Iterator[str]:
    for case in range(_CASES):
        for chosen in islice(product(*(word[case] for word in forms)), _MOST_FORMS):
            yield " ".join(chosen)


def _people(words: Sequence[str], grammar: Grammar) -> Iterator[_Cases]:
    """Decline every word, but not the particles: given names and surnames agree."""
    for word in words:
        is_particle = word.islower() and "-" not in word and len(word) < _SHORTEST
        yield (None if is_particle else _decline(word, grammar.people, grammar)) or _fixed(word)


def _nouns(words: Sequence[str], grammar: Grammar) -> Iterator[_Cases]:
    """Decline the first noun and the adjectives that go with it; what follows depends on the noun and is fixed."""
    is_open, has_noun = True, False
    for number, word in enumerate(words):
        if word in grammar.joins:  # Bosnia and Herzegovina: another noun begins
            is_open, has_noun = True, False
            yield _fixed(word)
            continue
        is_followed = number + 1 < len(words) and words[number + 1] not in grammar.joins
        cases: _Cases | None = None
        if is_open and (is_followed or has_noun) and not word.endswith(grammar.never_adjectives):
            cases = _decline(word, grammar.adjectives, grammar)
        if is_open and cases is None:
            is_open = not has_noun and grammar.trailing
            cases = None if has_noun else _decline(word, grammar.places, grammar)
            has_noun = True
        yield cases or _fixed(word)


def _fixed(word: str) -> _Cases:
    return [[word]] * _CASES


def _decline(word: str, table: Mapping[str, _Cases], grammar: Grammar) -> _Cases | None:
    """Find the longest ending that the table knows; abbreviations do not change."""
    if word.isupper():
        return None
    for length in range(min(len(word), _LONGEST), 0, -1):
        if cases := table.get(word[-length:]):
            stem = word[:-length]
            return [[stem + ending for ending in case] for case in cases]
    if word[-1].isalpha() and word[-1] not in grammar.vowels and (cases := table.get(_ANY)):
        return [[word + ending for ending in case] for case in cases]
    return None


def _read(table: str) -> Mapping[str, _Cases]:
    """Read the lines that `endings` describes."""
    read: dict[str, _Cases] = {}
    for line in table.strip().splitlines():
        endings, _, row = line.partition(":")
        for ending in endings.split():
            kept = ending[:-1] if ending[-1] in _DROPPED else ending
            read[ending] = [
                [form.replace("-", "").replace("X", kept) for form in case.split("/")]
                for case in row.split()
            ]
    return MappingProxyType(read)


def _grammar(language: Mapping[str, str]) -> Grammar:
    return Grammar(
        people=_read(language["people"]),
        places=_read(language["places"]),
        adjectives=_read(language["adjectives"]),
        joins=frozenset(language["joins"].split()),
        vowels=language["vowels"],
        never_adjectives=tuple(language.get("never", "").split()),
        trailing="trailing" in language,
    )


GRAMMARS: Mapping[str, Grammar] = MappingProxyType(
    {lang: _grammar(table) for lang, table in TABLES.items()}
)
_LONGEST = max(
    len(ending)
    for grammar in GRAMMARS.values()
    for table in (grammar.people, grammar.places, grammar.adjectives)
    for ending in table
)
