"""The time, as an argument."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The wall clock."""

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""
        ...
