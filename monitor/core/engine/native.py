"""Every query in use, in the compiled engine: it finds the queries, decides most of them and makes their matches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from monitor.core.compiled import Native
from monitor.core.engine.catalogue import Candidates, CompiledRule, Query, home_of, may_score
from monitor.core.engine.evaluation import Bindings
from monitor.core.engine.extras import Extras
from monitor.core.engine.features import Planner
from monitor.core.engine.interning import Interner
from monitor.core.engine.program import Programmer, described, is_whole
from monitor.core.model import Match, Span
from monitor.core.query.expression import Expression, RuleRef, children, with_parts
from monitor.core.text import AnalysedArticle


@dataclass(frozen=True, slots=True)
class _Left:
    """A query that only Python can decide to the end."""

    expression: Expression
    scores: bool


class NativeCatalogue:
    """See `Catalogue`. Keeps no trees but those of queries that are left to Python."""

    def __init__(self, native: Native, bindings: Bindings) -> None:
        """Use the compiled module."""
        self._bindings = bindings
        self._planner = Planner(bindings)
        self._programmer = Programmer(bindings.lists)
        self._interner = Interner()
        self._extras = Extras()
        self._engine = native.Engine(Span, Match, self._extras.ask, self._extras.forget)

    def __len__(self) -> int:
        return len(self._engine) + len(self._extras) + len(self._interner)

    def rebind(self, bindings: Bindings) -> None:
        """See `Catalogue`."""
        self._bindings = self._planner.bindings = bindings

    def add(self, *rules: CompiledRule) -> list[CompiledRule]:
        """See `Catalogue`."""
        return [self._add(compiled) for compiled in rules]

    def _add(self, compiled: CompiledRule) -> CompiledRule:
        expression = _followed(compiled.tree, self._bindings.rules)
        program = self._programmer.describe(expression)

        def plan() -> tuple[tuple[Any, ...], _Left | None]:
            homes = {home_of(clause) for clause in self._planner.clauses(expression)}
            left = None
            if not is_whole(program):
                left = _Left(self._interner.take(expression), may_score(expression))
            return tuple((described(h.first), described(h.second), h.exact) for h in homes), left

        self._engine.add(compiled.rule, compiled.version, program, plan)
        return CompiledRule(compiled.rule, None, compiled.version)

    def remove(self, compiled: CompiledRule) -> None:
        """See `Catalogue`."""
        left = self._engine.remove(compiled.rule)
        if left:
            self._interner.release(left.expression)

    def candidates(
        self, article: AnalysedArticle, now: datetime, check: Callable[[], None]
    ) -> Candidates:
        """See `Catalogue`."""
        fields = tuple(
            (field.name, field.text, field.scanned)
            for field in article.text_fields
            if field.scanned is not None
        )
        extras = tuple(self._extras.find(article, now))
        matches, undecided = self._engine.match(article.article.id, fields, extras, now, check)
        if not undecided:
            return Candidates((), matches)
        words = {word for f in article.text_fields for word in (*f.words, *f.aliases)}
        return Candidates(words, matches, others=[_query(*each) for each in undecided])


def _query(left: Any, asking: list[tuple[Any, str]]) -> Query:
    expression, scores = cast("_Left", left).expression, left.scores
    rules = {rule.id: CompiledRule(rule, expression, version) for rule, version in asking}
    return Query(expression, frozenset(), scores, rules)


def _followed(node: Expression, rules: Mapping[str, Expression]) -> Expression:
    """Return a query in which every reference to a rule is that rule's query."""
    if isinstance(node, RuleRef):
        return _followed(rules[node.id], rules)
    parts = children(node)
    followed = tuple(_followed(part, rules) for part in parts)
    changed = any(one is not other for one, other in zip(parts, followed, strict=True))
    return with_parts(node, followed) if changed else node
