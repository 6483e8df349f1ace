"""What a query may say without being wrong, but hardly means."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.core.query.expression import (
    And,
    Exact,
    Except,
    Expression,
    First,
    InField,
    Lead,
    Near,
    Not,
    NotNear,
    Or,
    Phrase,
    Scope,
    Wildcard,
    Word,
    children,
    walk,
    with_parts,
)
from monitor.core.query.never import Never, at_odds, impossible
from monitor.core.query.printer import to_text

_FEWEST_IN_NEAR = 4
_LOOKALIKES = frozenset({"LATIN", "CYRILLIC", "GREEK"})
_OUTSIDE = frozenset({Scope.AUTHOR, Scope.TAG, Scope.URL})


class LintId(StrEnum):
    """The name of a doubt; each stands in docs/query-language.md."""

    MIXED_OPERATORS = "mixed-operators"
    SMALL_OPERATOR = "small-operator"
    MIXED_SCRIPTS = "mixed-scripts"
    NEVER_THERE = "never-there"
    NEVER_MATCHES = "never-matches"
    CONTRADICTION = "contradiction"
    SHORT_WILDCARD = "short-wildcard"
    DUPLICATE = "duplicate"
    EXPIRED = "expired"
    MATCHES_TOO_MUCH = "matches-too-much"


@dataclass(frozen=True, slots=True)
class Lint:
    """A doubt about a query; `position` and `length` are as in `QueryError`."""

    id: LintId
    message: str
    position: int
    length: int
    hint: str


def lint(expression: Expression) -> tuple[Lint, ...]:
    """Return the doubts about a parsed query, in the order of its text."""
    doubts = [doubt for node in walk(expression) for doubt in _about(node)]
    return tuple(sorted(doubts, key=lambda doubt: (doubt.position, doubt.id)))


def duplicates(expressions: Mapping[str, Expression]) -> Iterator[tuple[str, str]]:
    """Yield each id whose query says the same as that of an id before it, and that id."""
    same = defaultdict(list)
    for id_, expression in expressions.items():
        same[to_text(_in_order(expression))].append(id_)
    for first, *others in same.values():
        yield from ((other, first) for other in others)


def _in_order(node: Expression) -> Expression:
    """Return the same with the parts of AND and OR in the order of the alphabet: which is first means nothing."""
    parts = tuple(map(_in_order, children(node)))
    if isinstance(node, And | Or):
        parts = tuple(sorted(parts, key=to_text))
    return with_parts(node, parts) if parts else node


def _about(node: Expression) -> Iterator[Lint]:
    for doubt in impossible(node):
        yield _never(LintId.NEVER_MATCHES, doubt)
    match node:
        case Or():
            yield from _mixed(node)
        case And():
            yield from _small_operators(node)
            yield from _contradictions(node)
        case Word() | Exact() | Wildcard() | Phrase():
            yield from _mixed_scripts(node)
        case First() | Lead() | InField():
            yield from _never_there(node)
        case Near() | NotNear() | Except():
            yield from _short_wildcards(node)
        case _:
            pass


def _lint(id_: LintId, node: Expression, message: str, hint: str) -> Lint:
    return Lint(id_, message, node.at.start, node.at.end - node.at.start, hint)


def _mixed(node: Or) -> Iterator[Lint]:
    for part in node.parts:
        if isinstance(part, And) and not part.grouped:
            yield _lint(
                LintId.MIXED_OPERATORS,
                part,
                "AND and OR are mixed without parentheses",
                "AND binds tighter than OR; write the parentheses you mean",
            )


def _small_operators(node: And) -> Iterator[Lint]:
    for part in node.parts[1:]:  # at the beginning there is nothing to join
        if isinstance(part, Word) and part.text in ("and", "or", "not", "near"):
            yield _lint(
                LintId.SMALL_OPERATOR,
                part,
                f"'{part.text}' is looked for as a word",
                f"write {part.text.upper()} for the operator, or put it in quotes with its neighbours",
            )


def _mixed_scripts(node: Word | Exact | Wildcard | Phrase) -> Iterator[Lint]:
    items = node.items if isinstance(node, Phrase) else (node,)
    for item in items:
        text = item.pattern if isinstance(item, Wildcard) else item.text
        scripts = {unicodedata.name(char, "").split(" ")[0] for char in text} & _LOOKALIKES
        if len(scripts) > 1:
            names = " and ".join(sorted(script.capitalize() for script in scripts))
            yield _lint(
                LintId.MIXED_SCRIPTS,
                node,
                f"'{text}' mixes {names} letters that look alike",
                "type the word again in one alphabet",
            )


def _never_there(node: First | Lead | InField) -> Iterator[Lint]:
    """Find what asks for a field inside of a stretch that the field is no part of."""
    for inner in walk(node):
        pair = (node, inner)
        match pair:
            case (First(), InField(scope=scope)) if scope is not Scope.BODY:
                outside = f"the {scope} is not in the first words of the body"
            case (Lead(), InField(scope=scope)) if scope in _OUTSIDE:
                outside = f"the {scope} is not in the lead"
            case (InField(scope=scope), First()) if scope is not Scope.BODY:
                outside = f"the first words of the body are not in the {scope}"
            case (InField(scope=scope), Lead()) if scope in _OUTSIDE:
                outside = f"the lead is not in the {scope}"
            case _:
                continue
        yield _lint(LintId.NEVER_THERE, inner, f"this never matches: {outside}", "leave one out")


def _contradictions(node: And) -> Iterator[Lint]:
    wanted = {part for part in node.parts if not isinstance(part, Not)}
    for part in node.parts:
        if isinstance(part, Not) and part.part in wanted:
            yield _lint(
                LintId.CONTRADICTION,
                part,
                "this never matches: the same is asked for and denied",
                "leave one out, or write EXCEPT for places that do not count",
            )
    for doubt in at_odds(node.parts):
        yield _never(LintId.CONTRADICTION, doubt)


def _never(id_: LintId, doubt: Never) -> Lint:
    return _lint(id_, doubt.node, f"this never matches: {doubt.why}", doubt.hint)


def _short_wildcards(node: Expression) -> Iterator[Lint]:
    """Find wildcards beside a proximity that stand for so many words that they are near to everything."""
    for part in children(node):
        for inner in walk(part):
            short = isinstance(inner, Wildcard) and _fixed(inner.pattern) < _FEWEST_IN_NEAR
            if short and not isinstance(part, Near | NotNear | Except):
                yield _lint(
                    LintId.SHORT_WILDCARD,
                    inner,
                    f"'{to_text(inner)}' stands for very many words, each of which is measured",
                    f"write {_FEWEST_IN_NEAR} letters or more, or the words themselves",
                )


def _fixed(pattern: str) -> int:
    return sum(letter not in "*?" for letter in pattern)
