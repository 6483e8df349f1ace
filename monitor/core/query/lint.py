"""What a query may say without being wrong, but hardly means."""

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.core.query.expression import And, Expression, Or, walk


@dataclass(frozen=True, slots=True)
class Lint:
    """A doubt about a query; `position` and `length` are as in `QueryError`."""

    message: str
    position: int
    length: int
    hint: str


def lint(expression: Expression) -> tuple[Lint, ...]:
    """Return the doubts about a parsed query, in the order of its text."""
    return tuple(sorted(_mixed(expression), key=lambda doubt: doubt.position))


def _mixed(expression: Expression) -> Iterator[Lint]:
    for node in walk(expression):
        if isinstance(node, Or):
            for part in node.parts:
                if isinstance(part, And) and not part.grouped:
                    at = part.at
                    yield Lint(
                        "AND and OR are mixed without parentheses",
                        at.start,
                        at.end - at.start,
                        "AND binds tighter than OR; write the parentheses you mean",
                    )
