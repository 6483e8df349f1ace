"""Making many rules ready at once, with what is wrong with each."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitor.core.compiled import NATIVE, Native
from monitor.core.engine.catalogue import CompiledRule
from monitor.core.engine.evaluation import Bindings
from monitor.core.engine.linking import reached, targets
from monitor.core.engine.ruleset import Budget, RuleSet
from monitor.core.entities import Gazetteer
from monitor.core.model import Rule
from monitor.core.query import parse, resolve
from monitor.core.query.expression import Expression
from monitor.core.query.version import expression_version
from monitor.errors import QueryError

_Problems = dict[str, tuple[QueryError, ...]]


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
    native: Native | None = NATIVE,
) -> Compilation:
    """Make rules ready to match. Report the problems of all that cannot be used; the others work without them.

    One after the other, so that a million trees need not be in memory at once: only rules that refer to others wait
    until all are known.
    """
    compiling = _Compiling(rules, gazetteer or Gazetteer(), lists or {})
    rule_set = RuleSet(
        compiling.plain(), Bindings({}, lists or {}, gazetteer or Gazetteer()), budget, native
    )
    rule_set.insert(compiling.referring(), compiling.concerned)
    return Compilation(rule_set, compiling.problems)


class _Compiling:
    """Rules on their way into a rule set: first `plain`, then `referring`."""

    def __init__(
        self, rules: Sequence[Rule], gazetteer: Gazetteer, lists: Mapping[str, Expression]
    ) -> None:
        self.problems: _Problems = {}
        self.concerned: dict[str, Expression] = {}
        self._rules = rules
        self._by_id = {rule.id: rule for rule in rules}
        self._gazetteer = gazetteer
        self._lists = lists
        self._referring: dict[str, Expression] = {}

    def plain(self) -> Iterator[CompiledRule]:
        """Yield the rules that can be used and refer to none."""
        uses = (
            Counter(rule.id for rule in self._rules) if len(self._by_id) < len(self._rules) else {}
        )
        for rule in self._rules:
            if uses.get(rule.id, 1) > 1:
                message = f"the id '{rule.id}' is used by two rules"
                self.problems[rule.id] = (QueryError(message, 0, 1, "rename one of them"),)
                continue
            try:
                expression = parse(rule.query)
            except QueryError as error:
                self.problems[rule.id] = (error,)
                continue
            if targets(expression):
                self._referring[rule.id] = expression
                continue
            found = self._resolve({rule.id: expression})
            self.problems |= found
            if not found:
                yield _compiled(rule, expression)

    def referring(self) -> list[CompiledRule]:
        """Return the rules that can be used and refer to others. Their queries are `concerned` from then on."""
        self.concerned = self._referring | reached(self._referring.values(), self._find)
        self.problems |= self._resolve(self.concerned)
        return [
            _compiled(self._by_id[id_], expression)
            for id_, expression in self._referring.items()
            if id_ not in self.problems
        ]

    def _find(self, rule_id: str) -> Expression | None:
        """Return the query of a rule that could be parsed."""
        if rule_id in self._referring:
            return self._referring[rule_id]
        is_sound = rule_id in self._by_id and rule_id not in self.problems
        return parse(self._by_id[rule_id].query) if is_sound else None

    def _resolve(self, concerned: Mapping[str, Expression]) -> _Problems:
        return resolve(concerned, known=self._by_id, gazetteer=self._gazetteer, lists=self._lists)


def _compiled(rule: Rule, expression: Expression) -> CompiledRule:
    return CompiledRule(rule, expression, rule.version or expression_version(expression))
