"""Every rule at once."""

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from monitor.core.engine.catalogue import Catalogue, CompiledRule, Query, References
from monitor.core.engine.evaluation import Bindings, Evaluation, View, go_on
from monitor.core.engine.explain import Explanation, explain_node
from monitor.core.engine.making import new_match
from monitor.core.engine.reading import Reading
from monitor.core.entities import Gazetteer
from monitor.core.model import Article, Match, Rule
from monitor.core.query import parse, resolve, rule_version
from monitor.core.query.expression import Expression, Not, Score
from monitor.core.text import analyse
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

    Any number of threads may match while another changes rules: a lock is held while candidates are looked up, about a
    millisecond, and while one rule is put in or taken out. An article sees each rule as it was or as it is.
    """

    def __init__(
        self, rules: Sequence[CompiledRule], bindings: Bindings, budget: Budget | None = None
    ) -> None:
        """Spend at most `budget` on an article, or as long as it takes."""
        self._budget = budget
        self._expressions = dict(bindings.rules)
        self._bindings = replace(bindings, rules=self._expressions)
        self._lock = Lock()
        self._rules: dict[str, CompiledRule] = {}
        self._references = References()
        self._catalogue = Catalogue(self._bindings)
        self._insert(*rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __contains__(self, rule_id: object) -> bool:
        return rule_id in self._rules

    def held(self) -> int:
        """Return how much is remembered of rules, queries and references: nothing once no rule is left."""
        return (
            len(self._rules) + len(self._expressions) + len(self._references) + len(self._catalogue)
        )

    def match(self, article: Article, now: datetime) -> tuple[Match, ...]:
        """Return a match for each rule that is not expired and finds the article, in the order of rule ids.

        Raise `MatchBudgetError` when that takes longer than allowed: a part of the matches would pass for all of them.
        """
        check = self._budget.checker(article.id) if self._budget else go_on
        analysed = analyse(article)
        with self._lock:
            bindings = self._bindings
            candidates = self._catalogue.candidates(analysed)
        reading = Reading(analysed, candidates.features, bindings, now, check)
        found = [*candidates.sure]
        for query in candidates.others:
            check()
            if reading.holds(query.expression):
                found.append(query)
        matches: list[Match] = []
        for query in found:
            check()
            matches += _matches(query, reading, article.id, now)
        matches.sort(key=_by_rule)
        return tuple(matches)

    def explain(self, rule_id: str, article: Article, now: datetime) -> Explanation:
        """Return why a rule finds an article or does not, whether or not it is expired."""
        analysed = analyse(article)
        evaluation = Evaluation(analysed, self._bindings, now)
        return explain_node(self._rules[rule_id].expression, analysed, evaluation)

    def alone(self, rule: Rule) -> tuple["RuleSet", Expression, Bindings]:
        """Return a set of this rule only, which knows the same lists, entities and rules, to try it; and what it says.

        Nothing changes here. Raise `QueryError` if the rule cannot be used.
        """
        expression = parse(rule.query)
        bindings = replace(self._bindings, rules={**self._expressions, rule.id: expression})
        problems = resolve(
            self._references.needed_by([expression], bindings) | {rule.id: expression},
            known=bindings.rules,
            gazetteer=bindings.gazetteer,
            lists=bindings.lists,
        )
        for errors in (problems.get(rule.id, ()), *problems.values()):
            for error in errors:
                raise error
        compiled = CompiledRule(rule, expression, rule.version or rule_version(rule.query))
        return RuleSet((compiled,), bindings, self._budget), expression, bindings

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
        referring = self._references.to(rule_id)
        if referring:
            message = f"the rule '{rule_id}' is referred to by '{min(referring)}'"
            raise _refused(message, "change or remove that rule first")
        with self._lock:
            self._take_out(rule_id)
            self._rebind(rule_id, None)

    def _require(self, rule_id: str) -> None:
        if rule_id not in self._rules:
            raise _refused(f"unknown rule '{rule_id}'", "add it first")

    def _put(self, rule: Rule) -> None:
        expression = parse(rule.query)
        dependants = self._references.that_depend_on(rule.id)
        concerned = {id_: self._rules[id_].expression for id_ in dependants}
        concerned |= self._references.needed_by([expression, *concerned.values()], self._bindings)
        concerned[rule.id] = expression
        problems = resolve(
            concerned,
            known=ChainMap(concerned, self._expressions),
            gazetteer=self._bindings.gazetteer,
            lists=self._bindings.lists,
        )
        for errors in (problems.get(rule.id, ()), *problems.values()):
            for error in errors:
                raise error
        version = rule.version or rule_version(rule.query)
        with self._lock:
            outdated = [self._take_out(id_) for id_ in (rule.id, *dependants) if id_ in self._rules]
            self._rebind(rule.id, expression)
            changed = CompiledRule(rule, expression, version)
            self._insert(changed, *(each for each in outdated if each.rule.id != rule.id))

    def _insert(self, *rules: CompiledRule) -> None:
        interned = [self._catalogue.intern(compiled) for compiled in rules]
        for compiled in interned:
            id_ = compiled.rule.id
            self._rules[id_] = compiled
            self._references.add(id_, compiled.expression)
            if id_ in self._expressions:
                self._expressions[id_] = compiled.expression
        self._catalogue.add(*interned)

    def _take_out(self, rule_id: str) -> CompiledRule:
        compiled = self._rules.pop(rule_id)
        self._references.remove(rule_id, compiled.expression)
        self._catalogue.remove(compiled)
        return compiled

    def _rebind(self, rule_id: str, expression: Expression | None) -> None:
        """Let references to a rule lead to another query; not for the articles under way that may follow them."""
        if rule_id in self._references:
            self._expressions = self._expressions.copy()
            self._bindings = replace(self._bindings, rules=self._expressions)
            self._catalogue.rebind(self._bindings)
        if expression is None:
            self._expressions.pop(rule_id, None)
            self._references.drop(rule_id)
        else:
            self._expressions[rule_id] = expression


def _refused(message: str, hint: str) -> QueryError:
    return QueryError(message, 0, 1, hint)


def _by_rule(match: Match) -> str:
    return match.rule_id


def _is_expired(rule: Rule, now: datetime) -> bool:
    return rule.expires_at is not None and rule.expires_at <= now


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


@dataclass(frozen=True, slots=True)
class Compilation:
    """The rules that can be used, and what is wrong with the others, by rule id."""

    rules: RuleSet
    problems: Mapping[str, tuple[QueryError, ...]]


def compile_rules(
    rules: Sequence[Rule],
    *,
    gazetteer: Gazetteer | None = None,
    lists: Mapping[str, Expression] | None = None,
    budget: Budget | None = None,
) -> Compilation:
    """Make rules ready to match. Report the problems of all that cannot be used; the others work without them."""
    gazetteer = gazetteer or Gazetteer()
    lists = lists or {}
    parsed, unparsed = _parse(rules)
    known = {rule.id for rule in rules}
    sound = {id_: expression for id_, expression in parsed.items() if id_ not in unparsed}
    problems = unparsed | resolve(sound, known=known, gazetteer=gazetteer, lists=lists)
    usable = {id_: expression for id_, expression in sound.items() if id_ not in problems}
    by_id = {rule.id: rule for rule in rules}
    compiled = [
        CompiledRule(by_id[id_], expression, by_id[id_].version or rule_version(by_id[id_].query))
        for id_, expression in usable.items()
    ]
    return Compilation(RuleSet(compiled, Bindings(usable, lists, gazetteer), budget), problems)


def _parse(
    rules: Sequence[Rule],
) -> tuple[dict[str, Expression], dict[str, tuple[QueryError, ...]]]:
    parsed: dict[str, Expression] = {}
    problems: dict[str, tuple[QueryError, ...]] = {}
    for rule in rules:
        twice = QueryError(f"the id '{rule.id}' is used by two rules", 0, 1, "rename one of them")
        if rule.id in parsed or rule.id in problems:
            problems[rule.id] = (twice,)
            continue
        try:
            parsed[rule.id] = parse(rule.query)
        except QueryError as error:
            problems[rule.id] = (error,)
    return parsed, problems
