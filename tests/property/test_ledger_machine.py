"""The ledger does the same in memory and on a server, whatever is asked of it, and keeps its promises."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from monitor.core.model import Attempt, DeliveryState
from monitor.core.outcome import DeliveryReason, Verdict
from monitor.core.retry import Ruling
from monitor.ports import DeliveryFilter, DeliveryLease
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.memory import MemoryDeliveryLedger
from tests.factories import NOW, alert, article, match
from tests.property.twin_stores import TwinStores

NOT_AT_ALL = timedelta()
targets = st.sampled_from(["slow", "quick"])
seconds = st.integers(0, 60).map(lambda n: timedelta(seconds=n))
rules = st.lists(st.sampled_from(["r1", "r2", "r3"]), min_size=1, max_size=3)
final = st.sampled_from([DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.DROPPED])


class Ledger(TwinStores):
    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.one = MemoryDeliveryLedger(self.memory)
        self.other = StreamDeliveryLedger(self.store)
        self.leases: list[DeliveryLease] = []
        self.told: set[tuple[str, str, str]] = set()
        self.ids: list[str] = []

    @rule(to=targets, n=st.integers(0, 5), rule_ids=rules, wait=seconds)
    def enqueue(self, to: str, n: int, rule_ids: list[str], wait: timedelta) -> None:
        found = tuple(match(rule_id=one, article_id=f"a{n}") for one in rule_ids)
        told = alert(article=article(id=f"a{n}"), matches=found, created_at=self.now)
        due = self.now + wait
        new = self.both(self.one.enqueue(told, to, due), self.other.enqueue(told, to, due))
        said = {(f"a{n}", one, to) for one in rule_ids}
        assert (new is not None) == bool(said - self.told)
        self.told |= said
        self.ids += [new] if new else []

    @rule(step=seconds)
    def let_time_pass(self, step: timedelta) -> None:
        self.now += step

    @rule(length=seconds, limit=st.integers(1, 5))
    def claim(self, length: timedelta, limit: int) -> None:
        leases = self.both(
            self.one.claim(self.now, length, limit, NOT_AT_ALL),
            self.other.claim(self.now, length, limit, NOT_AT_ALL),
        )
        assert len(leases) <= limit
        self.leases += leases

    @rule(data=st.data(), wait=seconds, hold=st.none() | seconds)
    def put_off(self, data: st.DataObject, wait: timedelta, hold: timedelta | None) -> None:
        ruling = Ruling(
            state=DeliveryState.RETRY,
            due_at=self.now + wait,
            reason=DeliveryReason.TIMEOUT,
            lane_until=None if hold is None else self.now + hold,
        )
        self._record(data, ruling)

    @rule(data=st.data(), state=final)
    def finish(self, data: st.DataObject, state: DeliveryState) -> None:
        self._record(data, Ruling(state=state, detail="so be it"))

    def _record(self, data: st.DataObject, ruling: Ruling) -> None:
        if not self.leases:
            return
        lease = data.draw(st.sampled_from(self.leases))
        attempt = Attempt(
            number=lease.delivery.attempts,
            started_at=self.now,
            duration=NOT_AT_ALL,
            verdict=Verdict.RETRY_LATER,
        )
        self.both(
            self.one.record(lease, attempt, ruling, self.now),
            self.other.record(lease, attempt, ruling, self.now),
        )

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        if self.ids:
            one = data.draw(st.sampled_from(self.ids))
            self.both(self.one.replay(one, self.now), self.other.replay(one, self.now))

    @invariant()
    def both_know_the_same(self) -> None:
        everything = DeliveryFilter(limit=1000)
        found = self.both(self.one.find(everything), self.other.find(everything))
        assert {one.id for one in found} == set(self.ids)
        self.both(self.one.next_due(), self.other.next_due())
        for one in self.ids:
            self.both(self.one.attempts(one), self.other.attempts(one))

    @invariant()
    def no_target_has_more_than_two_in_flight(self) -> None:
        for target in ("slow", "quick"):
            which = DeliveryFilter(state=DeliveryState.LEASED, target_id=target)
            assert len(self.run(self.other.find(which))) <= 2


def test_memory_and_server_keep_the_same_ledger(server_url: str) -> None:
    Ledger.url = server_url
    run_state_machine_as_test(
        Ledger, settings=settings(max_examples=25, stateful_step_count=30, deadline=None)
    )
