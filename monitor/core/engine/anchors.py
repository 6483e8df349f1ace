"""Which words an article must have for a query to stand a chance, so that most rules need not be asked.

An anchor is a folded word, or three letters and `*` for any word that begins so. A query holds only of articles that
have at least one of its anchors; a query without anchors must always be asked.
"""

from collections.abc import Iterable
from typing import assert_never

from monitor.core.engine.evaluation import Bindings
from monitor.core.query.expression import (
    And,
    AtLeast,
    AtLeastOf,
    EntityRef,
    Exact,
    Except,
    Expression,
    First,
    InField,
    Lead,
    ListRef,
    Near,
    NotNear,
    Or,
    Phrase,
    RuleRef,
    Score,
    Wildcard,
    Within,
    Word,
)
from monitor.core.text import split

Anchors = frozenset[str]
_PREFIX = 3


def anchors(node: Expression, bindings: Bindings) -> Anchors | None:  # noqa: PLR0911, PLR0912 - a branch for each operator
    """Return words of which an article must have one for the query to hold of it; None if there are no such words."""
    match node:
        case Word() | Exact() | Wildcard():
            return _word(node)
        case Phrase():
            return _best(_word(item) for item in node.items)
        case EntityRef():
            entity = bindings.gazetteer.get(node.id)
            return frozenset(max(name.words, key=len) for name in entity.names) if entity else None
        case ListRef():
            return anchors(bindings.lists[node.id], bindings)
        case RuleRef():
            return anchors(bindings.rules[node.id], bindings)
        case And():
            return _best(anchors(part, bindings) for part in node.parts)
        case Near():
            return _best((anchors(node.left, bindings), anchors(node.right, bindings)))
        case Or():
            return _any_of(anchors(part, bindings) for part in node.parts)
        case NotNear() | Except():
            return anchors(node.wanted, bindings)
        case Within() | First() | Lead() | InField() | AtLeast():
            return anchors(node.part, bindings)
        case AtLeastOf():
            return _several(node, bindings)
        case Score():
            return _score(node, bindings)
        case _:
            return None


def features(words: set[str]) -> set[str]:
    """Return every anchor that these words of an article satisfy."""
    return words.union([word[:_PREFIX] + "*" for word in words])


def _word(term: Word | Exact | Wildcard) -> Anchors | None:
    match term:
        case Word():
            return frozenset({term.text})
        case Exact():
            return frozenset({split(term.text)[0].folded})
        case Wildcard():
            prefix = term.pattern.partition("*")[0].partition("?")[0]
            return frozenset({f"{prefix[:_PREFIX]}*"}) if len(prefix) >= _PREFIX else None
        case _:
            assert_never(term)


def _several(node: AtLeastOf, bindings: Bindings) -> Anchors | None:
    """Leave out as many parts as may be missing: one of the others must hold."""
    found = sorted((anchors(part, bindings) for part in node.parts), key=_cost)
    return _any_of(found[: len(found) - node.count + 1])


def _score(node: Score, bindings: Bindings) -> Anchors | None:
    """Take the parts without which the threshold is out of reach, heaviest first."""
    helpful = [weighted for weighted in node.parts if weighted.weight > 0]
    rest = sum(weighted.weight for weighted in helpful)
    needed: list[Anchors | None] = []
    for weighted in sorted(helpful, key=lambda weighted: -weighted.weight):
        if rest < node.threshold:
            break
        needed.append(anchors(weighted.part, bindings))
        rest -= weighted.weight
    return _any_of(needed) if rest < node.threshold and needed else None


def _any_of(found: Iterable[Anchors | None]) -> Anchors | None:
    together: set[str] = set()
    for one in found:
        if one is None:
            return None
        together |= one
    return frozenset(together)


def _best(found: Iterable[Anchors | None]) -> Anchors | None:
    return min(found, key=_cost)


def _cost(found: Anchors | None) -> tuple[bool, int]:
    """Prefer long words, which are rare, and few of them."""
    if found is None:
        return (True, 0)
    return (False, -min(len(word.rstrip("*")) for word in found) + len(found))
