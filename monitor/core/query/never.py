"""What a query asks for that no article can have."""

import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from monitor.core.query.expression import (
    And,
    Attribute,
    Compare,
    Comparison,
    Expression,
    First,
    Has,
    InField,
    Near,
    Not,
    Or,
    Phrase,
    Regex,
    Scope,
    Score,
    Within,
    walk,
)
from monitor.core.query.printer import to_text

_SINGLE = frozenset({Attribute.FEED, Attribute.COUNTRY, Attribute.CATEGORY})
_UPWARDS = frozenset({Comparison.MORE, Comparison.AT_LEAST})
_INCLUSIVE = frozenset({Comparison.AT_LEAST, Comparison.AT_MOST})
_CLASSES = re.compile(r"\\.|\[\^?\]?[^\]]*\]")
# Signs that stand in no word, and are asked for: no `?`, `*` or `{0` behind them.
_OUTSIDE_WORDS = re.compile(r"[ @#%&,:;!\"<>=~`](?![?*]|\{0)")


class Never(NamedTuple):
    """A part of a query that never holds, why, and what to do."""

    node: Expression
    why: str
    hint: str


def impossible(node: Expression) -> Iterator[Never]:
    """Yield what is impossible about this node, without what is about its parts alone."""
    match node:
        case Score():
            most = sum(max(0, part.weight) for part in node.parts)
            if most < node.threshold:
                why = f"the weights add up to {most} at most"
                yield Never(node, why, f"ask for >= {most} or less")
        case First():
            yield from _too_long(node)
        case Regex() if _asks_for_more_than_a_word(node.pattern):
            why = "a regular expression is compared with one word, which has no blanks and no such signs"
            yield Never(node, why, 'write a phrase: "no-fly zon*"')
        case Near():
            if _are_apart([node.left, node.right]):
                yield Never(node, "distances do not bridge two fields", "write AND for NEAR")
        case Within(part=And() as inside):
            if _are_apart(inside.parts):
                unit = "sentence" if node.unit == "SENT" else "paragraph"
                yield Never(node, f"no {unit} is in two fields", "leave out the fields, or SENT")
        case _:
            pass


def at_odds(parts: Iterable[Expression]) -> Iterator[Never]:
    """Yield each condition that cannot hold together with one before it."""
    conditions = [part for part in parts if isinstance(part, Has | Compare)]
    for before, after in combinations(conditions, 2):
        match before, after:
            case Has(), Has() if before.attribute is after.attribute and _differ(before, after):
                why = f"an article has one {after.attribute}"
                yield Never(after, why, f"write ({to_text(before)} OR {to_text(after)})")
            case Compare(), Compare() if _leave_nothing(before, after):
                why = f"nothing is both {to_text(before)} and {to_text(after)}"
                yield Never(after, why, "turn one of the signs round")
            case _:
                pass


def _differ(one: Has, other: Has) -> bool:
    first, second = sorted((one.value, other.value), key=len)
    if one.attribute in _SINGLE:
        return first != second
    if one.attribute is Attribute.LANG:  # `pt-br` is `pt` too
        return not f"{second}-".startswith(f"{first}-")
    return not f".{second}".endswith(f".{first}")


def _leave_nothing(one: Compare, other: Compare) -> bool:
    if one.quantity is not other.quantity:
        return False
    for low, high in ((one, other), (other, one)):
        if low.comparison in _UPWARDS and high.comparison not in _UPWARDS:
            both_hold_there = {low.comparison, high.comparison} <= _INCLUSIVE
            return low.value > high.value or (low.value == high.value and not both_hold_there)
    return False


def _too_long(node: First) -> Iterator[Never]:
    for inner in walk(node.part):
        if isinstance(inner, Phrase) and len(inner.items) > node.words:
            why = f"{len(inner.items)} words do not fit into {node.words}"
            yield Never(inner, why, f"write FIRST/{len(inner.items)} or more")


def _asks_for_more_than_a_word(pattern: str) -> bool:
    bare = _CLASSES.sub("x", pattern)
    return "|" not in bare and "(" not in bare and bool(_OUTSIDE_WORDS.search(bare))


def _are_apart(parts: Iterable[Expression]) -> bool:
    """Tell whether the parts are looked for in fields of which none has them all."""
    asked = [fields for part in parts if not isinstance(part, Not) and (fields := _fields(part))]
    return bool(asked) and not frozenset.intersection(*asked)


def _fields(node: Expression) -> frozenset[Scope]:
    """Return the fields that an expression is looked for in; nothing where it says none."""
    match node:
        case InField():
            return frozenset([node.scope])
        case Or():
            fields = [_fields(part) for part in node.parts]
            return frozenset[Scope]().union(*fields) if all(fields) else frozenset()
        case _:
            return frozenset()
