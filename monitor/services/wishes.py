"""What people said while the system runs: silences, and choices of readers."""

from collections.abc import Mapping, Sequence

from monitor.core.pace import Choice
from monitor.core.silences import Silence, subscriber_of
from monitor.ports import Registry
from monitor.registry import CHOICES, SILENCES, Roster


class Wishes:
    """Silences and choices as this process knows them, as of the last `refresh`."""

    def __init__(self, registry: Registry) -> None:
        """Start empty; nothing is asked yet."""
        self._silences = Roster(registry, SILENCES)
        self._choices = Roster(registry, CHOICES)
        self._by_subscriber: dict[str | None, list[Silence]] = {}

    async def refresh(self) -> None:
        """Catch up with the registry."""
        if await self._silences.refresh():
            self._by_subscriber = {}
            for silence in self._silences.values.values():
                self._by_subscriber.setdefault(subscriber_of(silence), []).append(silence)
        await self._choices.refresh()

    @property
    def silences(self) -> Sequence[Silence]:
        """Every silence that is kept, in force or not."""
        return tuple(self._silences.values.values())

    def silences_of(self, subscriber: str) -> Sequence[Silence]:
        """Return those that can concern a subscriber: there may be thousands of others' snoozes."""
        of_all, own = self._by_subscriber.get(None, ()), self._by_subscriber.get(subscriber, ())
        return (*of_all, *own)

    @property
    def choices(self) -> Mapping[str, Choice]:
        """What readers chose, by target id."""
        return self._choices.values
