"""Where a part of a query must hold: the whole article, or each sentence or paragraph on its own.

An extent gives every place the unit in which it lies; a part is asked in which units it holds.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from monitor.core.model import TextField
from monitor.core.query.expression import Unit
from monitor.core.text import AnalysedArticle

WHOLE = 0


class Extent(Protocol):
    """A division of the article, or of part of it, into units."""

    def unit(self, first: int, last: int) -> Hashable | None:
        """Return the unit in which a place lies whole, if there is one."""
        ...

    def units(self) -> frozenset[Hashable]:
        """Return every unit, those included in which nothing was found."""
        ...


@dataclass(frozen=True, eq=False)
class Whole:
    """The article as one unit."""

    def unit(self, first: int, last: int) -> Hashable | None:  # noqa: ARG002 - every place lies in it
        """See `Extent`."""
        return WHOLE

    def units(self) -> frozenset[Hashable]:
        """See `Extent`."""
        return frozenset({WHOLE})


@dataclass(frozen=True, eq=False)
class Divided:
    """The sentences or paragraphs of an outer extent. Each unit is a pair whose first part is the outer unit."""

    outer: Extent
    article: AnalysedArticle
    kind: Unit

    def unit(self, first: int, last: int) -> tuple[Hashable, Hashable] | None:
        """See `Extent`."""
        outer = self.outer.unit(first, last)
        if outer is None:
            return None
        field = self.article.field_at(first)
        number_of = field.sentence_of if self.kind is Unit.SENTENCE else field.paragraph_of
        number = number_of(first)
        return (outer, (field.base, number)) if number == number_of(last) else None

    def units(self) -> frozenset[Hashable]:
        """See `Extent`."""
        return self._units

    @cached_property
    def _units(self) -> frozenset[Hashable]:
        every = (self.unit(p, p) for field in self.article.every_field for p in field.positions)
        return frozenset(unit for unit in every if unit is not None)


@dataclass(frozen=True, eq=False)
class Opening:
    """An outer extent, but only the first words of the body, or with the title and summary its first paragraph."""

    outer: Extent
    article: AnalysedArticle
    words: int | None = None

    def unit(self, first: int, last: int) -> Hashable | None:
        """See `Extent`."""
        field = self.article.field_at(first)
        if self.words is not None:
            inside = field.name == TextField.BODY and last - field.base < self.words
        elif field.name == TextField.BODY:
            inside = field.paragraph_of(last) == field.paragraph_of(field.base)
        else:
            inside = field.name in (TextField.TITLE, TextField.SUMMARY)
        return self.outer.unit(first, last) if inside else None

    def units(self) -> frozenset[Hashable]:
        """See `Extent`."""
        return self.outer.units()
