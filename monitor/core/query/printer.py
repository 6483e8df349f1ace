"""The canonical text of an expression: `parse(to_text(expression)) == expression`."""

import re
from enum import IntEnum

from monitor.core.query.expression import (
    And,
    AtLeast,
    AtLeastOf,
    Attribute,
    Compare,
    EntityRef,
    Exact,
    Except,
    Expression,
    First,
    Has,
    InField,
    Lead,
    ListRef,
    Near,
    Not,
    NotNear,
    Or,
    Phrase,
    Quantity,
    Regex,
    RuleRef,
    Scope,
    Score,
    Stem,
    Wildcard,
    Within,
    Word,
)
from monitor.core.text import is_by_character

_BARE_VALUE = re.compile(r"\w[\w.-]*(/[\w.-]*[^\W\d][\w.-]*)*")
_SCOPE_NAMES = frozenset([*Scope, *Attribute, "lead", "entity", "list", "re"])
_UNITS = ((604_800, "w"), (86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


class _Binding(IntEnum):
    OR = 1
    AND = 2
    NEAR = 3
    NOT = 4
    SINGLE = 5


def to_text(expression: Expression) -> str:
    """Write an expression as a query, with AND written out and every mixture in parentheses."""
    return _text(expression, _Binding.OR)


def _text(node: Expression, outer: _Binding) -> str:
    text, own = _written(node)
    return f"({text})" if own < outer else text


def _single(node: Expression) -> str:
    return _text(node, _Binding.SINGLE)


def _written(node: Expression) -> tuple[str, _Binding]:  # noqa: PLR0911 - one branch for each operator
    match node:
        case Or():
            return " OR ".join(_text(part, _Binding.NEAR) for part in node.parts), _Binding.OR
        case And():
            return " AND ".join(_text(part, _Binding.NEAR) for part in node.parts), _Binding.AND
        case Near():
            operator = "ONEAR" if node.ordered else "NEAR"
            return _between(node.left, f"{operator}/{node.words}", node.right), _Binding.NEAR
        case NotNear():
            return _between(node.wanted, f"NOT NEAR/{node.words}", node.unwanted), _Binding.NEAR
        case Except():
            return _between(node.wanted, "EXCEPT", node.unwanted), _Binding.NEAR
        case Not():
            return f"NOT {_single(node.part)}", _Binding.NOT
        case _:
            return _one(node), _Binding.SINGLE


def _between(left: Expression, operator: str, right: Expression) -> str:
    return f"{_text(left, _Binding.NOT)} {operator} {_text(right, _Binding.NOT)}"


def _one(node: Expression) -> str:  # noqa: PLR0911 - one branch for each operator
    match node:
        case Within():
            return f"{node.unit}({to_text(node.part)})"
        case First():
            return f"FIRST/{node.words}({to_text(node.part)})"
        case Lead():
            return f"LEAD({to_text(node.part)})"
        case InField():
            return f"{node.scope}:{_single(node.part)}"
        case AtLeast():
            return f"ATLEAST/{node.times}({to_text(node.part)})"
        case AtLeastOf():
            return f"{node.count} OF ({', '.join(map(to_text, node.parts))})"
        case Score():
            parts = ", ".join(f"{to_text(part.part)}:{part.weight}" for part in node.parts)
            return f"SCORE({parts}) >= {node.threshold}"
        case Has():
            return f"{node.attribute}:{_value(node.value)}"
        case Compare():
            return f"{node.quantity}{node.comparison}{_amount(node)}"
        case _:
            return _term(node)


def _term(node: Expression) -> str:  # noqa: PLR0911 - one branch for each operator
    match node:
        case Word():
            return f'"{node.text}"' if node.text in _SCOPE_NAMES else node.text
        case Exact():
            return f"={node.text}"
        case Wildcard():
            return node.pattern
        case Phrase():
            return _phrase(node)
        case Stem():
            return f"stem({node.word})"
        case Regex():
            return f"re:/{node.pattern.replace('/', chr(92) + '/')}/"
        case EntityRef():
            return f"entity:{_value(node.id)}"
        case ListRef():
            return f"list:@{node.id}"
        case RuleRef():
            return f"@{node.id}"
        case _:  # pragma: no cover - every other node is written above
            raise AssertionError(f"no text for {type(node).__name__}")


def _phrase(phrase: Phrase) -> str:
    text = ""
    before = ""
    for item in phrase.items:
        word = item.pattern if isinstance(item, Wildcard) else item.text
        joined = not before or (is_by_character(before) and is_by_character(word))
        text += word if joined else f" {word}"
        before = word
    sign = "=" if isinstance(phrase.items[0], Exact) else ""
    return f'{sign}"{text}"'


def _value(value: str) -> str:
    return value if _BARE_VALUE.fullmatch(value) else f'"{value}"'


def _amount(node: Compare) -> str:
    if node.quantity is Quantity.WORDS:
        return str(node.value)
    size, unit = next((s, u) for s, u in _UNITS if node.value % s == 0)
    return f"{node.value // size}{unit}"
