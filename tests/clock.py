"""A clock that stands where the test puts it."""

from datetime import datetime, timedelta

from tests.factories import NOW


class StandingClock:
    """Tells the time it was given, until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by
