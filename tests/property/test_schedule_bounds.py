"""Whatever servers answer, in whatever order: no feed is asked before it may be, and none is forgotten."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.feed import Document, ParsedArticle, ParsedFeed, Wishes
from monitor.core.freshness import MAX_AGE_LIMIT, RETRY_AFTER_LIMIT
from monitor.core.model import Feed, FeedState
from monitor.core.poll import (
    PollDecision,
    decide,
    decide_failed,
    decide_too_early,
    decide_unchanged,
    document_keys,
)
from monitor.core.schedule import LONGEST_WISH, PROBE_GONE
from monitor.errors import FeedReason, FetchError
from tests.factories import NOW, feed

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WEEK = 7 * DAY
ROUNDING = timedelta(milliseconds=1)

spans = st.integers(0, 10 * 24 * 60).map(lambda minutes: minutes * MINUTE)
wishes = st.builds(
    Wishes,
    every=spans,
    skip_hours=st.sets(st.integers(0, 23), max_size=24).map(tuple),
    skip_days=st.sets(st.integers(0, 6), max_size=7).map(tuple),
)


@dataclass(frozen=True)
class Refusal:
    """A poll that fails."""

    reason: FeedReason
    retry_after: timedelta | None


@dataclass(frozen=True)
class Page:
    """A document with some new entries, or with none and perhaps a 304."""

    fresh: int
    known: int
    lifetime: timedelta | None
    wishes: Wishes
    etag: bool


refusals = st.builds(Refusal, st.sampled_from(FeedReason), st.none() | spans)
pages = st.builds(
    Page, st.integers(0, 8), st.integers(0, 8), st.none() | spans, wishes, st.booleans()
)
feeds = st.builds(
    feed,
    every=st.none() | st.integers(1, 3000).map(lambda minutes: minutes * MINUTE),
    obey_hints=st.booleans(),
)


class Watched:
    """A feed with its state, asked exactly when the schedule says."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.state = FeedState()
        self.known: set[int] = set()
        self.now = NOW
        self._next = 0

    def ask(self, answer: Refusal | Page) -> PollDecision:
        decision = self._decide(answer)
        self.state = decision.state
        self.known.update(decision.keys)
        return decision

    def _decide(self, answer: Refusal | Page) -> PollDecision:
        if isinstance(answer, Refusal):
            error = FetchError(answer.reason, "said", retry_after=answer.retry_after)
            return decide_failed(self.feed, self.state, error, self.now)
        headers = {}
        if answer.lifetime is not None:
            headers["cache-control"] = f"max-age={int(answer.lifetime.total_seconds())}"
        document = Document(
            url=self.feed.url,
            status=200 if answer.fresh else 304,
            headers=headers,
            etag='"1"' if answer.etag else None,
        )
        if not answer.fresh:
            return decide_unchanged(self.feed, self.state, document, self.now)
        self._next += answer.fresh
        entries = [
            ParsedArticle(guid=f"g{n}", title=f"Story number {n}")
            for n in range(max(0, self._next - answer.fresh - answer.known), self._next)
        ]
        parsed = ParsedFeed(articles=tuple(entries), wishes=answer.wishes)
        keys = frozenset(self.known.intersection(document_keys(parsed)))
        return decide(self.feed, self.state, document, parsed, keys, now=self.now, trace_id="trace")


def wanted(watched: Watched, answer: Refusal | Page, *, is_first: bool) -> timedelta:
    """Return the least wait, reckoned from what was asked for and nothing else."""
    feed = watched.feed
    own = feed.every or feed.shortest
    bounds = [own / 2 if is_first else own]
    if feed.obey_hints:
        bounds.append(min(watched.state.wishes.every, LONGEST_WISH))
    if isinstance(answer, Refusal) and answer.retry_after is not None:
        bounds.append(answer.retry_after)
    if isinstance(answer, Page) and answer.lifetime is not None:
        bounds.append(min(answer.lifetime, MAX_AGE_LIMIT))
    return max(bounds)


def may_be_asked(watched: Watched, at: datetime) -> bool:
    """Tell whether the document allows this hour of this day, or none of the week."""
    asked = watched.state.wishes
    if not watched.feed.obey_hints:
        return True
    hours, days = set(asked.skip_hours), set(asked.skip_days)
    never = len(hours) == 24 or len(days) == 7
    return never or (at.hour not in hours and at.weekday() not in days)


@settings(max_examples=80, deadline=None)
@given(feeds, st.lists(refusals | pages, min_size=1, max_size=25))
def test_no_feed_is_asked_before_it_may_be_and_none_is_forgotten(
    feed: Feed, answers: list[Refusal | Page]
) -> None:
    watched = Watched(feed)
    for answer in answers:
        is_first = watched.state.baseline_at is None
        decision = watched.ask(answer)
        wait = decision.next.at - watched.now
        assert wait >= wanted(watched, answer, is_first=is_first) - ROUNDING
        assert may_be_asked(watched, decision.next.at)
        longest = max(feed.every or DAY, DAY, RETRY_AFTER_LIMIT, 10 * DAY) + HOUR
        is_gone = watched.state.gone_at is not None
        assert wait <= (PROBE_GONE if is_gone else longest) + WEEK
        assert decision.next.because
        assert watched.state.next_poll_at == decision.next.at
        not_before = decision.next.not_before
        assert not_before is None or not_before <= decision.next.at
        assert decide_too_early(feed, watched.state, decision.next.at) is None
        watched.now = decision.next.at


@settings(max_examples=50, deadline=None)
@given(feeds, st.lists(pages, min_size=2, max_size=20))
def test_what_may_have_been_missed_is_counted_and_nothing_else(
    feed: Feed, answers: list[Page]
) -> None:
    watched = Watched(feed)
    expected, had_entries = 0, False
    for answer in answers:
        watched.ask(answer)
        shown = min(answer.known, watched._next - answer.fresh) if answer.fresh else 0
        is_alone = answer.fresh >= 2 and shown == 0
        expected += had_entries and is_alone
        had_entries = had_entries or answer.fresh > 0
        watched.now += HOUR
    assert watched.state.missed == expected
