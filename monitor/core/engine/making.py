"""Records made quickly: a busy article has a thousand matches and spans.

The `__init__` of a frozen dataclass goes through `object.__setattr__` for each field, three times the time of
filling its slots.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import TypeVar

from monitor.core.model import Match, Span

T = TypeVar("T")


def _maker(kind: type[T]) -> Callable[..., T]:
    """Return a function of every field, in order, that makes one of the slotted class."""
    setters = [getattr(kind, field.name).__set__ for field in fields(kind)]  # type: ignore[arg-type]

    def make(*values: object) -> T:
        made = object.__new__(kind)
        for set_field, value in zip(setters, values, strict=True):
            set_field(made, value)
        return made

    return make


new_match = _maker(Match)
new_span = _maker(Span)
