"""Whether one query holds of one article, and where: the definition of the language, written to be read.

It walks the expression over the words of the article. A faster matcher must agree with it on everything.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.core.engine.conditions import is_met
from monitor.core.engine.extents import WHOLE, Divided, Extent, Opening, Whole
from monitor.core.engine.occurrences import (
    Leaf,
    Occurrence,
    count_apart,
    in_order,
    near,
    not_near,
    outside,
)
from monitor.core.engine.terms import (
    find_entity,
    find_exact,
    find_phrase,
    find_regex,
    find_stem,
    find_wildcard,
    find_word,
)
from monitor.core.entities import Gazetteer
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
    Has,
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
)
from monitor.core.text import DEFAULT_FIELDS, AnalysedArticle, AnalysedField

Units = frozenset[Hashable]
_NOWHERE: Units = frozenset()


@dataclass(frozen=True)
class Bindings:
    """What the references in queries stand for."""

    rules: Mapping[str, Expression] = field(default_factory=dict)
    lists: Mapping[str, Expression] = field(default_factory=dict)
    gazetteer: Gazetteer = field(default_factory=Gazetteer)


@dataclass(frozen=True, slots=True)
class View:
    """How a part is looked at: divided into which units, and in which fields its terms are looked for."""

    extent: Extent
    fields: tuple[str, ...] = DEFAULT_FIELDS


def go_on() -> None:
    """Do nothing: the `check` of an evaluation that may take as long as it takes."""


class Evaluation:
    """One article, asked any number of queries. Remembers the answer to each part, by the identity of the part."""

    def __init__(
        self,
        article: AnalysedArticle,
        bindings: Bindings,
        now: datetime,
        check: Callable[[], None] = go_on,
    ) -> None:
        """Call `check` before each part is worked out: it may raise, to give up."""
        self._check = check
        self._article = article
        self._bindings = bindings
        self._now = now
        self._asked: list[
            Expression
        ] = []  # kept alive, so that no later node can have the same identity
        self._views: dict[tuple[int, View], View] = {}
        self._held: dict[tuple[int, View], Units] = {}
        self._found: dict[tuple[int, tuple[str, ...]], list[Occurrence]] = {}
        self.whole = View(Whole())

    def matches(self, expression: Expression) -> bool:
        """Tell whether the query holds of the article."""
        return WHOLE in self.holds(expression, self.whole)

    def leaves(self, expression: Expression) -> Iterator[Leaf]:
        """Yield the places that made a query hold, in no particular order, some more than once."""
        return self.evidence(expression, self.whole, frozenset({WHOLE}))

    # --- truth ---

    def holds(self, node: Expression, view: View) -> Units:
        """Return the units in which a part holds."""
        key = (id(node), view)
        if key not in self._held:
            self._check()
            self._asked.append(node)
            self._held[key] = self._holds(node, view)
        return self._held[key]

    def _holds(self, node: Expression, view: View) -> Units:  # noqa: PLR0911, PLR0912 - a branch for each operator
        match node:
            case And():
                held = view.extent.units()
                for part in node.parts:
                    held &= self.holds(part, view)
                    if not held:
                        break
                return held
            case Or():
                return _NOWHERE.union(*(self.holds(part, view) for part in node.parts))
            case Not():
                return view.extent.units() - self.holds(node.part, view)
            case AtLeastOf():
                counts = Counter(unit for part in node.parts for unit in self.holds(part, view))
                return frozenset(unit for unit, count in counts.items() if count >= node.count)
            case Score():
                scores = self.scores(node, view)
                return frozenset(unit for unit, score in scores.items() if score >= node.threshold)
            case AtLeast():
                return self._often(node, view)
            case Within():
                inner = self.holds(node.part, self.view_below(node, view))
                return frozenset(unit[0] for unit in inner if isinstance(unit, tuple))
            case First() | Lead() | InField():
                return self.holds(node.part, self.view_below(node, view))
            case RuleRef():
                return self.holds(self._bindings.rules[node.id], view)
            case Has() | Compare():
                met = is_met(node, self._article, self._now)
                return view.extent.units() if met else _NOWHERE
            case _:
                return self._units_of(self.occurrences(node, view.fields), view)

    def scores(self, node: Score, view: View) -> dict[Hashable, int]:
        """Return the sum for each unit in which some part is present."""
        sums: Counter[Hashable] = Counter()
        for weighted in node.parts:
            for unit in self.holds(weighted.part, view):
                sums[unit] += weighted.weight
        return dict(sums)

    def _often(self, node: AtLeast, view: View) -> Units:
        by_unit: dict[Hashable, list[Occurrence]] = {}
        for occurrence in self._within(node.part, view):
            unit = view.extent.unit(occurrence.first, occurrence.last)
            by_unit.setdefault(unit, []).append(occurrence)
        return frozenset(u for u, found in by_unit.items() if count_apart(found) >= node.times)

    def _units_of(self, occurrences: list[Occurrence], view: View) -> Units:
        found = {view.extent.unit(occurrence.first, occurrence.last) for occurrence in occurrences}
        return frozenset(found - {None})

    def _within(self, node: Expression, view: View) -> list[Occurrence]:
        return [
            occurrence
            for occurrence in self.occurrences(node, view.fields)
            if view.extent.unit(occurrence.first, occurrence.last) is not None
        ]

    def view_below(self, node: Expression, view: View) -> View:
        """Return how the part of a node is looked at, when the node is looked at so."""
        key = (id(node), view)
        if key not in self._views:
            self._asked.append(node)
            self._views[key] = self._view_below(node, view)
        return self._views[key]

    def _view_below(self, node: Expression, view: View) -> View:
        match node:
            case InField():
                return View(view.extent, (node.scope.value,))
            case Within():
                return View(Divided(view.extent, self._article, node.unit), view.fields)
            case First():
                return View(Opening(view.extent, self._article, node.words), view.fields)
            case Lead():
                return View(Opening(view.extent, self._article), view.fields)
            case _:
                return view

    def parts(self, node: Expression) -> tuple[Expression, ...]:
        """Return what a node is made of, a reference to a rule being made of that rule."""
        return (self._bindings.rules[node.id],) if isinstance(node, RuleRef) else children(node)

    # --- places ---

    def occurrences(self, node: Expression, fields: tuple[str, ...]) -> list[Occurrence]:
        """Return the places of a part that has places, in order, wherever in the article they are."""
        key = (id(node), fields)
        if key not in self._found:
            self._check()
            self._asked.append(node)
            self._found[key] = self._occurrences(node, fields)
        return self._found[key]

    def _occurrences(  # noqa: PLR0911 - a branch for each operator
        self, node: Expression, fields: tuple[str, ...]
    ) -> list[Occurrence]:
        match node:
            case Or():
                return in_order(o for part in node.parts for o in self.occurrences(part, fields))
            case Near():
                left = self.occurrences(node.left, fields)
                right = self.occurrences(node.right, fields) if left else []
                return near(left, right, node.words, ordered=node.ordered)
            case NotNear():
                wanted = self.occurrences(node.wanted, fields)
                unwanted = self.occurrences(node.unwanted, fields) if wanted else []
                return not_near(wanted, unwanted, node.words)
            case Except():
                wanted = self.occurrences(node.wanted, fields)
                return outside(wanted, self.occurrences(node.unwanted, fields) if wanted else [])
            case Within() | First() | Lead() | InField():
                view = self.view_below(node, View(self.whole.extent, fields))
                return self._within(node.part, view)
            case RuleRef():
                return self.occurrences(self._bindings.rules[node.id], fields)
            case ListRef():
                listed = self.occurrences(self._bindings.lists[node.id], fields)
                return [_found_at(first, last, node) for first, last, _ in listed]
            case _:
                return [_found_at(*place, node) for place in self.places(node, fields)]

    def places(self, node: Expression, names: tuple[str, ...]) -> list[tuple[int, int]]:
        """Return where a term stands in the fields of these names."""
        fields = [found for name in names for found in self._article.fields(name)]
        if isinstance(node, EntityRef):
            entity = self._bindings.gazetteer.get(node.id)
            return find_entity(entity, fields, self._article, self._now) if entity else []
        return [place for found in fields for place in self._places_in(node, found)]

    def _places_in(self, node: Expression, found: AnalysedField) -> list[tuple[int, int]]:
        match node:
            case Word():
                return find_word(node, found)
            case Phrase():
                return find_phrase(node, found)
            case Exact():
                return find_exact(node, found)
            case Wildcard():
                return find_wildcard(node, found)
            case Stem():
                return find_stem(node, found, self._article.article.lang)
            case Regex():
                return find_regex(node, found)
            case _:  # pragma: no cover - the parser lets nothing else through
                raise AssertionError(f"{type(node).__name__} has no places")

    # --- evidence ---

    def evidence(self, node: Expression, view: View, units: Units) -> Iterator[Leaf]:
        """Yield the places that made a part hold in those units; nothing for what was only absent."""
        units &= self.holds(node, view)
        if not units:
            return
        match node:
            case Not() | Has() | Compare():
                return
            case And() | Or() | AtLeastOf() | RuleRef() | AtLeast():
                for part in self.parts(node):
                    yield from self.evidence(part, view, units)
            case Score():
                for weighted in node.parts:
                    if weighted.weight > 0:
                        yield from self.evidence(weighted.part, view, units)
            case Within():
                below = self.view_below(node, view)
                held = self.holds(node.part, below)
                inner = frozenset(u for u in held if isinstance(u, tuple) and u[0] in units)
                yield from self.evidence(node.part, below, inner)
            case First() | Lead() | InField():
                yield from self.evidence(node.part, self.view_below(node, view), units)
            case _:
                for occurrence in self.occurrences(node, view.fields):
                    if view.extent.unit(occurrence.first, occurrence.last) in units:
                        yield from occurrence.leaves


def _found_at(first: int, last: int, node: Expression) -> Occurrence:
    return Occurrence(first, last, (Leaf(first, last, node),))
