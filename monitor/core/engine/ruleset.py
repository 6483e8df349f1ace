"""Every rule at once."""

from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from threading import Lock
from typing import Any

from monitor.core.compiled import NATIVE, Native
from monitor.core.engine.catalogue import (
    Candidates,
    Catalogue,
    CompiledRule,
    PythonCatalogue,
    Query,
)
from monitor.core.engine.evaluation import Bindings, Evaluation, View, go_on
from monitor.core.engine.explain import Explanation, explain_node
from monitor.core.engine.linking import References, reached
from monitor.core.engine.making import new_match
from monitor.core.engine.native import NativeCatalogue
from monitor.core.engine.reading import Reading
from monitor.core.model import Article, Match, Rule
from monitor.core.query import parse, resolve
from monitor.core.query.expression import Expression, Not, Score
from monitor.core.query.version import expression_version
from monitor.core.text import SCANNER, analyse
from monitor.errors import MatchBudgetError, QueryError


@dataclass(frozen=True, slots=True)
class Budget:
    """The time that one article may take, by a clock that counts seconds: best that of the thread's CPU time."""

    time: timedelta
    clock: Callable[[], float]

    def checker(self, article_id: str) -> Callable[[], None]:
        """Start to count. Return what raises `MatchBudgetError` once the time is up."""
        clock, allowed = self.clock, self.time.total_seconds()
        until = clock() + allowed

        def check() -> None:
            if clock() > until:
                raise MatchBudgetError(article_id, allowed)

        return check


class RuleSet:
    """Rules that can be asked of any article, and changed while they are.

    Any number of threads may match while another changes rules. A lock is held while one rule is put in or taken out,
    and while candidates are looked up; the compiled engine decides them in the same breath, about a millisecond for an
    article. An article sees each rule as it was or as it is.
    """

    def __init__(
        self,
        rules: Iterable[CompiledRule],
        bindings: Bindings,
        budget: Budget | None = None,
        native: Native | None = NATIVE,
    ) -> None:
        """Spend at most `budget` on an article, or as long as it takes. Match in Python alone without `native`."""
        self._budget = budget
        self._bindings = bindings  # of the rules, those that others refer to
        self._lock = Lock()
        self._rules: dict[str, CompiledRule] = {}
        self._references = References()
        self._native = native
        self._scanner = SCANNER if native else None
        self._catalogue: Catalogue = (
            NativeCatalogue(native, bindings) if native else PythonCatalogue(bindings)
        )
        for compiled in rules:  # one by one: they may be made as they are taken
            self.insert((compiled,), bindings.rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __contains__(self, rule_id: object) -> bool:
        return rule_id in self._rules

    def held(self) -> int:
        """Return how much is remembered of rules, queries and references: nothing once no rule is left."""
        parts: tuple[Sized, ...] = (
            self._rules,
            self._bindings.rules,
            self._references,
            self._catalogue,
        )
        return sum(len(part) for part in parts)

    def match(self, article: Article, now: datetime) -> tuple[Match, ...]:
        """Return a match for each rule that is not expired and finds the article, in the order of rule ids.

        Raise `MatchBudgetError` when that takes longer than allowed: a part of the matches would pass for all of them.
        """
        check = self._budget.checker(article.id) if self._budget else go_on
        analysed = analyse(article, self._scanner)
        check()
        with self._lock:
            bindings = self._bindings
            candidates = self._catalogue.candidates(analysed, now, check)
        matches = [*candidates.matches]
        if candidates.sure or candidates.others:
            reading = Reading(analysed, candidates.words, bindings, now, check)
            for query in _found(candidates, reading, check):
                matches += _matches(query, reading, article.id, now)
        matches.sort(key=_by_rule)
        return tuple(matches)

    def explain(self, rule_id: str, article: Article, now: datetime) -> Explanation:
        """Return why a rule finds an article or does not, whether or not it is expired."""
        analysed = analyse(article, self._scanner)
        evaluation = Evaluation(analysed, self._bindings, now)
        return explain_node(self._rules[rule_id].tree, analysed, evaluation)

    def alone(self, rule: Rule) -> tuple["RuleSet", Expression, Bindings]:
        """Return a set of this rule only, which knows the same lists, entities and rules, to try it; and what it says.

        Nothing changes here. Raise `QueryError` if the rule cannot be used.
        """
        expression = parse(rule.query)
        concerned = reached([expression], self._tree) | {rule.id: expression}
        self._check(rule.id, concerned)
        bindings = replace(self._bindings, rules=concerned)
        compiled = CompiledRule(rule, expression, rule.version or expression_version(expression))
        return RuleSet((compiled,), bindings, self._budget, self._native), expression, bindings

    # --- changes ---

    def add(self, rule: Rule) -> None:
        """Match a rule from the next article on. Raise `QueryError` if it cannot be used, and change nothing."""
        if rule.id in self._rules:
            raise _refused(f"the id '{rule.id}' is used already", "change that rule, or rename one")
        self._put(rule)

    def change(self, rule: Rule) -> None:
        """Match a rule as it now is from the next article on. Raise `QueryError` as `add` does."""
        self._require(rule.id)
        self._put(rule)

    def remove(self, rule_id: str) -> None:
        """Match a rule no longer. Raise `QueryError` if there is none, or other rules refer to it."""
        self._require(rule_id)
        referring = self._references.to(rule_id) - {rule_id}
        if referring:
            message = f"the rule '{rule_id}' is referred to by '{min(referring)}'"
            raise _refused(message, "change or remove that rule first")
        with self._lock:
            self._bind(self._take_out(rule_id), {})

    def _require(self, rule_id: str) -> None:
        if rule_id not in self._rules:
            raise _refused(f"unknown rule '{rule_id}'", "add it first")

    def _put(self, rule: Rule) -> None:
        expression = parse(rule.query)
        dependants = self._references.that_depend_on(rule.id)
        concerned = {id_: self._rules[id_].tree for id_ in dependants}
        concerned |= reached([expression, *concerned.values()], self._tree)
        concerned[rule.id] = expression
        self._check(rule.id, concerned)
        changed = CompiledRule(rule, expression, rule.version or expression_version(expression))
        with self._lock:
            gone: set[str] = {rule.id}
            again = [replace(self._rules[id_], expression=concerned[id_]) for id_ in dependants]
            for id_ in (rule.id, *dependants):
                if id_ in self._rules:
                    gone |= self._take_out(id_)
            self.insert((changed, *again), concerned, gone)

    def _check(self, rule_id: str, concerned: dict[str, Any]) -> None:
        """Raise the first of the problems that a rule would have or bring, its own before those of others."""
        known: dict[str, Any] = self._rules
        problems = resolve(
            concerned,
            known=ChainMap[str, Any](concerned, known),
            gazetteer=self._bindings.gazetteer,
            lists=self._bindings.lists,
        )
        for errors in (problems.get(rule_id, ()), *problems.values()):
            for error in errors:
                raise error

    def _tree(self, rule_id: str) -> Expression | None:
        known = self._bindings.rules.get(rule_id)
        if known is None and rule_id in self._rules:
            return self._rules[rule_id].tree
        return known

    def insert(
        self,
        rules: Iterable[CompiledRule],
        known: Mapping[str, Expression],
        unbound: Collection[str] = (),
    ) -> None:
        """Put rules in that were checked. `known` has what they refer to; references to `unbound` are bound anew."""
        bound = set(unbound)
        rules = tuple(rules)
        for compiled in rules:
            bound |= self._references.add(compiled.rule.id, compiled.tree)
        self._bind(bound, known)
        for kept in self._catalogue.add(*rules):
            self._rules[kept.rule.id] = kept

    def _take_out(self, rule_id: str) -> set[str]:
        """Take a rule out. Return it and the rules it referred to."""
        self._catalogue.remove(self._rules.pop(rule_id))
        return {rule_id, *self._references.remove(rule_id)}

    def _bind(self, ids: Collection[str], known: Mapping[str, Expression]) -> None:
        """Let references lead to the queries that are known now; not for articles under way that may follow them."""
        before = self._bindings.rules
        bound = {id_: known.get(id_, before.get(id_)) for id_ in ids if self._references.to(id_)}
        if any(before.get(id_) is not bound.get(id_) for id_ in ids):
            kept = {id_: expression for id_, expression in before.items() if id_ not in ids}
            sure = {id_: expression for id_, expression in bound.items() if expression is not None}
            self._bindings = replace(self._bindings, rules=kept | sure)
            self._catalogue.rebind(self._bindings)


def _refused(message: str, hint: str) -> QueryError:
    return QueryError(message, 0, 1, hint)


_by_rule = attrgetter("rule_id")


def _is_expired(rule: Rule, now: datetime) -> bool:
    return rule.expires_at is not None and rule.expires_at <= now


def _found(candidates: Candidates, reading: Reading, check: Callable[[], None]) -> Iterator[Query]:
    """Yield the queries that hold."""
    for query in candidates.sure:
        check()
        yield query
    for query in candidates.others:
        check()
        if reading.holds(query.expression):
            yield query


def _matches(query: Query, reading: Reading, article_id: str, now: datetime) -> list[Match]:
    """Return a match for each rule that asks this query."""
    rules = [each for each in query.rules.values() if not _is_expired(each.rule, now)]
    if not rules:
        return []
    score = _score(query.expression, reading.evaluation) if query.scores else None
    found = reading.spans(query.expression)
    return [new_match(each.rule, each.version, article_id, score, found) for each in rules]


def _score(node: Expression, evaluation: Evaluation, view: View | None = None) -> int | None:
    """Return the best sum of the SCOREs that hold."""
    view = view or evaluation.whole
    sums = evaluation.scores(node, view).values() if isinstance(node, Score) else ()
    found = [total for total in sums if isinstance(node, Score) and total >= node.threshold]
    if not isinstance(node, Not):
        below = evaluation.view_below(node, view)
        found += [
            total
            for part in evaluation.parts(node)
            if (total := _score(part, evaluation, below)) is not None
        ]
    return max(found, default=None)
