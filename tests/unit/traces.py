"""What rules found, by a die with a seed: quiet nights, loud days, restless ones, and bursts at known times."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, pi, sin
from random import Random

from monitor.core.burst import SLOTS_IN_HOUR, WINDOWS, Tally, hour_of

DAY = 24 * SLOTS_IN_HOUR
FIRST = 20_000 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The stories of one rule in each slot from `FIRST` on, and the first slots of its bursts."""

    stories: list[int]
    bursts: list[int]
    burst_slots: int

    def tallies(self) -> Iterator[Tally]:
        """Yield what is known at the end of each slot, once a week has passed."""
        hours: dict[int, int] = {}
        for n, count in enumerate(self.stories):
            hour = hour_of(FIRST + n)
            hours[hour] = hours.get(hour, 0) + count
            if n >= 7 * DAY:
                found = [sum(self.stories[n + 1 - w : n + 1]) for w in WINDOWS]
                yield Tally(
                    slot=FIRST + n,
                    found=[(each, each) for each in found],
                    hours=hours,
                    since=hour_of(FIRST) - 1,
                )


def trace(
    die: Random,
    rate: float,
    *,
    days: int,
    times: float = 6,
    burst_slots: int = 2,
    spread: float = 0,
) -> Trace:
    """Return the trace of a rule that finds `rate` stories in a slot on average, and after a week has bursts.

    There is one every other day.

    `spread` is the variance of one hour's rate against another's, as a share of its square.
    """
    bursts = [day * DAY + die.randrange(DAY - burst_slots) for day in range(7, days, 2)]
    inside = {one + n for one in bursts for n in range(burst_slots)}
    stories: list[int] = []
    mood = 1.0
    for n in range(days * DAY):
        if spread and n % SLOTS_IN_HOUR == 0:
            mood = die.gammavariate(1 / spread, spread)
        mean = rate * mood * (1 + 0.8 * sin(2 * pi * n / DAY))
        stories.append(_poisson(die, mean * (times if n in inside else 1)))
    return Trace(stories=stories, bursts=bursts, burst_slots=burst_slots)


def _poisson(die: Random, mean: float) -> int:
    if mean > 30:
        return _poisson(die, mean / 2) + _poisson(die, mean / 2)
    limit, product, count = exp(-mean), die.random(), 0
    while product > limit:
        product *= die.random()
        count += 1
    return count
