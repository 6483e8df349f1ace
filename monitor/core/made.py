"""What people make while the system runs, beside what stands in files."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from monitor.core.model import Rule


class Origin(StrEnum):
    """Where something comes from. Of two with the same id, the one of a file counts."""

    FILE = "file"
    STORE = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What somebody made: its settings as a file would have them, without the id. A secret is named, never held."""

    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A rule that was made and cannot be used, and why. One that cannot even be read has no query."""

    rule: Rule
    why: str
