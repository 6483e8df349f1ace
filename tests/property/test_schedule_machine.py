"""The schedule of feeds does the same in memory and on a server, whatever is asked of it."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from monitor.core.model import FeedState
from monitor.core.schedule import Restraint
from monitor.errors import FeedReason
from monitor.ports import FeedLease, PollRecorded
from monitor.streams.feeds import StreamFeedStore
from monitor.streams.log import StreamArticleLog
from monitor.streams.memory import MemoryArticleLog, MemoryFeedStore
from tests.factories import NOW, article, feed
from tests.property.twin_stores import TwinStores

IDS = ["a", "b", "c", "d"]
HOSTS = {"a": "one.example", "b": "www.one.example", "c": "two.example", "d": "one.example"}
GAP = timedelta(seconds=5)
ids = st.sampled_from(IDS)
longer = st.integers(1, 90).map(lambda n: timedelta(seconds=n))
seconds = st.integers(0, 90).map(lambda n: timedelta(seconds=n))
set_back = st.integers(1, 40).map(lambda n: timedelta(hours=-n))
jumps = seconds | set_back | st.integers(0, 40).map(lambda n: timedelta(days=n))
keys = st.lists(st.integers(-4, 4), max_size=4)


class Schedule(TwinStores):
    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.one = MemoryFeedStore(self.memory, domain_gap=GAP)
        self.other = StreamFeedStore(self.store, high_water=4, domain_gap=GAP)
        self.leases: list[FeedLease] = []

    @rule(listed=st.sets(ids), spread=seconds, path=st.integers(0, 1))
    def sync(self, listed: set[str], spread: timedelta, path: int) -> None:
        feeds = [feed(id=one, url=f"http://{HOSTS[one]}/{path}") for one in sorted(listed)]
        self.both(self.one.sync(feeds, self.now, spread), self.other.sync(feeds, self.now, spread))

    @rule(added=ids, spread=seconds)
    def schedule(self, added: str, spread: timedelta) -> None:
        feeds = [feed(id=added, url=f"http://{added}.example/")]
        self.both(
            self.one.schedule(feeds, self.now, spread), self.other.schedule(feeds, self.now, spread)
        )

    @rule(gone=ids)
    def unschedule(self, gone: str) -> None:
        self.both(self.one.unschedule([gone]), self.other.unschedule([gone]))

    @rule(wanted=ids, lease=seconds)
    def take(self, wanted: str, lease: timedelta) -> None:
        taken = self.both(
            self.one.take(wanted, self.now, lease), self.other.take(wanted, self.now, lease)
        )
        self.leases += [taken] if taken else []

    @rule(step=jumps)
    def let_time_pass(self, step: timedelta) -> None:
        self.now += step

    @rule(lease=longer, limit=st.integers(1, 4))
    def claim(self, lease: timedelta, limit: int) -> None:
        self.leases += self.both(
            self.one.claim(self.now, lease, limit), self.other.claim(self.now, lease, limit)
        )

    @rule(
        data=st.data(),
        wait=seconds,
        seen=keys,
        count=st.integers(0, 2),
        slower=st.booleans(),
        pause=st.none() | seconds,
    )
    def record(
        self,
        data: st.DataObject,
        wait: timedelta,
        seen: list[int],
        count: int,
        *,
        slower: bool,
        pause: timedelta | None,
    ) -> None:
        if not self.leases:
            return
        lease = data.draw(st.sampled_from(self.leases))
        reason = FeedReason.RATE_LIMITED if slower or pause else None
        state, due = FeedState(polled_at=self.now, reason=reason), self.now + wait
        restraint = Restraint(slower=slower, until=None if pause is None else self.now + pause)
        articles = [article(id=f"{lease.token}-{n}") for n in range(count)]
        outcome = self.both(
            self.one.record(
                lease, state, due, now=self.now, keys=seen, articles=articles, restraint=restraint
            ),
            self.other.record(
                lease, state, due, now=self.now, keys=seen, articles=articles, restraint=restraint
            ),
        )
        if outcome is PollRecorded.DONE:
            assert self.run(self.other.known(lease.feed_id, seen)) == set(seen)

    @rule()
    def read_all(self) -> None:
        one, other = MemoryArticleLog(self.memory, "c"), StreamArticleLog(self.store, "c")
        while entry := self.run(one.read(1, timedelta())):
            [twin] = self.run(other.read(1, timedelta()))
            assert entry[0].value == twin.value
            self.both(one.forward(entry[0], ()), other.forward(twin, ()))
        assert self.run(other.read(1, timedelta())) == []

    @invariant()
    def both_know_the_same(self) -> None:
        self.both(self.one.next_due(), self.other.next_due())
        self.both(self.one.states(IDS), self.other.states(IDS))
        for one in IDS:
            wanted = list(range(-4, 5))
            self.both(self.one.known(one, wanted), self.other.known(one, wanted))


def test_memory_and_server_keep_the_same_schedule(server_url: str) -> None:
    Schedule.url = server_url
    run_state_machine_as_test(
        Schedule, settings=settings(max_examples=25, stateful_step_count=30, deadline=None)
    )
