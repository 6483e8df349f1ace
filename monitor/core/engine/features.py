"""What an article must have for a query to stand a chance: the query as alternatives, each a few features.

A feature is something that can be looked up: a word, two words side by side, a pattern, one of many alternatives.
An alternative (a clause) names features that are all there whenever it holds. It is exact if the converse is true as
well: then nothing is left to verify.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TypeAlias
from weakref import WeakValueDictionary

from monitor.core.engine.evaluation import Bindings
from monitor.core.entities import Entity
from monitor.core.query.expression import (
    And,
    AtLeast,
    AtLeastOf,
    Attribute,
    Condition,
    EntityRef,
    Exact,
    Except,
    Expression,
    First,
    Has,
    InField,
    Lead,
    ListRef,
    Near,
    NotNear,
    Or,
    Phrase,
    Regex,
    RuleRef,
    Score,
    Stem,
    Wildcard,
    Within,
    Word,
)
from monitor.core.text import DEFAULT_FIELDS, split

ALWAYS = ""  # the feature that every article has


class Group:
    """A feature that is there when any of its members is: the names of an entity, a long list of alternatives."""

    __slots__ = ("__weakref__", "members")

    def __init__(self, members: frozenset["Basic"]) -> None:
        """Never changes."""
        self.members = members


@dataclass(frozen=True, slots=True)
class Scoped:
    """A word in a field that is only looked into on request: author, tag or url."""

    scope: str
    word: str


@dataclass(frozen=True, slots=True)
class Matching:
    """A word, or a compound with its hyphens, that a regular expression matches."""

    pattern: str


# A folded word; two of them side by side; a wildcard, which is a text with `*` or `?`; the classes above; and what an
# article as a whole has: an attribute, a word of a stem.
Basic: TypeAlias = str | tuple[str, str] | Scoped | Matching | Condition | Stem
Feature: TypeAlias = Basic | Group


@dataclass(frozen=True, slots=True)
class Clause:
    """Features that must all be there, and whether that is all that is asked."""

    features: frozenset[Feature] = frozenset()
    exact: bool = False


_ANYTHING = [Clause()]
_MOST_CLAUSES = 16
_FEW_ALTERNATIVES = 4

# fmt: off
_COMMON = frozenset({
    "the", "of", "and", "to", "in", "a", "is", "that", "it", "was", "for", "on", "are", "as", "with", "his",
    "they", "be", "at", "this", "have", "from", "or", "had", "by", "but", "not", "what", "all", "were", "we",
    "when", "your", "can", "said", "there", "use", "an", "each", "which", "she", "do", "how", "their", "if",
    "will", "up", "about", "out", "many", "then", "them", "these", "so", "some", "her", "would", "him", "has",
    "more", "two", "no", "way", "could", "my", "than", "first", "been", "who", "its", "now", "people", "made",
    "over", "did", "down", "only", "may", "after", "new", "year", "years", "also", "one", "last", "time", "says",
    "say", "government", "president", "minister",
})
# fmt: on
_SHARE_BY_LENGTH = (
    1.0,
    0.5,
    0.3,
    0.2,
    0.1,
    0.06,
    0.04,
    0.03,
)  # of articles; longer words are rarer
_SHARE_OF_LONG = 0.02
_SHARE_OF_STEM = 0.05
_SHARE_OF_ATTRIBUTE = {Attribute.LANG: 0.5, Attribute.COUNTRY: 0.2, Attribute.CATEGORY: 0.2}
_SHARE_OF_SOURCE = 0.01  # one feed or site
_SIDE_BY_SIDE = 0.05  # of the articles that have the rarer of two words


def is_wild(word: str) -> bool:
    """Tell a wildcard from a word."""
    return "*" in word or "?" in word


def share(feature: Feature) -> float:  # noqa: PLR0911 - a branch for each kind
    """Guess in what part of all articles a feature is."""
    match feature:
        case str():
            return _share_of_word(feature)
        case (one, two):
            return _SIDE_BY_SIDE * min(_share_of_word(one), _share_of_word(two))
        case Scoped():
            return _share_of_word(feature.word) / 4
        case Group():
            return min(1.0, sum(share(member) for member in feature.members))
        case Has():
            return _SHARE_OF_ATTRIBUTE.get(feature.attribute, _SHARE_OF_SOURCE)
        case Stem():
            return _SHARE_OF_STEM
        case _:
            return 0.5


def _share_of_word(word: str) -> float:
    if word in _COMMON:
        return 0.6
    length = len(word)
    return _SHARE_BY_LENGTH[length] if length < len(_SHARE_BY_LENGTH) else _SHARE_OF_LONG


class Planner:
    """Turns queries into clauses. Alternatives that several queries share become one and the same group."""

    def __init__(self, bindings: Bindings) -> None:
        self.bindings = bindings
        self._groups: WeakValueDictionary[frozenset[Basic], Group] = WeakValueDictionary()

    def clauses(self, node: Expression, scope: str | None = None) -> list[Clause]:  # noqa: PLR0911, PLR0912 - a branch for each operator
        """Return alternatives of which one must hold for the node to hold; one without features if there are none."""
        match node:
            case Word() | Exact() | Wildcard() | Regex():
                return _of_term(node, scope)
            case Phrase():
                return self._phrase(node, scope)
            case EntityRef():
                return self._entity(self.bindings.gazetteer.get(node.id), scope)
            case ListRef():
                return self.clauses(self.bindings.lists[node.id], scope)
            case RuleRef():
                return self.clauses(self.bindings.rules[node.id], scope)
            case And():
                return self._all_of([self.clauses(part, scope) for part in node.parts])
            case Near():
                sides = [self.clauses(side, scope) for side in (node.left, node.right)]
                return _inexact(self._all_of(sides))
            case Or():
                return self._any_of(self.clauses(part, scope) for part in node.parts)
            case NotNear() | Except():
                return _inexact(self.clauses(node.wanted, scope))
            case InField():
                inner = None if node.scope in DEFAULT_FIELDS else node.scope.value
                return _inexact(self.clauses(node.part, inner))
            case Within() | First() | Lead() | AtLeast():
                return _inexact(self.clauses(node.part, scope))
            case AtLeastOf():
                # As many may be missing as are left out here: one of the others must hold.
                found = sorted((self.clauses(part, scope) for part in node.parts), key=_cost)
                return _inexact(self._any_of(found[: len(found) - node.count + 1]))
            case Score():
                return self._score(node, scope)
            case Has():
                return [Clause(frozenset({node}), exact=True)]
            case Stem() if not scope:
                return [Clause(frozenset({node}), exact=True)]
            case _:
                return _ANYTHING

    def _phrase(self, node: Phrase, scope: str | None) -> list[Clause]:
        found = [_of_term(item, scope)[0] for item in node.items]
        features = frozenset[Feature]().union(*(clause.features for clause in found))
        words = [item.text if isinstance(item, Word) else "" for item in node.items]
        pairs = [(one, two) for one, two in pairwise(words) if one and two]
        if scope or not pairs:
            return [Clause(features)]
        covered = {word for pair in pairs for word in pair}
        exact = len(words) == 2  # noqa: PLR2004 - one pair
        return [Clause((features - covered) | frozenset(pairs), exact)]

    def _entity(self, entity: Entity | None, scope: str | None) -> list[Clause]:
        if not entity or not entity.names:
            return _ANYTHING
        found: set[Basic] = set()
        for name in entity.names:
            pairs: list[Basic] = [] if scope else list(pairwise(name.words))
            words = [Scoped(scope, word) if scope else word for word in name.words]
            found.add(min(pairs or words, key=share))
        return [Clause(frozenset({self._group(frozenset(found))}))]

    def _score(self, node: Score, scope: str | None) -> list[Clause]:
        """Take the parts without which the threshold is out of reach, heaviest first."""
        helpful = [weighted for weighted in node.parts if weighted.weight > 0]
        rest = sum(weighted.weight for weighted in helpful)
        needed: list[list[Clause]] = []
        for weighted in sorted(helpful, key=lambda weighted: -weighted.weight):
            if rest < node.threshold:
                break
            needed.append(self.clauses(weighted.part, scope))
            rest -= weighted.weight
        reached = rest < node.threshold and needed
        return _inexact(self._any_of(needed)) if reached else _ANYTHING

    def _all_of(self, parts: list[list[Clause]]) -> list[Clause]:
        """Multiply out; where that becomes too much, the dearest parts are left to be verified."""
        together = [Clause(exact=True)]
        for part in sorted(parts, key=_cost):
            if len(together) * len(part) > _MOST_CLAUSES:
                together = _inexact(together)
                continue
            together = [
                Clause(one.features | two.features, one.exact and two.exact)
                for one, two in product(together, part)
            ]
        return together

    def _any_of(self, parts: Iterable[list[Clause]]) -> list[Clause]:
        found = list(dict.fromkeys(clause for part in parts for clause in part))
        if not all(clause.features for clause in found):
            return _ANYTHING
        if len(found) <= _FEW_ALTERNATIVES:
            return found
        members: set[Basic] = set()
        for clause in found:
            rarest = min(clause.features, key=share)
            members |= rarest.members if isinstance(rarest, Group) else {rarest}
        exact = all(clause.exact and len(clause.features) == 1 for clause in found)
        return [Clause(frozenset({self._group(frozenset(members))}), exact)]

    def _group(self, members: frozenset[Basic]) -> Group:
        group = self._groups.get(members)
        if group is None:
            group = self._groups[members] = Group(members)
        return group


def _of_term(term: Word | Exact | Wildcard | Regex, scope: str | None) -> list[Clause]:
    match term:
        case Word(text=text):
            feature: Basic = Scoped(scope, text) if scope else text
            return [Clause(frozenset({feature}), exact=not scope)]
        case Exact(text=text):
            folded = split(text)[0].folded
            return [Clause(frozenset({Scoped(scope, folded) if scope else folded}))]
        case Wildcard(pattern=pattern) if not scope:
            return [Clause(frozenset({pattern}), exact=True)]
        case Regex(pattern=pattern) if not scope:
            return [Clause(frozenset({Matching(pattern)}))]
        case _:
            return _ANYTHING


def _inexact(clauses: list[Clause]) -> list[Clause]:
    return [Clause(clause.features) for clause in clauses]


def _cost(clauses: list[Clause]) -> float:
    """Guess in what part of all articles some clause has its features."""
    return sum(min(map(share, clause.features), default=1.0) for clause in clauses)
