"""Which rules refer to which."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from monitor.core.query.expression import Expression, RuleRef, walk


class References:
    """What each rule refers to, and which rules refer to it."""

    def __init__(self) -> None:
        self._from: dict[str, frozenset[str]] = {}
        self._to: defaultdict[str, set[str]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._from) + len(self._to)

    def add(self, rule_id: str, expression: Expression) -> frozenset[str]:
        """Remember what a rule refers to, and return it."""
        found = targets(expression)
        if found:
            self._from[rule_id] = found
        for target in found:
            self._to[target].add(rule_id)
        return found

    def remove(self, rule_id: str) -> frozenset[str]:
        """Forget what a rule refers to, and return it."""
        found = self._from.pop(rule_id, frozenset())
        for target in found:
            self._to[target].discard(rule_id)
            if not self._to[target]:
                del self._to[target]
        return found

    def to(self, rule_id: str) -> frozenset[str]:
        """Return the rules that refer to a rule."""
        return frozenset(self._to.get(rule_id, ()))

    def that_depend_on(self, rule_id: str) -> frozenset[str]:
        """Return the rules that refer to a rule, over others or not."""
        found: set[str] = set()
        waiting = [rule_id]
        while waiting:
            new = self.to(waiting.pop()) - found
            found |= new
            waiting.extend(new)
        return frozenset(found - {rule_id})


def reached(
    expressions: Iterable[Expression], find: Callable[[str], Expression | None]
) -> dict[str, Expression]:
    """Return every rule that the expressions refer to, over others or not, as far as it can be found."""
    found: dict[str, Expression] = {}
    waiting = list(expressions)
    while waiting:
        for target in targets(waiting.pop()) - found.keys():
            expression = find(target)
            if expression is not None:
                found[target] = expression
                waiting.append(expression)
    return found


def targets(expression: Expression) -> frozenset[str]:
    """Return the rules that an expression refers to."""
    return frozenset(node.id for node in walk(expression) if isinstance(node, RuleRef))
