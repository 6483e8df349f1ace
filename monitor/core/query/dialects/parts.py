"""Pieces of an expression, joined as the operators of other systems mean it."""

from collections.abc import Iterable, Sequence
from functools import reduce

from monitor.core.query.dialects.grammar import Role, Slop
from monitor.core.query.expression import (
    And,
    Exact,
    Expression,
    Near,
    NotNear,
    Phrase,
    Span,
    Unit,
    Wildcard,
    Within,
    Word,
    conjunction,
    disjunction,
)

_SWAP = 2  # how many moves it takes to change the order of two words


def span(operands: Sequence[Expression]) -> Span:
    """Return what the operands take up together."""
    return Span(min(part.at.start for part in operands), max(part.at.end for part in operands))


def run(role: Role, operands: Sequence[Expression]) -> Expression | None:
    """Join any number of operands at once, if it makes no difference where one begins; else return nothing."""
    at = span(operands)
    match role:
        case Role.OR:
            return disjunction(list(operands), at)
        case Role.AND | Role.AND_NOT:  # what is denied has its NOT already
            return conjunction(list(operands), at)
        case Role.ADJACENT if all(map(words_of, operands)):
            return Phrase(tuple(word for part in operands for word in words_of(part)), at=at)
        case _:
            return None


def joined(role: Role, words: int, left: Expression, right: Expression) -> Expression:
    """Join two operands by what says where they stand."""
    at = span((left, right))
    match role:
        case Role.NEAR:
            return Near(words, left, right, at=at)
        case Role.ONEAR:
            return Near(words, left, right, ordered=True, at=at)
        case Role.NOT_NEAR:
            return NotNear(words, left, right, at=at)
        case Role.SENTENCE:
            return _within(Unit.SENTENCE, left, right, at)
        case Role.PARAGRAPH:
            return _within(Unit.PARAGRAPH, left, right, at)
        case Role.ADJACENT:
            return _adjacent(left, right, at)
        case _:  # pragma: no cover - the others are joined in one run
            raise AssertionError(role)


def _within(unit: Unit, left: Expression, right: Expression, at: Span) -> Expression:
    """Put both into one sentence or paragraph; a chain of these means one for all."""
    inner = [
        part.part if isinstance(part, Within) and part.unit is unit else part
        for part in (left, right)
    ]
    return Within(unit, conjunction(inner, at), at=at)


def _adjacent(left: Expression, right: Expression, at: Span) -> Expression:
    """Let one follow the other: as a phrase where both are words, else in order with nothing between."""
    before, after = words_of(left), words_of(right)
    if before and after:
        return Phrase((*before, *after), at=at)
    return Near(0, left, right, ordered=True, at=at)


def words_of(part: Expression) -> tuple[Word | Exact | Wildcard, ...]:
    """Return the words of a word or phrase; of anything else, none."""
    match part:
        case Word() | Exact() | Wildcard():
            return (part,)
        case Phrase():
            return part.items
        case _:
            return ()


def count_items(part: Expression) -> int:
    """Return how many things a phrase or group has side by side."""
    return len(part.parts) if isinstance(part, And) else len(words_of(part))


def loosened(part: Expression, slop: Slop, words: int) -> Expression | None:
    """Return a phrase or group whose words may stand `words` apart, or nothing if that has no meaning."""
    if slop is Slop.BETWEEN and isinstance(part, And):
        return _chain(part.parts, words, part.at)
    items = part.items if isinstance(part, Phrase) else ()
    if slop is Slop.NONE or not items:
        return None
    if slop is Slop.BETWEEN or len(items) > _SWAP:
        return _chain(items, words, part.at)
    left, right = items
    forward = Near(words, left, right, ordered=True, at=part.at)
    if words < _SWAP:
        return forward if words else part
    return disjunction(
        [forward, Near(words - _SWAP, right, left, ordered=True, at=part.at)], part.at
    )


def _chain(items: Iterable[Expression], words: int, at: Span) -> Expression:
    return reduce(lambda left, right: Near(words, left, right, at=at), items)
