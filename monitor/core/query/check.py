"""What a query must be beyond its grammar, before anything it refers to is looked up."""

from collections.abc import Callable, Iterator

from monitor.core.query.expression import (
    And,
    AtLeast,
    AtLeastOf,
    Compare,
    EntityRef,
    Exact,
    Except,
    Expression,
    First,
    InField,
    Lead,
    ListRef,
    Near,
    Not,
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
    children,
    walk,
)
from monitor.errors import QueryError

IsRulePositional = Callable[[str], bool]

LONGEST = 200_000
MOST_LEVELS = 50
MOST_TERMS = 10_000
MOST_SCANS = (
    200  # each is compared with every different word of an article: 200 take up to half a second
)
MOST_PROXIMITIES = 3  # one inside the other: each level can double the places to look at
TOO_DEEP_HINT = "give an inner part a rule of its own and refer to it with @"
TOO_CLOSE = (
    f"NEAR, ONEAR, NOT NEAR and EXCEPT stand inside one another more than {MOST_PROXIMITIES} times"
)
TOO_CLOSE_HINT = "write SENT(a AND b AND c), or join alternatives with OR"

_NAMES = {Not: "NOT", And: "AND", AtLeast: "ATLEAST", AtLeastOf: "OF", Score: "SCORE"}


def validate(expression: Expression) -> None:
    """Raise `QueryError` where the query is too large, or asks for something that cannot be."""
    _validate_size(expression)
    for error in misplaced(expression, lambda _: True):
        raise error
    if not is_anchored(expression):
        length = expression.at.end - expression.at.start
        hint = "add a word, phrase or entity that the article must contain"
        raise QueryError("nothing positive to look for", expression.at.start, length, hint)


def bound_scans(expression: Expression, where: str) -> None:
    """Raise `QueryError` where more has to be compared with every word of an article than is good for the rest."""
    scans = [node for node in walk(expression) if _is_scan(node)]
    if len(scans) > MOST_SCANS:
        message = f"{len(scans)} regular expressions and wildcards that begin with a sign"
        hint = f"{where} has at most {MOST_SCANS}; write the words, or begin wildcards with letters"
        raise QueryError(message, scans[MOST_SCANS].at.start, 1, hint)


def _validate_size(expression: Expression) -> None:
    if levels(expression) > MOST_LEVELS:
        raise QueryError(
            f"nested deeper than {MOST_LEVELS} levels", expression.at.start, 1, TOO_DEEP_HINT
        )
    if proximities(expression) > MOST_PROXIMITIES:
        raise QueryError(TOO_CLOSE, expression.at.start, 1, TOO_CLOSE_HINT)
    bound_scans(expression, "a query")
    terms = count_terms(expression)
    if terms > MOST_TERMS:
        hint = f"a query has at most {MOST_TERMS} terms; move them to a list"
        raise QueryError(f"the query has {terms} terms", expression.at.start, 1, hint)


def _is_scan(node: Expression) -> bool:
    return isinstance(node, Regex) or (isinstance(node, Wildcard) and node.pattern[0] in "*?")


def count_terms(expression: Expression) -> int:
    """Count the words, patterns and references that are looked for; a phrase counts each of its words."""
    return sum(
        len(node.items) if isinstance(node, Phrase) else not children(node)
        for node in walk(expression)
    )


def levels(expression: Expression) -> int:
    """Return how deep the tree is."""
    return _deepest(expression, lambda _: True)


def proximities(expression: Expression) -> int:
    """Return how many operators of proximity stand inside one another."""
    return _deepest(expression, lambda node: isinstance(node, Near | NotNear | Except))


def _deepest(expression: Expression, counts: Callable[[Expression], bool]) -> int:
    deepest = 0
    waiting = [(expression, 0)]
    while waiting:
        node, above = waiting.pop()
        level = above + counts(node)
        deepest = max(deepest, level)
        waiting.extend((child, level) for child in children(node))
    return deepest


# --- what stands at a place ---


def is_positional(node: Expression, is_rule_positional: IsRulePositional) -> bool:
    """Tell whether a node is found at places in the text, and not only true of the article."""
    match node:
        case Word() | Exact() | Wildcard() | Phrase() | Stem() | Regex() | EntityRef() | ListRef():
            return True
        case Near() | NotNear() | Except():
            return True
        case RuleRef():
            return is_rule_positional(node.id)
        case Or():
            return all(is_positional(part, is_rule_positional) for part in node.parts)
        case Within() | First() | Lead() | InField():
            return is_positional(node.part, is_rule_positional)
        case _:
            return False


def misplaced(expression: Expression, is_rule_positional: IsRulePositional) -> Iterator[QueryError]:
    """Yield an error for each part that stands where only something with a place in the text can stand."""
    for node in walk(expression):
        if isinstance(node, Near | NotNear | Except | AtLeast):
            for part in children(node):
                if not is_positional(part, is_rule_positional):
                    yield _misplaced(node, part)


def _misplaced(outer: Near | NotNear | Except | AtLeast, part: Expression) -> QueryError:
    operator = {Except: "EXCEPT", AtLeast: "ATLEAST"}.get(type(outer), "NEAR")
    inner = next((name for kind, name in _NAMES.items() if isinstance(part, kind)), "this")
    hint = "what stands there must be a word, a phrase, an entity or several of them joined by OR"
    if isinstance(part, Not):
        hint = f"NOT binds tighter than {operator}: write NOT (a {operator} b), or a NOT NEAR b"
    return QueryError(
        f"{inner} cannot stand inside {operator}", part.at.start, part.at.end - part.at.start, hint
    )


# --- something positive to look for ---


def is_anchored(node: Expression) -> bool:  # noqa: PLR0911 - one branch for each operator
    """Tell whether the node can only hold where something it asks for is there."""
    match node:
        case Not() | Compare():
            return False
        case And():
            return any(is_anchored(part) for part in node.parts)
        case Or():
            return all(is_anchored(part) for part in node.parts)
        case AtLeastOf():
            return sum(not is_anchored(part) for part in node.parts) < node.count
        case Score():
            without = sum(max(0, p.weight) for p in node.parts if not is_anchored(p.part))
            return without < node.threshold
        case Within() | First() | Lead() | InField():
            return is_anchored(node.part)
        case _:
            return True
