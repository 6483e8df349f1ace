"""What comes of reading a query of another system."""

from dataclasses import dataclass

from monitor.core.query.expression import Span


@dataclass(frozen=True, slots=True)
class Note:
    """Something that could not be carried over as it stood.

    `position` and `length` are those of the foreign query, as in `QueryError`. An essential note means that the new
    query finds other articles than the old one; any other, that it finds the same ones as nearly as can be said.
    """

    message: str
    position: int
    length: int
    essential: bool = True


@dataclass(frozen=True, slots=True)
class Conversion:
    """A query in our language, in canonical form, and what to know about it, in the order of the foreign text."""

    query: str
    notes: tuple[Note, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing essential was lost."""
        return not any(note.essential for note in self.notes)


class Notes:
    """Notes as they come up; the same one is kept once."""

    def __init__(self) -> None:
        self._notes: dict[Note, None] = {}

    def lost(self, message: str, at: Span) -> None:
        """Note something that changes what the query finds."""
        self._notes[Note(message, at.start, max(1, at.end - at.start))] = None

    def changed(self, message: str, at: Span) -> None:
        """Note something that is written or counted otherwise, and finds the same as nearly as can be said."""
        self._notes[Note(message, at.start, max(1, at.end - at.start), essential=False)] = None

    def ordered(self) -> tuple[Note, ...]:
        """Return the notes in the order of the text."""
        return tuple(sorted(self._notes, key=lambda note: (note.position, note.length)))
