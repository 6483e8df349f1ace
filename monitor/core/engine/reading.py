"""One article, asked many queries quickly: the common shapes here, everything else by `Evaluation`."""

from bisect import bisect_right
from collections.abc import Callable, Container, Iterator
from datetime import datetime
from itertools import chain, pairwise

from monitor.core.engine.evaluation import Bindings, Evaluation, go_on
from monitor.core.engine.explain import MOST_SPANS, part_text
from monitor.core.engine.making import new_span
from monitor.core.engine.occurrences import Leaf, near_pairs
from monitor.core.model import Span
from monitor.core.query.expression import And, Expression, Near, Not, Or, Phrase, Wildcard, Word
from monitor.core.text import DEFAULT_FIELDS, AnalysedArticle

_Entry = tuple[int, int, str, Span]
_Borders = tuple[list[int], list[int]]  # where occurrences begin, ascending, and where they end
_LONGEST_PLAIN = 8  # words of a phrase; longer ones are looked for by what is linear in any article


class Reading:
    """An article and its words. Remembers what it found for each part, by the identity of the part."""

    def __init__(
        self,
        article: AnalysedArticle,
        words: Container[object],
        bindings: Bindings,
        now: datetime,
        check: Callable[[], None] = go_on,
    ) -> None:
        """Ask an article that has these words, other spellings included; `check` is for `Evaluation`."""
        self.evaluation = Evaluation(article, bindings, now, check)
        self._article = article
        self._words = words
        self._entries: dict[tuple[int, int, str], _Entry] = {}
        self._of_part: dict[int, list[_Entry]] = {}
        self._aliased = {word for field in article.text_fields for word in field.aliases}
        self._texts: dict[int, str] = {}
        self._borders: dict[int, _Borders] = {}

    # --- truth ---

    def holds(self, node: Expression) -> bool:  # noqa: PLR0911 - a branch for each shape
        """Tell whether a query holds of the article."""
        match node:
            case Word():
                return node.text in self._words
            case And():
                return all(map(self.holds, node.parts))
            case Or():
                return any(map(self.holds, node.parts))
            case Not():
                return not self.holds(node.part)
            case Near():
                return self._are_near(node)
            case Phrase():
                return self._may_stand(node) and bool(self._places_of(node))
            case _:
                return self.evaluation.matches(node)

    def _may_stand(self, phrase: Phrase) -> bool:
        return all(item.text in self._words for item in phrase.items if isinstance(item, Word))

    def _are_near(self, node: Near) -> bool:
        left, right = self._borders_of(node.left), self._borders_of(node.right)
        reach = node.words + 1
        return _follows(left, right, reach) or (not node.ordered and _follows(right, left, reach))

    def _borders_of(self, node: Expression) -> _Borders:
        borders = self._borders.get(id(node))
        if borders is None:
            if isinstance(node, Word) and node.text not in self._aliased:
                positions = [
                    p for f in self._article.text_fields for p in f.postings.get(node.text, ())
                ]
                borders = (positions, positions)
            else:
                found = self.evaluation.occurrences(node, DEFAULT_FIELDS)
                borders = ([first for first, _, _ in found], [last for _, last, _ in found])
            self._borders[id(node)] = borders
        return borders

    # --- places ---

    def spans(self, node: Expression) -> tuple[Span, ...]:
        """Return where the terms of a query stand that holds, in reading order, each place once."""
        parts: dict[int, list[_Entry]] = {}
        self._collect(node, parts)
        if len(parts) == 1:
            (found,) = parts.values()
        else:
            together = sorted(chain.from_iterable(parts.values()))
            # What was found twice is the same object twice, and so side by side.
            found = [one for one, after in pairwise([*together, None]) if one and one is not after]
        return tuple([entry[3] for entry in found[:MOST_SPANS]])

    def _collect(self, node: Expression, found: dict[int, list[_Entry]]) -> None:
        """Gather the places of each part that holds."""
        match node:
            case And():
                for part in node.parts:
                    self._collect(part, found)
            case Or():
                for part in node.parts:
                    if self.holds(part):
                        self._collect(part, found)
            case Not():
                pass
            case _:
                found[id(node)] = self._entries_of(node)

    def _entries_of(self, node: Expression) -> list[_Entry]:
        entries = self._of_part.get(id(node))
        if entries is None:
            entries = self._of_part[id(node)] = [self._entry(*key) for key in self._keys_of(node)]
        return entries

    def _keys_of(self, node: Expression) -> list[tuple[int, int, str]]:
        if isinstance(node, Word | Phrase | Wildcard):
            text = self._text_of(node)
            return [(first, last, text) for first, last in self._places_of(node)]
        leaves = self._near_leaves(node) if isinstance(node, Near) else self.evaluation.leaves(node)
        return sorted({(first, last, self._text_of(part)) for first, last, part in leaves})

    def _near_leaves(self, node: Near) -> Iterator[Leaf]:
        left = self.evaluation.occurrences(node.left, DEFAULT_FIELDS)
        right = self.evaluation.occurrences(node.right, DEFAULT_FIELDS)
        for one, other in near_pairs(left, right, node.words, ordered=node.ordered):
            yield from one.leaves
            yield from other.leaves

    def _places_of(self, node: Word | Phrase | Wildcard) -> list[tuple[int, int]]:
        """Return where a term stands: quickly, if it is plain words and none is another spelling in the article."""
        items = (node,) if isinstance(node, Word) else getattr(node, "items", ())
        words = [item.text for item in items if isinstance(item, Word)]
        is_plain = 0 < len(words) == len(items) <= _LONGEST_PLAIN
        if not is_plain or not self._aliased.isdisjoint(words):
            return self.evaluation.places(node, DEFAULT_FIELDS)
        first_word, *rest = words
        length = len(rest)
        return [
            (position, position + length)
            for field in self._article.text_fields
            for position in field.postings.get(first_word, ())
            if not rest or field.words_after(position, length) == rest
        ]

    def _text_of(self, node: Expression) -> str:
        text = self._texts.get(id(node))
        if text is None:
            text = self._texts[id(node)] = part_text(node)
        return text

    def _entry(self, first: int, last: int, part: str) -> _Entry:
        entry = self._entries.get((first, last, part))
        if entry is None:
            field = self._article.field_at(first)
            start, end = field.slice(first, last)
            span = new_span(field.name, start, end, field.text[start:end], part)
            entry = self._entries[first, last, part] = (first, last, part, span)
        return entry


def _follows(earlier: _Borders, later: _Borders, reach: int) -> bool:
    """Tell whether one of `later` begins at most `reach` positions after one of `earlier` ends."""
    begins = later[0]
    count = len(begins)
    for end in earlier[1] if count else ():
        index = bisect_right(begins, end)
        if index < count and begins[index] <= end + reach:
            return True
    return False
