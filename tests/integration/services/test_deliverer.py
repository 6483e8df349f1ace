import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.core.matchers import parse_matchers
from monitor.core.model import Attempt, Delivery, DeliveryState
from monitor.core.outcome import (
    Delivered,
    DeliveryReason,
    Outcome,
    Rejected,
    RetryLater,
    Verdict,
)
from monitor.core.retry import WEBHOOK, Ruling
from monitor.core.silences import new_silence
from monitor.ports import DeliveryFilter, DeliveryLease, Draft, RecordKind
from monitor.registry import SILENCES
from monitor.services.deliverer import DelivererService, Lane
from monitor.services.wishes import Wishes
from monitor.streams.memory import MemoryDeliveryLedger, MemoryRegistry, MemoryStore
from monitor.telemetry import Metrics
from tests.clock import StandingClock
from tests.factories import alert, article
from tests.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY = RetryLater(reason=DeliveryReason.SERVER_ERROR, detail="503", status=503)


class Script:
    """A channel that answers from a list, keeps what it was given, and may wait for a gate."""

    def __init__(self, *answers: Outcome | Exception, gate: asyncio.Event | None = None) -> None:
        self.answers = list(answers)
        self.gate = gate
        self.given: list[Delivery] = []

    async def deliver(self, delivery: Delivery, now: datetime) -> Outcome:
        self.given.append(delivery)
        if self.gate:
            await self.gate.wait()
        answer = self.answers.pop(0) if self.answers else Delivered(status=200)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        pass


class Hesitant(MemoryDeliveryLedger):
    """A ledger that records nothing before its gate opens."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.gate = asyncio.Event()

    async def record(
        self, lease: DeliveryLease, attempt: Attempt, ruling: Ruling, now: datetime
    ) -> bool:
        await self.gate.wait()
        return await super().record(lease, attempt, ruling, now)


class Bench:
    """A deliverer over a ledger in memory."""

    def __init__(self, timeout: float = 0.2, **channels: Script) -> None:
        store = MemoryStore()
        self.ledger = MemoryDeliveryLedger(store)
        self.registry = MemoryRegistry(store)
        self.clock = StandingClock()
        self.metrics = Metrics()
        self.service = DelivererService(
            self.ledger,
            {name: self.lane(each, timeout) for name, each in channels.items()},
            self.clock,
            self.metrics,
            concurrency=8,
            lease=timedelta(seconds=30),
            wishes=Wishes(self.registry),
        )

    def lane(self, channel: Script, timeout: float = 0.2) -> Lane:
        return Lane(kind="test", channel=channel, waits=WEBHOOK, timeout=timedelta(seconds=timeout))

    async def enqueue(self, target: str, number: int = 1) -> str:
        told = alert(article=article(id=f"a{number}"))
        delivery_id = await self.ledger.enqueue(told, target, self.clock.now())
        assert delivery_id
        return delivery_id

    async def get(self, delivery_id: str) -> Delivery:
        delivery = await self.ledger.get(delivery_id)
        assert delivery
        return delivery

    async def in_state(self, state: DeliveryState) -> int:
        return len(await self.ledger.find(DeliveryFilter(state=state)))


async def test_a_delivery_that_succeeds_is_delivered_once() -> None:
    hook = Script()
    bench = Bench(hook=hook)
    delivery_id = await bench.enqueue("hook")
    await bench.service.step()
    await bench.service.step()
    assert (await bench.get(delivery_id)).state is DeliveryState.DELIVERED
    assert [each.id for each in hook.given] == [delivery_id]
    (attempt,) = await bench.ledger.attempts(delivery_id)
    assert (attempt.verdict, attempt.status) == (Verdict.DELIVERED, 200)


async def test_a_delivery_refused_for_now_is_tried_again_under_the_same_id() -> None:
    hook = Script(BUSY)
    bench = Bench(hook=hook)
    delivery_id = await bench.enqueue("hook")
    await bench.service.step()
    waiting = await bench.get(delivery_id)
    assert waiting.state is DeliveryState.RETRY
    assert waiting.due_at > bench.clock.now()
    bench.clock.advance(timedelta(minutes=2))
    await bench.service.step()
    assert (await bench.get(delivery_id)).state is DeliveryState.DELIVERED
    assert [each.id for each in hook.given] == [delivery_id, delivery_id]


async def test_a_delivery_refused_for_good_is_dead_and_keeps_its_reason() -> None:
    bench = Bench(hook=Script(Rejected(reason=DeliveryReason.GONE, detail="410")))
    delivery_id = await bench.enqueue("hook")
    await bench.service.step()
    dead = await bench.get(delivery_id)
    assert (dead.state, dead.reason, dead.detail) == (
        DeliveryState.DEAD,
        DeliveryReason.GONE,
        "410",
    )


async def test_a_receiver_that_never_answers_is_cut_off_and_tried_again() -> None:
    bench = Bench(hook=Script(gate=asyncio.Event()))
    delivery_id = await bench.enqueue("hook")
    await bench.service.step()
    waiting = await bench.get(delivery_id)
    assert (waiting.state, waiting.reason) == (DeliveryState.RETRY, DeliveryReason.TIMEOUT)


async def test_a_channel_that_crashes_costs_only_its_own_delivery() -> None:
    bench = Bench(broken=Script(ZeroDivisionError()), hook=Script())
    broken = await bench.enqueue("broken")
    good = await bench.enqueue("hook")
    await bench.service.step()
    crashed = await bench.get(broken)
    assert (crashed.state, crashed.reason) == (DeliveryState.RETRY, DeliveryReason.CRASHED)
    assert (await bench.get(good)).state is DeliveryState.DELIVERED


async def test_a_target_no_longer_configured_drops_its_deliveries_with_the_reason() -> None:
    bench = Bench()
    delivery_id = await bench.enqueue("gone")
    await bench.service.step()
    waiting = await bench.get(delivery_id)
    assert (waiting.state, waiting.reason) == (
        DeliveryState.RETRY,
        DeliveryReason.TARGET_REMOVED,
    )
    assert waiting.due_at - bench.clock.now() == timedelta(seconds=2)
    while (await bench.get(delivery_id)).state is DeliveryState.RETRY:
        bench.clock.advance(timedelta(minutes=5))
        await bench.service.step()
    dropped = await bench.get(delivery_id)
    assert (dropped.state, dropped.reason, dropped.attempts) == (
        DeliveryState.DROPPED,
        DeliveryReason.TARGET_REMOVED,
        5,
    )


async def test_a_target_that_was_added_a_moment_ago_is_told_when_it_is_known() -> None:
    hook = Script()
    bench = Bench()
    delivery_id = await bench.enqueue("new")
    await bench.service.step()
    bench.service.use({"new": bench.lane(hook)})
    bench.clock.advance(timedelta(seconds=2))
    await bench.service.step()
    assert (await bench.get(delivery_id)).state is DeliveryState.DELIVERED
    assert len(hook.given) == 1


async def test_a_hanging_target_holds_two_places_and_the_others_are_served() -> None:
    gate = asyncio.Event()
    slow, quick = Script(gate=gate), Script()
    bench = Bench(timeout=60, slow=slow, quick=quick)
    for number in range(6):
        await bench.enqueue("slow", number)
        await bench.enqueue("quick", number)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(bench.service.run(stop))
        await wait_until(lambda: len(quick.given) == 6, "the quick target has all six")
        assert len(slow.given) == 2
        gate.set()
        await wait_until(lambda: len(slow.given) == 6, "the slow one has all six in the end")
        stop.set()
    assert await bench.in_state(DeliveryState.DELIVERED) == 12


async def test_one_failing_target_does_not_stop_the_others() -> None:
    dead = Script(*[Rejected(reason=DeliveryReason.NOT_FOUND)] * 3)
    bench = Bench(dead=dead, hook=Script(), mail=Script())
    for target in ("dead", "hook", "mail"):
        await bench.enqueue(target)
    await bench.service.step()
    assert await bench.in_state(DeliveryState.DELIVERED) == 2
    assert await bench.in_state(DeliveryState.DEAD) == 1


async def test_replaying_a_dead_delivery_sends_it_under_the_same_id() -> None:
    hook = Script(Rejected(reason=DeliveryReason.GONE))
    bench = Bench(hook=hook)
    delivery_id = await bench.enqueue("hook")
    await bench.service.step()
    assert await bench.ledger.replay(delivery_id, bench.clock.now())
    await bench.service.step()
    assert [each.id for each in hook.given] == [delivery_id, delivery_id]
    assert (await bench.get(delivery_id)).state is DeliveryState.DELIVERED


async def test_attempts_are_counted_by_channel_verdict_and_reason() -> None:
    bench = Bench(hook=Script(BUSY))
    await bench.enqueue("hook")
    await bench.service.step()
    count: Callable[[], float] = bench.metrics.attempts.labels(
        "test", "retry_later", "server_error"
    )._value.get
    assert count() == 1


async def test_a_lease_outlasts_the_longest_attempt_so_that_no_send_is_repeated_under_way() -> None:
    bench = Bench(timeout=45, hook=Script())
    await bench.enqueue("hook")
    (lease,) = await bench.service._claim(1)
    assert lease.until - bench.clock.now() >= timedelta(seconds=50)


async def test_a_silence_that_ended_a_moment_ago_keeps_nothing_back() -> None:
    hook = Script()
    bench = Bench(hook=hook)
    now = bench.clock.now()
    everything = new_silence(
        parse_matchers('rule=~".*"'),
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=1),
        author="ana",
    )
    await bench.registry.put(
        RecordKind.SILENCE, Draft(id=everything.id, value=SILENCES.encode(everything)), now
    )
    silenced = await bench.enqueue("hook", 1)
    await bench.service.step()
    assert (await bench.get(silenced)).state is DeliveryState.DROPPED
    await bench.registry.remove(RecordKind.SILENCE, everything.id, now)
    told = await bench.enqueue("hook", 2)
    await bench.service.step()
    assert (await bench.get(told)).state is DeliveryState.DELIVERED


async def test_attempts_go_on_while_those_before_them_are_recorded() -> None:
    first, second = Script(), Script()
    store = MemoryStore()
    ledger, stop, clock = Hesitant(store), asyncio.Event(), StandingClock()
    lanes = {
        name: Lane(kind="test", channel=each, waits=WEBHOOK, timeout=timedelta(seconds=9))
        for name, each in {"desk/1": first, "desk/2": second}.items()
    }
    service = DelivererService(
        ledger, lanes, clock, Metrics(), concurrency=1, lease=timedelta(seconds=30)
    )
    ids = [
        await ledger.enqueue(alert(article=article(id="a1")), target, clock.now())
        for target in lanes
    ]
    service.patience = 60  # so that nothing else gives a place back
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run(stop))
        await wait_until(lambda: bool(first.given and second.given), "both are attempted")
        ledger.gate.set()
        stop.set()
    found = [await ledger.get(one or "") for one in ids]
    assert [one and one.state for one in found] == [DeliveryState.DELIVERED] * 2
