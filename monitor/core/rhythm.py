"""What polls teach about a feed: how often it brings news, whether some were missed, and when its silence is unusual.

The measure is how many of the entries of the last two good polls were known already (the idea is Media Cloud's): two
documents without news say that we may come later, few known entries say that the feed's window moves on faster than we
read it. An interval shortens at once and lengthens slowly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from monitor.core.model import Feed, FeedState

START = timedelta(minutes=15)  # before anything is known
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(hours=24)
_SLOWER = 1.2  # twice nothing new
_FASTER = 0.8  # one article since the last poll; n articles: this part of their distance
_STEEPEST = 0.25  # one document alone may be an accident
_FEW_KNOWN = 0.5  # mean over two polls below which the window is about to be overrun
_OF_THE_DISTANCE = 0.3  # where a feed settles that publishes evenly, by the three factors above
_RECENT = timedelta(days=14)
_FEWEST_DATES = 3
_OVERLAPPING = 2  # a window of one entry never overlaps
_LEAST_SILENCE = timedelta(days=1)
_MOST_QUIET = timedelta(days=60)
_TIMES_QUIET = 2
_QUIET_FADES = 0.98


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How a document stands to what was known: its entries, how many of them are known, and their dates.

    `whole` says that what is missing from it is not there: neither broken off nor only the changes.
    """

    entries: int
    known: int
    dates: Sequence[datetime] = ()
    whole: bool = True


def learn(state: FeedState, found: Overlap, now: datetime) -> FeedState:
    """Learn from a document that was read; `state` is as it was before this poll."""
    share = found.known / found.entries if found.entries else 1.0
    if state.baseline_at is None or state.changed_at is None:
        return _first(state, found, now)
    if found.known == found.entries:
        return learn_unchanged(state)
    shares = (share, *state.known_shares[:1])
    has_missed = found.known == 0 and found.entries >= _OVERLAPPING and found.whole
    return replace(
        state,
        known_shares=shares,
        interval=_faster(state, found, shares),
        missed=state.missed + has_missed,
        missed_at=now if has_missed else state.missed_at,
        quiet=_quiet_after_news(state, now),
    )


def learn_unchanged(state: FeedState) -> FeedState:
    """Learn from an answer that brought nothing new."""
    if state.changed_at is None:
        return state
    shares = (1.0, *state.known_shares[:1])
    interval = state.interval or START
    if shares == (1.0, 1.0):
        interval = min(interval * _SLOWER, _LONGEST)
    return replace(state, known_shares=shares, interval=interval)


def has_missed(before: FeedState, after: FeedState) -> bool:
    """Tell whether the poll between these states found nothing that it knew, so that articles may have been missed."""
    return after.missed > before.missed


def learned_interval(feed: Feed, state: FeedState) -> timedelta:
    """Return the interval that was learned, within the operator's bounds."""
    return min(max(state.interval or START, feed.shortest), feed.longest)


def silent_for(state: FeedState, now: datetime) -> timedelta | None:
    """Return for how long the feed has been silent, if that is far beyond its rhythm; None if it is not."""
    if state.quiet is None or state.changed_at is None:
        return None
    silence = now - state.changed_at
    return silence if silence > max(_LEAST_SILENCE, state.quiet * _TIMES_QUIET) else None


def _first(state: FeedState, found: Overlap, now: datetime) -> FeedState:
    """Take the dates in the first document with entries for its rhythm, until polls know better."""
    if not found.entries:
        return state
    dates = sorted({date for date in found.dates if date <= now})
    quiet = None
    if len(dates) >= _FEWEST_DATES:
        quiet = min(max(later - earlier for earlier, later in pairwise(dates)), _MOST_QUIET)
    interval = _bounded(_interval_from(dates, now))
    return replace(state, interval=interval, quiet=quiet, known_shares=())


def _interval_from(dates: Sequence[datetime], now: datetime) -> timedelta:
    recent = [date for date in dates if now - date <= _RECENT]
    if len(recent) > 1:
        return (now - recent[0]) / len(recent) * _OF_THE_DISTANCE
    return _LONGEST if dates else START


def _faster(state: FeedState, found: Overlap, shares: Sequence[float]) -> timedelta:
    factor = max(_STEEPEST, _FASTER / (found.entries - found.known))
    if sum(shares) / len(shares) < _FEW_KNOWN:
        factor = min(factor, _FEW_KNOWN)
    return _bounded((state.interval or START) * factor)


def _quiet_after_news(state: FeedState, now: datetime) -> timedelta | None:
    if state.changed_at is None:
        return state.quiet
    silence = min(max(now - state.changed_at, timedelta()), _MOST_QUIET)
    return max(silence, (state.quiet or timedelta()) * _QUIET_FADES)


def _bounded(interval: timedelta) -> timedelta:
    return min(max(interval, _SHORTEST), _LONGEST)
