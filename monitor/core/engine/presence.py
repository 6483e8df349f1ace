"""Which features an article has, of those that some query asks for."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import cast

from monitor.core.engine.extras import Extras, Memory
from monitor.core.engine.features import ALWAYS, Basic, Feature, Group, is_wild
from monitor.core.query.patterns import Pattern, compile_wildcard
from monitor.core.text import AnalysedArticle, AnalysedField

_EDGE = 3


class Presence:
    """The features that queries ask for, and what tells that an article has them. Counts who asks."""

    def __init__(self) -> None:
        self._asked: Counter[Feature] = Counter()
        self._groups: dict[Basic, dict[Group, None]] = {}
        self._extras = Extras()
        self._patterns = _Patterns()

    def __len__(self) -> int:
        return len(self._asked) + len(self._groups) + len(self._extras) + len(self._patterns)

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
            case str():
                if is_wild(feature):
                    self._patterns.add(feature)
            case tuple():
                pass
            case _:
                self._extras.ask(feature)

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
            case str():
                if is_wild(feature):
                    self._patterns.remove(feature)
            case tuple():
                pass
            case _:
                self._extras.forget(feature)

    def _forget_group(self, member: Basic, group: Group) -> None:
        groups = self._groups[member]
        del groups[group]
        if not groups:
            del self._groups[member]

    def features(self, article: AnalysedArticle, now: datetime) -> set[Feature]:
        """Return every feature of the article, more than are asked for included."""
        words = {ALWAYS}
        for field in article.text_fields:
            words.update(field.words, field.aliases)
        found: set[Feature] = {*words, *self._extras.find(article, now)}
        if self._patterns:
            found.update(*map(self._patterns.matching.__getitem__, words))
        for field in article.text_fields:
            found.update(pairwise(field.words))
            if field.aliases:
                found.update(_pairs_of_aliases(field))
        members = cast("set[Basic]", found & self._groups.keys())
        found.update(*map(self._groups.__getitem__, members))
        return found


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


class _Patterns:
    """Wildcards. `matching` remembers which of them each word is of: most words come again."""

    def __init__(self) -> None:
        self._by_edge: dict[tuple[str, str], dict[str, Pattern]] = {}
        self.matching = Memory(self._find)

    def __len__(self) -> int:
        return len(self._by_edge)

    def add(self, wildcard: str) -> None:
        """Tell of a wildcard from now on."""
        self._by_edge.setdefault(_edge(wildcard), {})[wildcard] = compile_wildcard(wildcard)
        self.matching.clear()

    def remove(self, wildcard: str) -> None:
        """Tell of it no longer."""
        edge = _edge(wildcard)
        del self._by_edge[edge][wildcard]
        if not self._by_edge[edge]:
            del self._by_edge[edge]
        self.matching.clear()

    def _find(self, word: str) -> Iterator[str]:
        """Ask only wildcards that begin or end like the word, and those that do neither."""
        for edge in (("^", word[:_EDGE]), ("$", word[-_EDGE:]), ("", "")):
            for wildcard, pattern in self._by_edge.get(edge, {}).items():
                if pattern.fullmatch(word):
                    yield wildcard


def _edge(wildcard: str) -> tuple[str, str]:
    """Return three letters with which every word of the pattern begins or ends, if there are any."""
    begin, end = wildcard[:_EDGE], wildcard[-_EDGE:]
    if not is_wild(begin):
        return ("^", begin)
    if not is_wild(end):
        return ("$", end)
    return ("", "")
