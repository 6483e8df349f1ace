"""Features other than words, pairs and wildcards: conditions, stems, regular expressions, words of author, tag, url."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar

from monitor.core.engine.conditions import attributes, is_met
from monitor.core.engine.features import Matching, Scoped
from monitor.core.engine.terms import base_language, stemmers_of
from monitor.core.query.expression import Compare, Condition, Has, Stem
from monitor.core.query.patterns import compile_regex
from monitor.core.text import AnalysedArticle, AnalysedField

Extra: TypeAlias = Scoped | Matching | Condition | Stem

_REMEMBERED_WORDS = 1 << 16
_MOST_LANGUAGES = 64

F = TypeVar("F")


class Extras:
    """The features of this kind that queries ask for, and what tells that an article has them. Counts who asks."""

    def __init__(self) -> None:
        self._asked: Counter[Extra] = Counter()
        self._scopes: Counter[str] = Counter()
        self._kinds: Counter[type[Extra]] = Counter()
        self._regexes = Memory(self._matching)
        self._stems: dict[str, _Stems] = {}

    def __len__(self) -> int:
        return len(self._asked) + len(+self._scopes) + len(+self._kinds)

    def ask(self, extra: Extra) -> None:
        """Look for a feature from now on."""
        self._asked[extra] += 1
        if self._asked[extra] == 1:
            self._count(extra, 1)

    def forget(self, extra: Extra) -> None:
        """Look for a feature no longer, if nobody else asks."""
        self._asked[extra] -= 1
        if not self._asked[extra]:
            del self._asked[extra]
            self._count(extra, -1)

    def _count(self, extra: Extra, change: int) -> None:
        self._kinds[type(extra)] += change
        match extra:
            case Scoped():
                self._scopes[extra.scope] += change
            case Matching():
                self._regexes.clear()
            case Stem():
                self._stems.clear()
            case _:
                pass

    def find(self, article: AnalysedArticle, now: datetime) -> set[Extra]:
        """Return the features of an article that are asked for."""
        found: set[Extra] = set()
        if not self._asked:
            return found
        if self._kinds[Has]:
            found.update(self._asked.keys() & set(attributes(article.article)))
        if self._kinds[Compare]:
            found.update(
                e for e in self._asked if isinstance(e, Compare) and is_met(e, article, now)
            )
        for scope in +self._scopes:
            for field in article.fields(scope):
                words = {*field.words, *field.aliases}
                found.update(self._asked.keys() & {Scoped(scope, word) for word in words})
        if self._kinds[Matching] or self._kinds[Stem]:
            words = {
                word for field in article.text_fields for word in (*field.words, *field.aliases)
            }
            found.update(self._stemmed(words, article.article.lang))
            if self._kinds[Matching]:
                words.update(*map(compounds, article.text_fields))
                found.update(*map(self._regexes.__getitem__, words))
        return found

    def _matching(self, word: str) -> Iterator[Matching]:
        for extra in self._asked:
            if isinstance(extra, Matching) and compile_regex(extra.pattern).fullmatch(word):
                yield extra

    def _stemmed(self, words: set[str], lang: str | None) -> Iterator[Stem]:
        """Yield the stems that are asked for, in the language of the article."""
        if not self._kinds[Stem]:
            return
        language = base_language(lang)
        stems = self._stems.get(language)
        if stems is None:
            if len(self._stems) >= _MOST_LANGUAGES:
                self._stems.clear()
            asked = [extra for extra in self._asked if isinstance(extra, Stem)]
            stems = self._stems[language] = _Stems(asked, lang)
        for word in words:
            yield from stems.of(word)


class Memory(dict[str, tuple[F, ...]], Generic[F]):
    """What was found for each word; sought when it is first asked for."""

    def __init__(self, find: Callable[[str], Iterator[F]]) -> None:
        """Seek with `find`."""
        super().__init__()
        self._find = find

    def __missing__(self, word: str) -> tuple[F, ...]:
        if len(self) >= _REMEMBERED_WORDS:
            self.clear()
        found = self[word] = tuple(self._find(word))
        return found


class _Stems:
    """The stems asked for, as they are in one language."""

    def __init__(self, asked: list[Stem], lang: str | None) -> None:
        """Take the stemmer of the language, and the one that each word's alphabet suggests."""
        self._by_stemmer: dict[str, dict[str, list[Stem]]] = {}
        self._stemmers: dict[str, Callable[[str], str]] = {}
        for term in asked:
            for name, stem in stemmers_of(term.word, lang).items():
                self._stemmers[name] = stem
                wanted = self._by_stemmer.setdefault(name, {})
                wanted.setdefault(stem(term.word), []).append(term)
        self._memory = Memory(self._find)

    def of(self, word: str) -> tuple[Stem, ...]:
        """Return the terms that a word has the stem of."""
        return self._memory[word]

    def _find(self, word: str) -> Iterator[Stem]:
        for name, wanted in self._by_stemmer.items():
            yield from wanted.get(self._stemmers[name](word), ())


def compounds(field: AnalysedField) -> Iterator[str]:
    """Yield the words with hyphens, as regular expressions see them."""
    for places in field.aliases.values():
        for first, last, _ in places:
            if first < last:
                yield "-".join(field.words[first - field.base : last - field.base + 1])
