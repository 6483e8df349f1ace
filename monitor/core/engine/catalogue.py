"""Every query in use, and which of them an article calls for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass, replace

from monitor.core.engine.evaluation import Bindings
from monitor.core.engine.features import ALWAYS, Clause, Feature, Planner, share
from monitor.core.engine.index import PairIndex
from monitor.core.engine.interning import Interner
from monitor.core.engine.presence import Presence
from monitor.core.model import Rule
from monitor.core.query.expression import Expression, RuleRef, Score, walk
from monitor.core.text import AnalysedArticle


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule, its query as a tree, and the version to put on its matches."""

    rule: Rule
    expression: Expression
    version: str


_PAIR = 2


@dataclass(frozen=True, slots=True)
class _Home:
    """Where a query stands in the index, and whether it holds of every article that leads there."""

    first: Feature
    second: Feature
    exact: bool


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A query and the rules that ask it. Never changes: where other rules ask it, another takes its place."""

    expression: Expression
    homes: frozenset[_Home]
    scores: bool
    rules: Mapping[str, CompiledRule]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The features of an article, the queries that hold of it, and those that may."""

    features: set[Feature]
    sure: set[Query]
    others: set[Query]


class Catalogue:
    """Queries by what an article must have for them. Queries that are equal are one, whoever asks them."""

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
        """Read references from now on as they are bound here."""
        self._planner.bindings = bindings

    def candidates(self, article: AnalysedArticle) -> Candidates:
        """Return the queries that an article calls for."""
        features = self._presence.features(article)
        sure = self._sure.find(features)
        return Candidates(features, sure, self._others.find(features) - sure)

    def intern(self, compiled: CompiledRule) -> CompiledRule:
        """Share the rule's query with the rules that have the same. To be undone by `remove`."""
        return replace(compiled, expression=self._interner.take(compiled.expression))

    def add(self, *rules: CompiledRule) -> None:
        """Let interned rules ask their queries."""
        asking: dict[int, dict[str, CompiledRule]] = {}
        for compiled in rules:
            asking.setdefault(id(compiled.expression), {})[compiled.rule.id] = compiled
        for key, more in asking.items():
            known = self._queries.get(key)
            if known:
                self._put(replace(known, rules={**known.rules, **more}), instead_of=known)
            else:
                self._put(self._planned(next(iter(more.values())).expression, more))

    def remove(self, compiled: CompiledRule) -> None:
        """Let an interned rule no longer ask its query; a query that nobody asks is forgotten."""
        known = self._queries[id(compiled.expression)]
        rules = {id_: rule for id_, rule in known.rules.items() if id_ != compiled.rule.id}
        if rules:
            self._put(replace(known, rules=rules), instead_of=known)
        else:
            self._drop(known)
        self._interner.release(compiled.expression)

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

    def _index(self, home: _Home) -> PairIndex[Feature, Query]:
        return self._sure if home.exact else self._others

    def _planned(self, expression: Expression, rules: Mapping[str, CompiledRule]) -> Query:
        homes = frozenset(map(_home, self._planner.clauses(expression)))
        scores = any(isinstance(node, Score | RuleRef) for node in walk(expression))
        return Query(expression, homes, scores, rules)


def _home(clause: Clause) -> _Home:
    """Choose the two rarest features."""
    first, second, *_ = (*sorted(clause.features, key=share), ALWAYS, ALWAYS)
    return _Home(first, second, clause.exact and len(clause.features) <= _PAIR)


class References:
    """Which rules refer to which. Contains the rules that were ever referred to, until they are dropped."""

    def __init__(self) -> None:
        self._to: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, rule_id: str, expression: Expression) -> None:
        """Remember what a rule refers to."""
        for target in _targets(expression):
            self._to[target].add(rule_id)

    def remove(self, rule_id: str, expression: Expression) -> None:
        """Forget it."""
        for target in _targets(expression):
            self._to[target].discard(rule_id)

    def drop(self, rule_id: str) -> None:
        """Forget a rule that none refers to any longer."""
        self._to.pop(rule_id, None)

    def __contains__(self, rule_id: object) -> bool:
        return rule_id in self._to

    def __len__(self) -> int:
        return len(self._to)

    def to(self, rule_id: str) -> frozenset[str]:
        """Return the rules that refer to a rule."""
        return frozenset(self._to.get(rule_id, ())) - {rule_id}

    def that_depend_on(self, rule_id: str) -> frozenset[str]:
        """Return the rules that refer to a rule, over others or not."""
        found: set[str] = set()
        waiting = [rule_id]
        while waiting:
            new = self.to(waiting.pop()) - found
            found |= new
            waiting.extend(new)
        return frozenset(found - {rule_id})

    def needed_by(
        self, expressions: Iterable[Expression], bindings: Bindings
    ) -> dict[str, Expression]:
        """Return every rule that the expressions refer to, over others or not, as far as there are such rules."""
        found: dict[str, Expression] = {}
        waiting = list(expressions)
        while waiting:
            for target in _targets(waiting.pop()) - found.keys():
                if target in bindings.rules:
                    found[target] = bindings.rules[target]
                    waiting.append(found[target])
        return found


def _targets(expression: Expression) -> set[str]:
    return {node.id for node in walk(expression) if isinstance(node, RuleRef)}
