"""Which features an article has, of those that some query asks for."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import cast

from monitor.core.engine.features import ALWAYS, Basic, Feature, Group, Matching, Scoped
from monitor.core.query.patterns import Pattern, compile_regex, compile_wildcard
from monitor.core.text import AnalysedArticle, AnalysedField

_EDGE = 3
_REMEMBERED_WORDS = 1 << 16


class Presence:
    """The features that queries ask for, and what tells that an article has them. Counts who asks."""

    def __init__(self) -> None:
        self._asked: Counter[Feature] = Counter()
        self._groups: dict[Basic, dict[Group, None]] = {}
        self._scopes: Counter[str] = Counter()
        self._patterns = _Patterns()

    def __len__(self) -> int:
        return len(self._asked) + len(self._groups) + len(+self._scopes) + len(self._patterns)

    def ask(self, feature: Feature) -> None:
        """Look for a feature from now on."""
        self._asked[feature] += 1
        if self._asked[feature] > 1:
            return
        match feature:
            case Group():
                for member in feature.members:
                    self.ask(member)
                    self._groups.setdefault(member, {})[feature] = None
            case Scoped():
                self._scopes[feature.scope] += 1
            case Matching():
                self._patterns.add(feature)
            case str() if _is_wild(feature):
                self._patterns.add(feature)
            case _:
                pass

    def forget(self, feature: Feature) -> None:
        """Look for a feature no longer, if nobody else asks."""
        self._asked[feature] -= 1
        if self._asked[feature]:
            return
        del self._asked[feature]
        match feature:
            case Group():
                for member in feature.members:
                    self._forget_group(member, feature)
                    self.forget(member)
            case Scoped():
                self._scopes[feature.scope] -= 1
            case Matching():
                self._patterns.remove(feature)
            case str() if _is_wild(feature):
                self._patterns.remove(feature)
            case _:
                pass

    def _forget_group(self, member: Basic, group: Group) -> None:
        groups = self._groups[member]
        del groups[group]
        if not groups:
            del self._groups[member]

    def features(self, article: AnalysedArticle) -> set[Feature]:
        """Return every feature of the article, more than are asked for included."""
        words = {ALWAYS}
        for field in article.text_fields:
            words.update(field.words, field.aliases)
        found: set[Feature] = {*words}
        if self._patterns:
            words.update(*(_compounds(field) for field in article.text_fields if field.aliases))
            found.update(*map(self._patterns.matching.__getitem__, words))
        for field in article.text_fields:
            found.update(pairwise(field.words))
            if field.aliases:
                found.update(_pairs_of_aliases(field))
        for scope in +self._scopes:
            for field in article.fields(scope):
                found.update(Scoped(scope, word) for word in {*field.words, *field.aliases})
        members = cast("set[Basic]", found & self._groups.keys())
        found.update(*map(self._groups.__getitem__, members))
        return found


def _is_wild(word: str) -> bool:
    return "*" in word or "?" in word


def _compounds(field: AnalysedField) -> Iterator[str]:
    """Yield the words with hyphens, as regular expressions see them."""
    for places in field.aliases.values():
        for first, last, _ in places:
            if first < last:
                yield "-".join(field.words[first - field.base : last - field.base + 1])


def _pairs_of_aliases(field: AnalysedField) -> Iterator[tuple[str, str]]:
    """Yield what stands side by side where at least one of the two is another spelling."""
    starting: dict[int, list[str]] = {}
    for spelling, places in field.aliases.items():
        for place in places:
            starting.setdefault(place.first, []).append(spelling)
    for spelling, places in field.aliases.items():
        for first, last, _ in places:
            before, after = first - 1 - field.base, last + 1 - field.base
            if before >= 0:
                yield field.words[before], spelling
            if after < len(field.words):
                yield spelling, field.words[after]
            for following in starting.get(last + 1, ()):
                yield spelling, following


class _Memory(dict[str, tuple[str | Matching, ...]]):
    """What was found for each word; sought when it is first asked for."""

    def __init__(self, find: Callable[[str], Iterator[str | Matching]]) -> None:
        """Seek with `find`."""
        super().__init__()
        self._find = find

    def __missing__(self, word: str) -> tuple[str | Matching, ...]:
        if len(self) >= _REMEMBERED_WORDS:
            self.clear()
        found = self[word] = tuple(self._find(word))
        return found


class _Patterns:
    """Wildcards and regular expressions. `matching` remembers which a word matches: most words come again."""

    def __init__(self) -> None:
        self._by_edge: dict[tuple[str, str], dict[str | Matching, Pattern]] = {}
        self.matching = _Memory(self._find)

    def __len__(self) -> int:
        return len(self._by_edge)

    def add(self, feature: str | Matching) -> None:
        """Tell of a pattern from now on."""
        self._by_edge.setdefault(_edge(feature), {})[feature] = _compiled(feature)
        self.matching.clear()

    def remove(self, feature: str | Matching) -> None:
        """Tell of it no longer."""
        edge = _edge(feature)
        del self._by_edge[edge][feature]
        if not self._by_edge[edge]:
            del self._by_edge[edge]
        self.matching.clear()

    def _find(self, word: str) -> Iterator[str | Matching]:
        """Ask only patterns that begin or end like the word, and those that do neither."""
        compound = "-" in word
        edges = (("^", word[:_EDGE]), ("$", word[-_EDGE:]), ("", ""))
        for edge in edges:
            for feature, pattern in self._by_edge.get(edge, {}).items():
                if isinstance(feature, str) and compound:
                    continue
                if pattern.fullmatch(word):
                    yield feature


def _compiled(feature: str | Matching) -> Pattern:
    if isinstance(feature, Matching):
        return compile_regex(feature.pattern)
    return compile_wildcard(feature)


def _edge(feature: str | Matching) -> tuple[str, str]:
    """Return three letters with which every word of the pattern begins or ends, if there are any."""
    if isinstance(feature, Matching):
        return ("", "")
    begin, end = feature[:_EDGE], feature[-_EDGE:]
    if not _is_wild(begin):
        return ("^", begin)
    if not _is_wild(end):
        return ("$", end)
    return ("", "")
