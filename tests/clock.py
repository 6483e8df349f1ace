"""Clocks that stand where the test puts them."""

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


class HurriedClock(StandingClock):
    """A second passes between two looks, so that nobody asks too often."""

    def now(self) -> datetime:
        self.advance(timedelta(seconds=1))
        return super().now()
