"""Whether a rule suddenly finds far more than it usually does at that time of day.

Stories are counted and not articles, each once, so that one agency report in forty papers is one. What is usual is
taken from the same hour, and those beside it, of the days before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import exp, inf, lgamma, log, log1p

from monitor.core.model import Article, ArticleKind

SLOT = timedelta(minutes=15)
SLOTS_IN_HOUR = timedelta(hours=1) // SLOT
WINDOWS = (1, 2, 4)
"""How many slots are looked at together: what is too slow for a quarter of an hour shows in a whole one."""
DAYS = 7
LEAST_DAYS = 3
COOL_DOWN = timedelta(hours=6) // SLOT
LATEST = timedelta(hours=2)
"""An article that was published longer ago when it was seen is no news: a backlog is not a burst."""
CHANCE = 1e-5
"""Less likely than this, by what is usual, is a burst: about one in a thousand days and rules is none."""
TIMES = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Least:
    """Fewer stories, or stories of fewer feeds, are no burst, however rarely the rule finds something."""

    stories: int = 4
    sources: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a rule found up to the end of `slot`, and before.

    `found` has for each of `WINDOWS` the stories and the feeds they came from. `hours` has the stories of each hour in
    which there were some; none is older than `since`, the hour in which counting began. Slots and hours are numbered
    from 1970. `told` is the slot of the last burst that was told.
    """

    slot: int
    found: Sequence[tuple[int, int]]
    hours: Mapping[int, int] = field(default_factory=dict)
    since: int
    told: int | None = None


@dataclass(frozen=True, slots=True)
class Burst:
    """So many stories of so many feeds in so many slots up to the end of `slot`, where `usual` are expected."""

    slot: int
    slots: int
    stories: int
    sources: int
    usual: float

    @property
    def began_at(self) -> datetime:
        """When the first of its slots began."""
        return _EPOCH + (self.slot + 1 - self.slots) * SLOT

    @property
    def lasts(self) -> timedelta:
        """How long its slots are together."""
        return self.slots * SLOT


@dataclass(frozen=True, slots=True)
class _Habit:
    """How many stories an hour has on average; `shape` is the less, the more one hour differs from another."""

    hourly: float
    shape: float


def slot_of(article: Article) -> int | None:
    """Return the slot an article counts in; None for one that is not counted: an edit, or old when it was seen.

    It depends on the article alone, so that one which is counted again counts in the same slot.
    """
    seen_at = article.seen_at
    if seen_at is None or article.kind is ArticleKind.EDITED:
        return None
    at = min(article.published_at or seen_at, seen_at)
    return (at - _EPOCH) // SLOT if seen_at - at <= LATEST else None


def hour_of(slot: int) -> int:
    """Return the hour of a slot."""
    return slot // SLOTS_IN_HOUR


def burst_in(tally: Tally, least: Least) -> Burst | None:
    """Return the burst that a tally shows, the shortest; None when it shows none, or one was told not long ago."""
    if tally.told is not None and abs(tally.slot - tally.told) < COOL_DOWN:
        return None
    windows = [
        (slots, stories, sources)
        for slots, (stories, sources) in zip(WINDOWS, tally.found, strict=True)
        if stories >= least.stories and sources >= least.sources
    ]
    habit = _habit(tally) if windows else None
    if habit is None:
        return None
    for slots, stories, sources in windows:
        usual = habit.hourly * slots / SLOTS_IN_HOUR
        if stories >= TIMES * usual and _at_least(stories, usual, habit.shape) < CHANCE:
            return Burst(tally.slot, slots, stories, sources, usual)
    return None


def _habit(tally: Tally) -> _Habit | None:
    """Return what is usual at this time of day; None while too few days are known.

    The day on which most was found is left out once there are enough: it may have had a burst itself.
    """
    days = sorted(_same_time(tally), key=sum)
    if len(days) < LEAST_DAYS:
        return None
    counts = [count for day in (days[:-1] if len(days) > LEAST_DAYS else days) for count in day]
    total, mean = sum(counts) + 0.5, sum(counts) / len(counts)  # half a story may have been missed
    spread = sum((count - mean) ** 2 for count in counts) / (len(counts) - 1)
    from_hour_to_hour = (spread - mean) / mean**2 if spread > mean else 0
    return _Habit(total / len(counts), 1 / (1 / total + from_hour_to_hour))


def _same_time(tally: Tally) -> Iterator[list[int]]:
    """Yield, for each day before that is known, the stories of this hour and of those beside it."""
    now = hour_of(tally.slot)
    for day in range(1, DAYS + 1):
        around = now - 24 * day
        if around - 1 > tally.since:
            yield [tally.hours.get(hour, 0) for hour in range(around - 1, around + 2)]


def _at_least(count: int, mean: float, shape: float) -> float:
    """Return how likely a negative binomial of this mean and shape gives at least `count`, which is above the mean."""
    term = exp(
        lgamma(count + shape)
        - lgamma(shape)
        - lgamma(count + 1)
        - shape * log1p(mean / shape)
        + count * (log(mean) - log(mean + shape))
    )
    likely, before = 0.0, -inf
    while likely > before:
        before, likely = likely, likely + term
        term *= (count + shape) / (count + 1) * mean / (mean + shape)
        count += 1
    return likely
