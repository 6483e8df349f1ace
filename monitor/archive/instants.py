"""Instants as they lie in a database: whole milliseconds since 1970, in UTC."""

from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = 2**62
"""After every instant."""


def to_ms(instant: datetime | None) -> int:
    """Return the milliseconds of an instant; of none, 0."""
    return round((instant or EPOCH).timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    """Return the instant of these milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC)
