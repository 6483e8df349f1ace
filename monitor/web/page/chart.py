"""The chart of a backtest: what was found each day, as SVG that needs neither script nor style of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from monitor.core.trial import DayTally, Tally

WIDTH, HEIGHT = 640, 150
_LEFT, _BELOW, _ABOVE = 34, 20, 8
_GAP = 0.2
_MOST_DAYS = 400
_LABELS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A day: all articles, and in front of them the stories. In the units of the view box."""

    day: date
    articles: int
    stories: int
    x: float
    width: float
    y: float
    height: float
    story_y: float
    story_height: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars, oldest first, with the value of the highest line."""

    bars: Sequence[Bar]
    top: int
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    base: float = HEIGHT - _BELOW
    above: int = _ABOVE


def chart_of(tally: Tally, since: datetime, until: datetime) -> Chart:
    """Draw every day of a period, those without anything too."""
    first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    count = min((last - first).days + 1, _MOST_DAYS)
    days = tally.days(last - timedelta(days=number) for number in range(count))
    top = _round(max((day.articles for day in days), default=0))
    step = (WIDTH - _LEFT) / max(1, len(days))
    every = -(-len(days) // _LABELS)
    return Chart(bars=[_bar(each, n, step, top, every) for n, each in enumerate(days)], top=top)


def _bar(day: DayTally, number: int, step: float, top: int, every: int) -> Bar:
    room = HEIGHT - _BELOW - _ABOVE
    high, low = room * day.articles / top, room * min(day.stories, day.articles) / top
    x = _LEFT + number * step
    return Bar(
        day=day.day,
        articles=day.articles,
        stories=day.stories,
        x=round(x + step * _GAP / 2, 1),
        width=round(step * (1 - _GAP), 1),
        y=round(HEIGHT - _BELOW - high, 1),
        height=round(high, 1),
        story_y=round(HEIGHT - _BELOW - low, 1),
        story_height=round(low, 1),
        label=f"{day.day.day}.{day.day.month}."
        if number % every == 0 and x < WIDTH - _LEFT
        else "",
    )


def _round(most: int) -> int:
    """Return a round number that is not less."""
    scale = 1
    while True:
        for factor in (1, 2, 5):
            if most <= factor * scale:
                return factor * scale
        scale *= 10
