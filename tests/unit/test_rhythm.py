"""What polls teach about a feed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from monitor.core.model import FeedState
from monitor.core.rhythm import (
    START,
    Overlap,
    has_missed,
    learn,
    learn_unchanged,
    learned_interval,
    silent_for,
)
from monitor.core.schedule import interval_of
from tests.factories import NOW, feed

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def dates(every: timedelta, count: int = 20, last: datetime = NOW) -> list[datetime]:
    return [last - every * number for number in range(count)]


def first(published: Iterable[datetime] = ()) -> FeedState:
    """Read a first document with entries of these dates, or of none."""
    published = list(published)
    found = Overlap(entries=len(published) or 10, known=0, dates=published)
    learned = learn(FeedState(), found, NOW)
    return FeedState(
        baseline_at=NOW, changed_at=NOW, interval=learned.interval, quiet=learned.quiet
    )


def news(state: FeedState, fresh: int, of: int = 50, *, whole: bool = True) -> FeedState:
    return learn(state, Overlap(entries=of, known=of - fresh, whole=whole), NOW + HOUR)


def test_dates_of_the_first_document_say_how_often_to_come() -> None:
    busy, slow = first(dates(10 * MINUTE)), first(dates(8 * HOUR))
    assert busy.interval is not None
    assert slow.interval is not None
    assert 2 * MINUTE < busy.interval < 4 * MINUTE
    assert 2 * HOUR < slow.interval < 3 * HOUR


def test_first_document_without_dates_says_nothing() -> None:
    assert first().interval == START
    assert first().quiet is None


def test_feed_that_has_been_quiet_for_long_is_asked_seldom() -> None:
    old = dates(DAY, last=NOW - 100 * DAY)
    assert learned_interval(feed(every=None), first(old)) == feed().longest


def test_empty_first_document_teaches_nothing() -> None:
    assert learn(FeedState(), Overlap(entries=0, known=0), NOW) == FeedState()
    assert learn_unchanged(FeedState()) == FeedState()


def test_news_shortens_the_interval_at_once_and_by_how_much_there_is() -> None:
    state = first()
    one, four, many = (news(state, n).interval for n in (1, 4, 20))
    assert (one, four, many) == (START * 0.8, START * 0.25, START * 0.25)


def test_two_polls_without_news_lengthen_it() -> None:
    once = learn_unchanged(first())
    twice = learn_unchanged(once)
    assert (once.known_shares, once.interval) == ((1.0,), START)
    assert (twice.known_shares, twice.interval) == ((1.0, 1.0), START * 1.2)


def test_edits_alone_are_no_news() -> None:
    known_only = learn(learn_unchanged(first()), Overlap(entries=50, known=50), NOW + HOUR)
    assert known_only.known_shares == (1.0, 1.0)
    assert known_only.interval == START * 1.2


def test_few_known_entries_halve_it_before_any_is_missed() -> None:
    """A window of two of which one is new may be overrun by the next poll."""
    state = news(first(), 1, of=3)
    assert state.interval == START * 0.8
    assert news(first(), 2, of=3).interval == START * 0.4
    assert news(FeedState(baseline_at=NOW, changed_at=NOW), 2, of=3).missed == 0


def test_no_overlap_counts_as_missed_and_shortens_the_interval() -> None:
    before = first()
    after = news(before, 50)
    assert has_missed(before, after)
    assert (after.missed, after.missed_at) == (1, NOW + HOUR)
    assert after.interval == START * 0.25
    assert news(after, 50).missed == 2


def test_no_overlap_says_nothing_of_a_window_of_one_a_delta_or_a_broken_document() -> None:
    assert news(first(), 1, of=1).missed == 0
    assert news(first(), 5, of=5, whole=False).missed == 0


def test_learned_interval_stays_within_what_the_operator_allows() -> None:
    auto = feed(every=None, shortest=10 * MINUTE, longest=HOUR)
    assert learned_interval(auto, FeedState(interval=MINUTE)) == 10 * MINUTE
    assert learned_interval(auto, FeedState(interval=DAY)) == HOUR


def test_fixed_interval_stays_fixed() -> None:
    assert interval_of(feed(every=10 * MINUTE), FeedState(interval=DAY)) == (
        10 * MINUTE,
        "every 10m",
    )


def test_feed_without_validators_is_not_asked_more_often_than_before_anything_was_known() -> None:
    busy = FeedState(interval=5 * MINUTE)
    interval, because = interval_of(feed(every=None), busy)
    assert interval == START
    assert because == "every 15m (learned; the server gives no validators)"
    with_etag = FeedState(interval=5 * MINUTE, etag='"1"')
    assert interval_of(feed(every=None), with_etag) == (5 * MINUTE, "every 5m (learned)")
    allowed = FeedState(interval=5 * MINUTE, fresh_for=MINUTE)
    assert interval_of(feed(every=None), allowed)[0] == 5 * MINUTE


def test_even_feed_settles_at_a_part_of_the_distance_of_its_articles() -> None:
    """An article an hour, a window of twenty: the interval ends between ten minutes and half an hour."""
    state, now, published = first(), NOW, 0.0
    intervals: list[timedelta] = []
    for _ in range(300):
        now += state.interval or START
        hours = (now - NOW) / HOUR
        fresh, published = int(hours) - int(published), hours
        found = Overlap(entries=20, known=20 - min(fresh, 20))
        state = learn(state, found, now) if fresh else learn_unchanged(state)
        intervals.append(state.interval or START)
    settled = intervals[100:]
    assert 10 * MINUTE < sum(settled, timedelta()) / len(settled) < 30 * MINUTE
    assert state.missed == 0


def test_silence_is_unusual_only_far_beyond_what_was_usual() -> None:
    hourly = first(dates(HOUR))
    assert silent_for(hourly, NOW + DAY) is None
    assert silent_for(hourly, NOW + 25 * HOUR) == 25 * HOUR
    weekly = first(dates(7 * DAY))
    assert silent_for(weekly, NOW + 13 * DAY) is None
    assert silent_for(weekly, NOW + 15 * DAY) == 15 * DAY
    assert silent_for(first(), NOW + 300 * DAY) is None


def test_longest_quiet_time_is_learned_from_polls_and_fades() -> None:
    state = first(dates(HOUR))
    after_weekend = learn(state, Overlap(entries=20, known=19), NOW + 3 * DAY)
    assert after_weekend.quiet == 3 * DAY
    assert news(after_weekend, 1).quiet == 3 * DAY * 0.98
