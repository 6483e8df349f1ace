"""Lists of feeds as other programs write them: what a line says of a feed, before anyone has checked it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

LARGEST_LIST = 64 * 1024 * 1024
LONGEST_VALUE = 4096
KEYS = ("id", "url", "name", "every", "since", "lang", "country", "category")
"""What may be said of a feed, beside `label:NAME`."""


@dataclass(frozen=True, slots=True)
class FeedLine:
    """A feed as it stands in line `number` of a list; or a `problem`, why nothing can be read there.

    `folder` is the path that it lies under, outermost first.
    """

    number: int
    values: Mapping[str, str] = field(default_factory=dict)
    folder: tuple[str, ...] = ()
    problem: str = ""
