"""The ledger does the same in memory and on a server, whatever is asked of it, and keeps its promises."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from monitor.core.breaker import TargetHealth, TargetStatus
from monitor.core.holding import Hold
from monitor.core.model import Attempt, DeliveryState
from monitor.core.outcome import DeliveryReason, HoldReason, Verdict
from monitor.core.retry import Ruling
from monitor.ports import DeliveryFilter, DeliveryLease, LaneTerms
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
        self.said: set[tuple[str, str]] = set()
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

    @rule(
        to=targets,
        n=st.integers(6, 11),
        group=st.sampled_from(["quiet", "hourly"]),
        wait=seconds,
        interval=seconds,
        free=st.integers(0, 2),
        surplus=st.none() | st.integers(0, 2),
    )
    def hold_back(
        self,
        to: str,
        n: int,
        group: str,
        wait: timedelta,
        interval: timedelta,
        free: int,
        surplus: int | None,
    ) -> None:
        rest = None
        if surplus is not None:
            until = NOW + timedelta(hours=1)
            reason = HoldReason.ALLOWANCE
            rest = Hold(group="surplus", reason=reason, until=until, free=surplus)
        hold = Hold(
            group=group,
            reason=HoldReason.DIGEST,
            until=self.now + wait,
            interval=interval,
            free=free,
            surplus=rest,
        )
        told = alert(
            article=article(id=f"a{n}"),
            matches=(match(article_id=f"a{n}"),),
            created_at=self.now,
        )
        new = self.both(
            self.one.enqueue(told, to, self.now, hold), self.other.enqueue(told, to, self.now, hold)
        )
        self.said |= {(f"a{n}", to)}
        self.ids += [new] if new else []

    @rule(
        to=targets,
        gap=seconds | st.sampled_from([timedelta(milliseconds=300)]),
        in_flight=st.integers(1, 2),
        most=st.integers(0, 3),
        folded=st.integers(2, 5),
        ordered=st.booleans(),
    )
    def arrange(
        self, to: str, gap: timedelta, in_flight: int, most: int, folded: int, ordered: bool
    ) -> None:
        each = LaneTerms(
            gap=gap,
            in_flight=in_flight,
            most_waiting=most,
            most_folded=folded,
            ordered=ordered,
        )
        self.both(self.one.arrange({to: each}), self.other.arrange({to: each}))

    @rule(to=targets, status=st.sampled_from(TargetStatus), slow=st.booleans(), wait=seconds)
    def change_health(self, to: str, status: TargetStatus, slow: bool, wait: timedelta) -> None:
        [before] = self.both(self.one.health([to]), self.other.health([to])).values()
        until = self.now + wait if status is TargetStatus.OPEN else None
        health = TargetHealth(status=status, slow=slow, until=until, version=before.version + 1)
        self.both(
            self.one.set_health(to, before, health), self.other.set_health(to, before, health)
        )

    @rule(step=seconds)
    def let_time_pass(self, step: timedelta) -> None:
        self.now += step

    @rule(length=seconds, limit=st.integers(1, 5), slow=st.integers(0, 2))
    def claim(self, length: timedelta, limit: int, slow: int) -> None:
        leases = self.both(
            self.one.claim(self.now, length, limit, NOT_AT_ALL, slow),
            self.other.claim(self.now, length, limit, NOT_AT_ALL, slow),
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
        assert set(self.ids) <= {one.id for one in found}
        self.ids = [one.id for one in found]

    @invariant()
    def what_was_said_stands_in_a_delivery_or_in_its_digest(self) -> None:
        found = self.run(self.other.find(DeliveryFilter(limit=1000)))
        standing = {
            (alert.article.id, one.target_id)
            for one in found
            if one.state is not DeliveryState.FOLDED
            for alert in one.alerts
        }
        assert self.said | {(article_id, to) for article_id, _, to in self.told} <= standing

    @invariant()
    def both_know_the_same_of_each(self) -> None:
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
        Ledger, settings=settings(max_examples=20, stateful_step_count=35, deadline=None)
    )
