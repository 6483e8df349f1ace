"""Instants as the server keeps them: whole milliseconds since 1970, rounded down."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def to_ms(instant: datetime) -> int:
    """Return the milliseconds since 1970."""
    return (instant - EPOCH) // MILLISECOND


def from_ms(ms: int) -> datetime:
    """Return the instant, aware UTC."""
    return EPOCH + ms * MILLISECOND


def span_ms(span: timedelta) -> int:
    """Return a duration in whole milliseconds."""
    return span // MILLISECOND
