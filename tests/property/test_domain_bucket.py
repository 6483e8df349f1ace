"""No domain is asked more often than its bucket gives tokens, reckoned by a simpler model of it."""

import asyncio
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.model import FeedState
from monitor.core.schedule import Restraint
from monitor.errors import FeedReason
from monitor.streams import bounds
from monitor.streams.memory import MemoryFeedStore, MemoryStore
from tests.factories import NOW, feed

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
GAP = timedelta(seconds=3)
LEASE = timedelta(days=30)

steps = st.lists(
    st.tuples(
        st.integers(0, 4000).map(lambda tenths: tenths * SECOND / 10),
        st.sampled_from(["well", "refused", "refused for a time", "failed"]),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=40,
)


class Oracle:
    """When a domain may be asked again, and after how long the next time."""

    def __init__(self) -> None:
        self.gap = GAP
        self.free_at = NOW
        self.doubled_at: datetime | None = None
        self.eased_at = NOW

    def asked(self, now: datetime) -> None:
        assert now >= self.free_at
        self.free_at = now + self.gap

    def refused(self, now: datetime, until: datetime | None) -> None:
        if self.doubled_at is None or now - self.doubled_at >= MINUTE:
            self.gap = min(2 * self.gap, bounds.LONGEST_GAP)
            self.doubled_at = self.eased_at = now
        self.free_at = max(self.free_at, now + self.gap, until or now)

    def answered(self, now: datetime) -> None:
        if self.gap > GAP and now - self.eased_at >= HOUR:
            self.gap = max(GAP, self.gap * 7 / 8 - timedelta(milliseconds=1))
            self.eased_at = now


async def _play(moves: list[tuple[timedelta, str, int]]) -> None:
    store = MemoryFeedStore(MemoryStore(), domain_gap=GAP)
    feeds = [feed(id=f"f{n}", url=f"http://h{n}.example.org/rss") for n in range(4)]
    await store.sync(feeds, NOW, timedelta())
    oracle, now = Oracle(), NOW
    for pause, mood, again in moves:
        now += pause
        leases = await store.claim(now, LEASE, 4)
        assert len(leases) <= 1
        for lease in leases:
            oracle.asked(now)
            until = now + again * MINUTE if mood == "refused for a time" else None
            is_refused = mood.startswith("refused")
            reason = None if mood == "well" else FeedReason.RATE_LIMITED
            await store.record(
                lease,
                FeedState(reason=reason),
                now + again * SECOND,
                now=now,
                restraint=Restraint(slower=is_refused, until=until),
            )
            if is_refused:
                oracle.refused(now, until)
            elif mood == "well":
                oracle.answered(now)
    due = await store.next_due()
    assert due is not None
    assert due <= now + bounds.LONGEST_GAP * 5  # put off, never forgotten


@settings(max_examples=100, deadline=None)
@given(steps)
def test_no_domain_is_asked_more_often_than_its_bucket_gives_tokens(
    moves: list[tuple[timedelta, str, int]],
) -> None:
    asyncio.run(_play(moves))
