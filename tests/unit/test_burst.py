"""Bursts: what is one, what is none, and how often each rule of thumb is right on traces that a seed gives."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import pytest

from monitor.core.burst import Least, Tally, burst_in, slot_of
from monitor.core.model import ArticleKind
from tests.factories import NOW, article
from tests.unit.traces import DAY, FIRST, Trace, trace

HOUR = 500_000
LEAST = Least()
EASED = 3  # slots in which what is told may still be of the burst


def tally(stories: int = 14, sources: int = 9, usual: int = 4, days: int = 7) -> Tally:
    """Return what is found in one slot, where `usual` are found each hour."""
    hours = {HOUR - n: usual for n in range(24 * days + 2)}
    found = [(stories, sources), (stories + usual // 4, sources), (stories + usual, sources)]
    return Tally(slot=4 * HOUR, found=found, hours=hours, since=HOUR - 24 * days - 2)


def test_far_more_stories_than_usual_at_this_time_of_day_are_a_burst() -> None:
    burst = burst_in(tally(), LEAST)
    assert burst is not None
    assert (burst.stories, burst.sources, burst.slots) == (14, 9, 1)
    assert burst.usual == pytest.approx(1, abs=0.05)
    assert burst.lasts == timedelta(minutes=15)


def test_what_is_usual_at_this_hour_is_no_burst_however_much() -> None:
    assert burst_in(tally(stories=14, usual=56), LEAST) is None


def test_another_hour_of_the_day_does_not_count() -> None:
    loud_at_night = replace(tally(usual=0), hours={HOUR - 12 - 24 * n: 400 for n in range(7)})
    assert burst_in(loud_at_night, LEAST) is not None


def test_a_rule_that_finds_nothing_for_days_has_a_burst_of_four_stories() -> None:
    assert burst_in(tally(4, 4, usual=0), LEAST) is not None
    assert burst_in(tally(3, 3, usual=0), LEAST) is None


def test_one_source_that_floods_is_no_burst_unless_one_is_enough() -> None:
    assert burst_in(tally(sources=1), LEAST) is None
    assert burst_in(tally(sources=1), Least(sources=1)) is not None


def test_a_rule_that_is_counted_for_less_than_three_days_has_no_habit_to_depart_from() -> None:
    assert burst_in(tally(days=2), LEAST) is None
    assert burst_in(tally(days=3), LEAST) is not None


def test_a_burst_is_told_once_until_six_hours_have_passed() -> None:
    told = replace(tally(), told=4 * HOUR - 23)
    assert burst_in(told, LEAST) is None
    assert burst_in(replace(told, told=4 * HOUR - 24), LEAST) is not None


def test_what_comes_too_slowly_for_a_quarter_of_an_hour_shows_in_a_whole_one() -> None:
    slow = replace(tally(), found=[(4, 4), (8, 8), (20, 8)])
    burst = burst_in(slow, LEAST)
    assert burst is not None
    assert burst.slots > 1


def test_a_burst_on_one_day_does_not_hide_that_of_the_next() -> None:
    before = {HOUR - 24: 120, HOUR - 25: 60}
    assert burst_in(replace(tally(), hours={**tally().hours, **before}), LEAST) is not None


def test_an_article_counts_when_it_was_published_if_that_was_not_long_ago() -> None:
    seen = slot_of(article(published_at=None, seen_at=NOW))
    assert seen is not None
    hour_before = article(published_at=NOW - timedelta(hours=1), seen_at=NOW)
    assert slot_of(hour_before) == seen - 4
    assert slot_of(article(published_at=NOW + timedelta(days=1), seen_at=NOW)) == seen
    assert slot_of(article(published_at=NOW - timedelta(hours=3), seen_at=NOW)) is None
    assert slot_of(article(kind=ArticleKind.EDITED, published_at=None, seen_at=NOW)) is None


# --- on traces ---

Detector = Callable[[Trace, Tally], bool]


@dataclass
class Score:
    """How a detector did: bursts it found, of how many, and what it told falsely."""

    found: int = 0
    bursts: int = 0
    false: int = 0


def ours(_: Trace, at: Tally) -> bool:
    return burst_in(at, LEAST) is not None


def three_times_the_mean(known: Trace, at: Tally) -> bool:
    """Tell what is three times the mean of a week, as monitors of brands do."""
    n = at.slot - FIRST
    mean = sum(known.stories[n - 7 * DAY : n]) / (7 * DAY)
    return 0 < 3 * mean <= known.stories[n]


def score(detector: Detector, known: Trace, into: Score) -> None:
    told = [at.slot - FIRST for at in known.tallies() if detector(known, at)]
    into.bursts += len(known.bursts)
    into.found += sum(
        any(0 <= one - burst < known.burst_slots for one in told) for burst in known.bursts
    )
    into.false += sum(
        not any(0 <= one - burst < known.burst_slots + EASED for burst in known.bursts)
        for one in told
    )


def compared(rates: tuple[float, ...], spread: float) -> tuple[Score, Score]:
    """Return how we do and how the rule of thumb does on the same traces, three for each rate."""
    we, they, die = Score(), Score(), Random(7)  # noqa: S311
    for rate in rates * 3:
        known = trace(die, rate, days=21, spread=spread)
        score(ours, known, we)
        score(three_times_the_mean, known, they)
    return we, they


def test_on_even_traces_false_alerts_are_a_hundredth_of_three_times_the_mean_at_its_recall() -> (
    None
):
    we, they = compared((1, 3, 10, 30), spread=0)
    assert we.found >= 0.95 * they.found
    assert they.false >= 100 * max(we.false, 1)


def test_where_one_hour_is_unlike_another_the_recall_is_kept_and_false_alerts_stay_rare() -> None:
    we, they = compared((3, 10, 30), spread=0.1)
    assert we.found >= 0.95 * they.found
    assert they.false >= 20 * max(we.false, 1)
