"""A registry does the same in memory and on a server, and a roster knows what is in it, whatever is asked of it."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from monitor.ports import Draft, RecordKind
from monitor.registry import FEEDS, Roster, all_records
from monitor.streams.health import StreamStoreHealth
from monitor.streams.memory import MemoryRegistry, MemoryStoreHealth
from monitor.streams.registry import StreamRegistry
from tests.factories import NOW, feed
from tests.property.twin_stores import TwinStores

FEED = RecordKind.FEED
ids = st.sampled_from("abc")
expected = st.none() | st.integers(0, 6)


class Records(TwinStores):
    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.one = MemoryRegistry(self.memory)
        self.other = StreamRegistry(self.store)
        self.keepers = (MemoryStoreHealth(self.memory), StreamStoreHealth(self.store))
        self.roster = Roster(self.other, FEEDS)

    @rule(
        name=ids,
        title=st.sampled_from("xy"),
        days=st.none() | st.integers(1, 5),
        wanted=expected,
        unique=st.sampled_from(["", "u", "v"]),
    )
    def put(self, name: str, title: str, days: int | None, wanted: int | None, unique: str) -> None:
        draft = Draft(
            id=name,
            value=FEEDS.encode(feed(id=name, name=title)),
            expires_at=None if days is None else self.now + timedelta(days=days),
            expected=wanted,
            unique=unique,
        )
        self.both(self.one.put(FEED, draft, self.now), self.other.put(FEED, draft, self.now))

    @rule(name=ids, wanted=expected)
    def remove(self, name: str, wanted: int | None) -> None:
        self.both(
            self.one.remove(FEED, name, self.now, wanted),
            self.other.remove(FEED, name, self.now, wanted),
        )

    @rule(days=st.integers(0, 9))
    def tidy_later(self, days: int) -> None:
        self.now += timedelta(days=days)
        one, other = self.keepers
        self.both(one.tidy(self.now), other.tidy(self.now))

    @rule()
    def follow(self) -> None:
        self.run(self.roster.refresh())
        self.run(self.roster_is_true())

    async def roster_is_true(self) -> None:
        kept = {each.id: FEEDS.decode(each.value) async for each in all_records(self.other, FEED)}
        assert self.roster.values == kept

    @invariant()
    def both_keep_the_same(self) -> None:
        self.both(self.one.versions(), self.other.versions())
        for since in (0, 2):
            self.both(self.one.changes(FEED, since, 2), self.other.changes(FEED, since, 2))
        for unique in "uv":
            self.both(self.one.holder(FEED, unique), self.other.holder(FEED, unique))
        for name in "abc":
            self.both(self.one.get(FEED, name), self.other.get(FEED, name))


def test_memory_and_server_keep_the_same_records(server_url: str) -> None:
    Records.url = server_url
    run_state_machine_as_test(
        Records, settings=settings(max_examples=25, stateful_step_count=25, deadline=None)
    )
