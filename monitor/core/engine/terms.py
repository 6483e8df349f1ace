"""Where the terms of a query stand in an article."""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice, takewhile
from typing import assert_never

import Stemmer

from monitor.core.engine.occurrences import longest, sequence
from monitor.core.entities import Case, Entity, Name
from monitor.core.query.expression import Exact, Phrase, Regex, Stem, Wildcard, Word
from monitor.core.query.patterns import compile_regex, compile_wildcard
from monitor.core.text import AnalysedArticle, AnalysedField, split

_Places = list[tuple[int, int]]

_SNOWBALL: Mapping[str, str] = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_BY_ALPHABET = (("а", "я", "russian"), ("ء", "ي", "arabic"), ("α", "ω", "greek"))


def find_word(term: Word, field: AnalysedField) -> _Places:
    """Find a word, compounds and elisions included."""
    return _folded(term.text, field)


def find_exact(term: Exact, field: AnalysedField) -> _Places:
    """Find a word in exactly this spelling."""
    folded = split(term.text)[0].folded
    places = [(p, p) for p in field.postings.get(folded, ()) if field.exact_at(p) == term.text]
    aliases = field.aliases.get(folded, ())
    return sorted(places + [(a.first, a.last) for a in aliases if a.exact == term.text])


def find_wildcard(term: Wildcard, field: AnalysedField) -> _Places:
    """Find every word of the pattern."""
    prefix = term.pattern.partition("*")[0].partition("?")[0]
    words: Iterable[str] = field.ordered_words
    if prefix:
        begin = bisect_left(field.ordered_words, prefix)
        words = takewhile(lambda word: word.startswith(prefix), islice(words, begin, None))
    if term.pattern != f"{prefix}*":
        pattern = compile_wildcard(term.pattern)
        words = [word for word in words if pattern.fullmatch(word)]
    return sorted({place for word in words for place in _folded(word, field)})


def find_regex(term: Regex, field: AnalysedField) -> _Places:
    """Find every word, and every compound with its hyphens, that the expression matches from end to end."""
    pattern = compile_regex(term.pattern)
    places = _matching(field, lambda word: bool(pattern.fullmatch(word)))
    for aliases in field.aliases.values():
        for first, last, _ in aliases:
            compound = "-".join(field.words[first - field.base : last - field.base + 1])
            if first < last and pattern.fullmatch(compound):
                places.append((first, last))
    return sorted(set(places))


def find_stem(term: Stem, field: AnalysedField, lang: str | None) -> _Places:
    """Find every word with the same stem, in the language of the article or in the usual one of the term's alphabet.

    So the language of an article, which is often a guess, adds to what is found and never takes away from it.
    """
    roots = [(stem, stem(term.word)) for stem in stemmers_of(term.word, lang).values()]
    return _matching(field, lambda word: any(stem(word) == root for stem, root in roots))


def stemmers_of(word: str, lang: str | None) -> dict[str, Callable[[str], str]]:
    """Return the stemmers for a term in an article of a language, by name; "" and no change if there is none."""
    names = {_SNOWBALL.get(base_language(lang), ""), _by_alphabet(word)} - {""}
    return {name: Stemmer.Stemmer(name).stemWord for name in sorted(names)} or {"": str}


def base_language(lang: str | None) -> str:
    """Return what of a language tag tells the stemmer."""
    return (lang or "").casefold().replace("_", "-").partition("-")[0]


def find_phrase(term: Phrase, field: AnalysedField) -> _Places:
    """Find words in sequence."""
    items: list[_Places] = []
    for item in term.items:
        match item:
            case Word():
                items.append(find_word(item, field))
            case Exact():
                items.append(find_exact(item, field))
            case Wildcard():
                items.append(find_wildcard(item, field))
            case _:
                assert_never(item)
        if not items[-1]:
            return []
    return sequence(items)


def find_entity(
    entity: Entity, fields: Iterable[AnalysedField], article: AnalysedArticle, now: datetime
) -> _Places:
    """Find the names of an entity; of names inside one another only the longest counts.

    Names that held on other days only than the article's do not count.
    """
    day = (article.article.published_at or now).date()
    places: _Places = []
    for field in fields:
        places += longest(
            place
            for name in entity.names
            if (name.words[0] in field.postings or name.words[0] in field.aliases)
            and name.is_valid(day)
            for place in _find_name(name, field, article)
        )
    return places


def _find_name(
    name: Name, field: AnalysedField, article: AnalysedArticle
) -> Iterator[tuple[int, int]]:
    places = _find_words(name.words, field)
    if not places or (name.needs and not _stands_somewhere(name.needs, article)):
        return
    unless = [place for phrase in name.unless for place in _find_words(phrase, field)]
    for first, last in places:
        beside = any(start <= last + 1 and end >= first - 1 for start, end in unless)
        if not beside and _has_case(name, field, first, last):
            yield first, last


def _find_words(words: tuple[str, ...], field: AnalysedField) -> _Places:
    return sequence([_folded(word, field) for word in words])


def _stands_somewhere(phrases: tuple[tuple[str, ...], ...], article: AnalysedArticle) -> bool:
    return any(_find_words(phrase, field) for phrase in phrases for field in article.text_fields)


def _has_case(name: Name, field: AnalysedField, first: int, last: int) -> bool:
    if name.case is Case.ANY:
        return True
    if name.case is Case.TITLE:
        return all(
            not word[:1].isupper() or any(each[:1].isupper() for each in _spellings(field, p))
            for word, p in zip(name.exact, range(first, last + 1), strict=False)
        )
    if len(name.exact) != last - first + 1:
        return False
    return all(
        word in _spellings(field, p)
        for word, p in zip(name.exact, range(first, last + 1), strict=True)
    )


def _spellings(field: AnalysedField, place: int) -> tuple[str, str]:
    """Return a word as written, and what stands behind its elided article: `l'ONU`, `ONU`."""
    written = field.exact_at(place)
    return written, written.partition("'")[2]


def _folded(word: str, field: AnalysedField) -> _Places:
    places = [(p, p) for p in field.postings.get(word, ())]
    aliases = field.aliases.get(word)
    return sorted(places + [(a.first, a.last) for a in aliases]) if aliases else places


def _matching(field: AnalysedField, accepts: Callable[[str], bool]) -> _Places:
    words = {*field.postings, *field.aliases}
    return sorted({place for word in words if accepts(word) for place in _folded(word, field)})


def _by_alphabet(word: str) -> str:
    if word.isascii():
        return "english"
    return next((name for low, high, name in _BY_ALPHABET if low <= word[0] <= high), "")
