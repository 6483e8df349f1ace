"""What queries refer to: entities, lists and other rules. Finds what is unknown, circular or too large."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitor.core.query.check import (
    MOST_LEVELS,
    MOST_PROXIMITIES,
    MOST_TERMS,
    TOO_CLOSE,
    TOO_CLOSE_HINT,
    TOO_DEEP_HINT,
    bound_scans,
    count_terms,
    is_positional,
    levels,
    misplaced,
    proximities,
)
from monitor.core.query.expression import (
    EntityRef,
    Expression,
    ListRef,
    Reference,
    RuleRef,
    Span,
    disjunction,
    walk,
)
from monitor.core.query.lexer import suggest
from monitor.core.query.parser import parse
from monitor.core.query.terms import term
from monitor.errors import QueryError


def check(
    query: str,
    *,
    gazetteer: Collection[str] = (),
    lists: Collection[str] = (),
    rules: Mapping[str, Expression] | None = None,
    rule_id: str = "",
) -> tuple[QueryError, ...]:
    """Return what is wrong with a query, given what it may refer to; nothing if it can be used.

    `rule_id` is the rule that the query will belong to, so that a circle through it is found.
    """
    try:
        expression = parse(query)
    except QueryError as error:
        return (error,)
    everything = {**(rules or {}), rule_id: expression}
    return resolve(everything, known=everything, gazetteer=gazetteer, lists=lists).get(rule_id, ())


def parse_list(entries: Sequence[str]) -> Expression:
    """Return what a named list stands for: any of its terms. An entry is a word or phrase, maybe with `=` or `*`."""
    if not entries:
        raise QueryError("the list is empty", 0, 1, "add a term")
    listed = disjunction([_list_entry(entry.strip()) for entry in entries])
    bound_scans(listed, "a list")
    return listed


def _list_entry(entry: str) -> Expression:
    exact = entry.startswith("=")
    return term(entry[exact:].strip('"'), Span(0, len(entry)), exact=exact)


def resolve(
    rules: Mapping[str, Expression],
    *,
    known: Collection[str],
    gazetteer: Collection[str],
    lists: Collection[str],
) -> dict[str, tuple[QueryError, ...]]:
    """Return the problems of each rule that has any.

    `known` names every configured rule, those included whose query could not be parsed and is not in `rules`.
    """
    problems: dict[str, tuple[QueryError, ...]] = {}
    settled: dict[str, _Extent] = {}
    names = _Names(rules, known, gazetteer, lists)
    waiting = list(rules)
    while waiting:
        later = [rule for rule in waiting if not _is_ready(rules[rule], settled, problems, rules)]
        for rule in [rule for rule in waiting if rule not in set(later)]:
            extent = _measure(rules[rule], settled)
            found = (*names.unknown(rules[rule], problems), *extent.problems)
            settled[rule] = extent
            if found:
                problems[rule] = found
        if len(later) == len(waiting):
            problems |= {rule: (_circle(rule, rules, set(later)),) for rule in later}
            break
        waiting = later
    return problems


@dataclass(frozen=True)
class _Extent:
    """How large a rule is with everything it refers to."""

    terms: int
    levels: int
    proximities: int
    positional: bool
    problems: tuple[QueryError, ...]


@dataclass(frozen=True)
class _Names:
    """What exists."""

    rules: Mapping[str, Expression]
    known: Collection[str]
    gazetteer: Collection[str]
    lists: Collection[str]

    def unknown(
        self, expression: Expression, problems: Mapping[str, tuple[QueryError, ...]]
    ) -> Iterator[QueryError]:
        """Yield an error for each reference that leads nowhere."""
        for node in walk(expression):
            match node:
                case EntityRef() if node.id not in self.gazetteer:
                    yield _unknown("entity", node, self.gazetteer)
                case ListRef() if node.id not in self.lists:
                    yield _unknown("list", node, self.lists)
                case RuleRef() if node.id not in self.known:
                    yield _unknown("rule", node, self.known)
                case RuleRef() if node.id in problems or node.id not in self.rules:
                    yield _at(
                        node, f"the rule '{node.id}' cannot be used itself", "mend that rule first"
                    )
                case _:
                    pass


def _references(expression: Expression) -> list[RuleRef]:
    return [node for node in walk(expression) if isinstance(node, RuleRef)]


def _is_ready(
    expression: Expression,
    settled: Collection[str],
    problems: Collection[str],
    rules: Collection[str],
) -> bool:
    """Tell whether everything an expression refers to has been looked at."""
    return all(
        node.id in settled or node.id in problems or node.id not in rules
        for node in _references(expression)
    )


def _measure(expression: Expression, settled: Mapping[str, _Extent]) -> _Extent:
    below = [settled[node.id] for node in _references(expression) if node.id in settled]
    terms = count_terms(expression) + sum(extent.terms for extent in below)
    depth = levels(expression) + max((extent.levels for extent in below), default=0)

    close = proximities(expression) + max((extent.proximities for extent in below), default=0)

    def is_rule_positional(rule: str) -> bool:
        return rule not in settled or settled[rule].positional

    problems = list(misplaced(expression, is_rule_positional))
    if terms > MOST_TERMS:
        message = f"with the rules it refers to, the query has {terms} terms"
        problems.append(_at(expression, message, f"at most {MOST_TERMS}; move terms to a list"))
    if depth > MOST_LEVELS:
        message = (
            f"with the rules it refers to, the query is nested deeper than {MOST_LEVELS} levels"
        )
        problems.append(_at(expression, message, TOO_DEEP_HINT))
    if close > MOST_PROXIMITIES:
        problems.append(
            _at(expression, f"with the rules it refers to, {TOO_CLOSE}", TOO_CLOSE_HINT)
        )
    return _Extent(
        terms, depth, close, is_positional(expression, is_rule_positional), tuple(problems)
    )


def _circle(rule: str, rules: Mapping[str, Expression], unsettled: Collection[str]) -> QueryError:
    """Describe the circle that a rule lies on or leads to."""
    path = [rule]
    first: RuleRef | None = None
    while path.count(path[-1]) == 1:
        step = next(node for node in _references(rules[path[-1]]) if node.id in unsettled)
        first = first or step
        path.append(step.id)
    way = " → ".join(f"@{name}" for name in path)
    return _at(
        first or rules[rule], f"the references go round in a circle: {way}", "remove one of them"
    )


_WHERE = {
    "entity": "add it to a file in entities/, or write its names as words",
    "list": "add it under 'lists:' in a rule file",
    "rule": "a reference names a rule by its id",
}


def _unknown(what: str, node: Reference, names: Collection[str]) -> QueryError:
    hint = suggest(node.id, tuple(names)) or _WHERE[what]
    return _at(node, f"unknown {what} '{node.id}'", hint)


def _at(node: Expression, message: str, hint: str) -> QueryError:
    return QueryError(message, node.at.start, node.at.end - node.at.start, hint)
