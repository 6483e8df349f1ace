"""Every query in use, and which of them an article calls for; here in Python, in `native` with the compiled engine."""

from collections.abc import Callable, Collection, Container, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from monitor.core.engine.evaluation import Bindings
from monitor.core.engine.features import ALWAYS, Clause, Feature, Planner, share
from monitor.core.engine.index import PairIndex
from monitor.core.engine.interning import Interner
from monitor.core.engine.presence import Presence
from monitor.core.model import Match, Rule
from monitor.core.query import parse
from monitor.core.query.expression import Expression, RuleRef, Score, walk
from monitor.core.text import AnalysedArticle


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule, its query as a tree, and the version to put on its matches.

    The tree may be left out once it has been put in: it can be parsed again, and takes most of the memory of a rule.
    """

    rule: Rule
    expression: Expression | None
    version: str

    @property
    def tree(self) -> Expression:
        """The query as a tree, parsed again if need be."""
        return parse(self.rule.query) if self.expression is None else self.expression


_PAIR = 2


@dataclass(frozen=True, slots=True)
class Home:
    """Where a query stands in the index, and whether it holds of every article that leads there."""

    first: Feature
    second: Feature
    exact: bool


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A query and the rules that ask it. Never changes: where other rules ask it, another takes its place."""

    expression: Expression
    homes: frozenset[Home]
    scores: bool
    rules: Mapping[str, CompiledRule]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The words of an article, matches that are settled, the queries that hold of it, and those that may."""

    words: Container[object]
    matches: Sequence[Match] = ()
    sure: Collection[Query] = ()
    others: Collection[Query] = ()


class Catalogue(Protocol):
    """Every query in use. Queries that are equal are one, whoever asks them. Changed and asked by one at a time."""

    def __len__(self) -> int:
        """Return how much is remembered."""
        ...

    def rebind(self, bindings: Bindings) -> None:
        """Read references from now on as they are bound here."""
        ...

    def add(self, *rules: CompiledRule) -> list[CompiledRule]:
        """Let rules ask their queries. Return them as they are to be kept, and given to `remove`."""
        ...

    def remove(self, compiled: CompiledRule) -> None:
        """Let a rule no longer ask its query; a query that nobody asks is forgotten."""
        ...

    def candidates(
        self, article: AnalysedArticle, now: datetime, check: Callable[[], None]
    ) -> Candidates:
        """Return the queries that an article calls for. Call `check` now and then: it may raise, to give up."""
        ...


class PythonCatalogue:
    """Queries by what an article must have for them, in Python alone."""

    def __init__(self, bindings: Bindings) -> None:
        self._interner = Interner()
        self._planner = Planner(bindings)
        self._presence = Presence()
        self._queries: dict[int, Query] = {}  # by the identity of the interned expression
        self._sure: PairIndex[Feature, Query] = PairIndex()
        self._others: PairIndex[Feature, Query] = PairIndex()

    def __len__(self) -> int:
        parts: tuple[Sized, ...] = (self._interner, self._presence, self._sure, self._others)
        return len(self._queries) + sum(len(part) for part in parts)

    def rebind(self, bindings: Bindings) -> None:
        """See `Catalogue`."""
        self._planner.bindings = bindings

    def candidates(
        self,
        article: AnalysedArticle,
        now: datetime,
        check: Callable[[], None],  # noqa: ARG002 - a look-up takes no time worth checking
    ) -> Candidates:
        """See `Catalogue`."""
        features = self._presence.features(article, now)
        sure = self._sure.find(features)
        return Candidates(features, sure=sure, others=self._others.find(features) - sure)

    def add(self, *rules: CompiledRule) -> list[CompiledRule]:
        """See `Catalogue`."""
        kept = [replace(each, expression=self._interner.take(each.tree)) for each in rules]
        asking: dict[int, dict[str, CompiledRule]] = {}
        for compiled in kept:
            asking.setdefault(id(compiled.expression), {})[compiled.rule.id] = compiled
        for key, more in asking.items():
            known = self._queries.get(key)
            if known:
                self._put(replace(known, rules={**known.rules, **more}), instead_of=known)
            else:
                self._put(self._planned(next(iter(more.values())).tree, more))
        return kept

    def remove(self, compiled: CompiledRule) -> None:
        """See `Catalogue`."""
        known = self._queries[id(compiled.expression)]
        rules = {id_: rule for id_, rule in known.rules.items() if id_ != compiled.rule.id}
        if rules:
            self._put(replace(known, rules=rules), instead_of=known)
        else:
            self._drop(known)
        self._interner.release(compiled.tree)

    def _put(self, query: Query, instead_of: Query | None = None) -> None:
        for home in query.homes:
            self._index(home).add(home.first, home.second, query)
            self._presence.ask(home.first)
            self._presence.ask(home.second)
        if instead_of:
            self._drop(instead_of)
        self._queries[id(query.expression)] = query

    def _drop(self, query: Query) -> None:
        del self._queries[id(query.expression)]
        for home in query.homes:
            self._index(home).remove(home.first, home.second, query)
            self._presence.forget(home.first)
            self._presence.forget(home.second)

    def _index(self, home: Home) -> PairIndex[Feature, Query]:
        return self._sure if home.exact else self._others

    def _planned(self, expression: Expression, rules: Mapping[str, CompiledRule]) -> Query:
        homes = frozenset(map(home_of, self._planner.clauses(expression)))
        return Query(expression, homes, may_score(expression), rules)


def may_score(expression: Expression) -> bool:
    """Tell whether a match of a query may have a score."""
    return any(isinstance(node, Score | RuleRef) for node in walk(expression))


def home_of(clause: Clause) -> Home:
    """Choose the two rarest features."""
    first, second, *_ = (*sorted(clause.features, key=share), ALWAYS, ALWAYS)
    return Home(first, second, clause.exact and len(clause.features) <= _PAIR)
