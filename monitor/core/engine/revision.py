"""What differs between the rules that are matched and those that shall be."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from monitor.core.engine.ruleset import RuleSet
from monitor.core.model import Rule
from monitor.core.query import parse
from monitor.core.query.expression import RuleRef, walk
from monitor.errors import QueryError


@dataclass(frozen=True, slots=True)
class Revision:
    """Rules to put in or change, each after those that it refers to, and ids of rules to take out."""

    put: tuple[Rule, ...]
    drop: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.put) + len(self.drop)

    def carry_out(self, rules: RuleSet) -> None:
        """Change rules one by one; matching goes on meanwhile, and each article sees a rule as it was or as it is.

        Raise `QueryError` where a step cannot be made, and leave the rest undone: two rules that trade their references
        would go round in a circle in between.
        """
        for rule in self.put:
            if rule.id in rules:
                rules.change(rule)
            else:
                rules.add(rule)
        waiting = [*self.drop]
        while waiting:
            referred_to = [rule_id for rule_id in waiting if not _removed(rule_id, rules)]
            if len(referred_to) == len(waiting):
                rules.remove(waiting[0])
            waiting = referred_to


def _removed(rule_id: str, rules: RuleSet) -> bool:
    try:
        rules.remove(rule_id)
    except QueryError:
        return False
    return True


def revise(before: Mapping[str, Rule], after: Mapping[str, Rule]) -> Revision:
    """Compare rules by id."""
    changed = {id_: rule for id_, rule in after.items() if _differs(rule, before.get(id_))}
    drop = tuple(id_ for id_ in before if id_ not in after)
    return Revision(_referred_first(changed), drop)


def _differs(rule: Rule, other: Rule | None) -> bool:
    return rule is not other and rule != other


def _referred_first(rules: Mapping[str, Rule]) -> tuple[Rule, ...]:
    ordered: dict[str, Rule] = {}
    for id_ in rules:
        waiting = [id_]
        begun: set[str] = set()
        while waiting:
            current = waiting[-1]
            missing = [t for t in referred(rules[current]) if t in rules and t not in ordered]
            if current in begun or not missing:
                ordered.setdefault(current, rules[current])
                waiting.pop()
            else:
                begun.add(current)
                waiting += missing
    return tuple(ordered.values())


def concerned(rules: Mapping[str, Rule], changed: Collection[str]) -> dict[str, Rule]:
    """Return the changed rules, those that refer to them, over others or not, and all that any of these needs."""
    referring = {id_: rule.query for id_, rule in rules.items() if "@" in rule.query}
    depending = set(changed)
    news = depending
    while news:
        news = {
            id_
            for id_, query in referring.items()
            if id_ not in depending and any(other in query for other in news)
        }
        depending |= news
    found: dict[str, Rule] = {}
    waiting = [id_ for id_ in depending if id_ in rules]
    while waiting:
        id_ = waiting.pop()
        if id_ not in found:
            found[id_] = rules[id_]
            waiting += [target for target in referred(rules[id_]) if target in rules]
    return found


def referred(rule: Rule) -> list[str]:
    """Return the ids of the rules that a rule refers to; none if its query cannot be read."""
    if "@" not in rule.query:
        return []
    try:
        expression = parse(rule.query)
    except QueryError:
        return []
    return [node.id for node in walk(expression) if isinstance(node, RuleRef)]
