"""What people said while the system runs: silences, and choices of readers."""

from collections.abc import Mapping, Sequence

from monitor.core.pace import Choice
from monitor.core.silences import Silence
from monitor.ports import Registry
from monitor.registry import CHOICES, SILENCES, Roster


class Wishes:
    """Silences and choices as this process knows them, as of the last `refresh`."""

    def __init__(self, registry: Registry) -> None:
        """Start empty; nothing is asked yet."""
        self._silences = Roster(registry, SILENCES)
        self._choices = Roster(registry, CHOICES)

    async def refresh(self) -> None:
        """Catch up with the registry."""
        await self._silences.refresh()
        await self._choices.refresh()

    @property
    def silences(self) -> Sequence[Silence]:
        """Every silence that is kept, in force or not."""
        return tuple(self._silences.values.values())

    @property
    def choices(self) -> Mapping[str, Choice]:
        """What readers chose, by target id."""
        return self._choices.values
