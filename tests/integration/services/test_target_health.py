"""What the deliverer concludes about a target from its attempts, over a ledger in memory."""

import asyncio
from datetime import timedelta

from monitor.core.breaker import CONFIRM, DISABLE_AFTER, FAILURES, PROBES, SLOW, TargetStatus
from monitor.core.breaker import enable as enabled
from monitor.core.jitter import JITTER
from monitor.core.model import Delivery, DeliveryState
from monitor.core.outcome import DeliveryReason, HoldReason, Outcome, Rejected, RetryLater
from monitor.core.retry import STALE, STALE_WEBHOOK, WEBHOOK
from monitor.ports import DeliveryFilter, LaneTerms
from monitor.services.deliverer import DelivererService, Lane
from monitor.streams.memory import MemoryDeliveryLedger, MemoryStore
from monitor.telemetry import Metrics
from tests.clock import StandingClock
from tests.factories import alert, article
from tests.integration.services.test_deliverer import Script
from tests.wait import wait_until

DOWN = RetryLater(reason=DeliveryReason.CONNECT, detail="nobody listens")
GONE = Rejected(reason=DeliveryReason.GONE, detail="HTTP 410", target=True, status=410)
SECOND = timedelta(seconds=1)
TARGET = "desk/hook"


class Ward:
    """One deliverer, targets that follow a script, and a clock that the test moves."""

    def __init__(self, concurrency: int = 8, **scripts: Script) -> None:
        self.ledger = MemoryDeliveryLedger(MemoryStore())
        self.clock = StandingClock()
        self.metrics = Metrics()
        self.lanes = {f"desk/{name}": self.lane(each) for name, each in scripts.items()}
        self.service = DelivererService(
            self.ledger,
            self.lanes,
            self.clock,
            self.metrics,
            concurrency=concurrency,
            lease=timedelta(seconds=30),
        )

    def lane(self, script: Script, *, late: bool = True, notify: tuple[str, ...] = ()) -> Lane:
        return Lane(
            kind="test",
            channel=script,
            waits=WEBHOOK,
            timeout=timedelta(seconds=60),
            terms=LaneTerms(),
            stale=STALE if late else STALE_WEBHOOK,
            reads_late=late,
            subscriber="desk",
            notify=notify,
        )

    async def tell(self, *numbers: int, target: str = TARGET) -> list[str]:
        ids = []
        for n in numbers:
            told = alert(article=article(id=f"a{n}"), created_at=self.clock.now())
            ids.append(await self.ledger.enqueue(told, target, self.clock.now()) or "")
        return ids

    async def settle(self) -> None:
        """Deliver whatever is due at this instant."""
        while True:
            due = await self.ledger.next_due()
            if due is None or due > self.clock.now():
                return
            await self.service.step()

    async def pass_time(self, span: timedelta) -> None:
        self.clock.advance(span)
        await self.settle()

    async def status(self) -> TargetStatus:
        return (await self.ledger.health([TARGET]))[TARGET].status

    async def in_state(self, state: DeliveryState) -> list[Delivery]:
        return list(await self.ledger.find(DeliveryFilter(state=state)))


async def test_after_five_failures_nothing_is_sent_but_a_probe_at_a_time() -> None:
    hook = Script(*[DOWN] * 7)
    ward = Ward(hook=hook)
    await ward.tell(*range(20))
    await ward.settle()
    assert len(hook.given) <= FAILURES + 1  # one more was under way with the fifth
    assert await ward.status() is TargetStatus.OPEN
    tried = len(hook.given)
    await ward.pass_time(PROBES[0] * (1 - JITTER) - SECOND)
    assert len(hook.given) == tried
    await ward.pass_time(PROBES[0] * 2 * JITTER + SECOND)
    assert len(hook.given) == tried + 1
    await ward.pass_time(timedelta(hours=1))
    assert await ward.status() is TargetStatus.ACTIVE
    waiting = await ward.in_state(DeliveryState.RETRY)
    assert waiting == []
    assert len(await ward.in_state(DeliveryState.DELIVERED)) == 20


async def test_what_waits_while_a_target_is_left_alone_uses_up_none_of_its_tries() -> None:
    ward = Ward(hook=Script(*[DOWN] * 40))
    await ward.tell(*range(8))
    for _ in range(30):
        await ward.pass_time(timedelta(minutes=15))
    tries = sorted(each.attempts for each in await ward.in_state(DeliveryState.RETRY))
    tries += sorted(each.attempts for each in await ward.in_state(DeliveryState.PENDING))
    assert sum(tries) <= 40
    assert not await ward.in_state(DeliveryState.DEAD)


async def test_two_attempts_that_end_at_once_count_as_two() -> None:
    gate = asyncio.Event()
    ward = Ward(hook=Script(DOWN, DOWN, gate=gate))
    await ward.tell(1, 2)
    async with asyncio.TaskGroup() as group:
        group.create_task(ward.service.step())
        channel = ward.lanes[TARGET].channel
        assert isinstance(channel, Script)
        await wait_until(lambda: len(channel.given) == 2, "both are under way")
        gate.set()
    assert (await ward.ledger.health([TARGET]))[TARGET].failures == 2


async def test_a_target_that_is_gone_is_disabled_and_its_subscriber_told_another_way() -> None:
    hook, mail = Script(*[GONE] * 9), Script()
    ward = Ward(hook=hook, mail=mail)
    ward.lanes[TARGET] = ward.lane(hook, notify=("desk/mail",))
    [first, second] = await ward.tell(1, 2)
    await ward.settle()
    assert await ward.status() is TargetStatus.OPEN  # one wrong answer of a proxy is not believed
    assert mail.given == []
    await ward.pass_time(CONFIRM)
    assert await ward.status() is TargetStatus.DISABLED
    [notice] = mail.given
    assert notice.alert.article.title == f"{TARGET} is switched off"
    assert "HTTP 410" in notice.alert.article.summary
    asked = len(hook.given)
    await ward.pass_time(timedelta(days=2))
    assert len(hook.given) == asked
    waiting = await ward.in_state(DeliveryState.RETRY) + await ward.in_state(DeliveryState.PENDING)
    assert {each.id for each in waiting} == {first, second}
    assert len(mail.given) == 1


async def test_what_waited_for_a_disabled_target_is_told_when_it_is_enabled() -> None:
    hook = Script(GONE, GONE, GONE)
    ward = Ward(hook=hook)
    await ward.tell(1, 2)
    await ward.settle()
    await ward.pass_time(CONFIRM)
    before = (await ward.ledger.health([TARGET]))[TARGET]
    assert before.status is TargetStatus.DISABLED
    hook.answers.clear()
    assert await ward.ledger.set_health(TARGET, before, enabled(before, ward.clock.now()))
    await ward.pass_time(timedelta(minutes=2))
    assert len(await ward.in_state(DeliveryState.DELIVERED)) == 2


async def test_a_target_that_nothing_reached_for_five_days_is_disabled() -> None:
    ward = Ward(hook=Script(*[DOWN] * 10_000))
    ward.lanes[TARGET] = ward.lane(Script(*[DOWN] * 10_000), late=False)
    for day in range(8):
        await ward.tell(day)
        for _ in range(96):
            await ward.pass_time(timedelta(minutes=15))
        if await ward.status() is TargetStatus.DISABLED:
            break
    health = (await ward.ledger.health([TARGET]))[TARGET]
    assert health.status is TargetStatus.DISABLED
    assert health.changed_at is not None
    assert health.failing_since is not None
    assert health.changed_at - health.failing_since >= DISABLE_AFTER


async def test_people_are_told_late_and_programs_are_left_a_dead_letter() -> None:
    reader, program = Script(*[DOWN] * 3), Script(*[DOWN] * 3)
    ward = Ward(hook=reader, program=program)
    ward.lanes["desk/program"] = ward.lane(program, late=False)
    await ward.tell(1)
    [given_up] = await ward.tell(2, target="desk/program")
    await ward.settle()
    reader.answers.clear()
    program.answers.clear()
    await ward.pass_time(STALE + STALE_WEBHOOK)
    late = reader.given[-1]
    assert late.because is HoldReason.CATCH_UP
    [dead] = await ward.in_state(DeliveryState.DEAD)
    assert (dead.id, dead.reason) == (given_up, DeliveryReason.EXPIRED)
    assert len(program.given) == 1
    assert await ward.ledger.replay(given_up, ward.clock.now())
    await ward.settle()
    assert [each.id for each in program.given] == [given_up, given_up]
    assert not await ward.in_state(DeliveryState.DEAD)


class Lingering(Script):
    """A channel whose attempts take as long as the standing clock is moved meanwhile."""

    def __init__(self, clock: StandingClock, took: timedelta) -> None:
        super().__init__()
        self._clock = clock
        self._took = took

    async def deliver(self, delivery: Delivery, now: object) -> Outcome:
        self._clock.advance(self._took)
        return await super().deliver(delivery, self._clock.now())


async def test_slow_targets_share_a_quarter_of_the_places() -> None:
    ward = Ward(concurrency=8)
    gate, slow = asyncio.Event(), Lingering(ward.clock, 2 * SLOW)
    names = [f"desk/slow-{n}" for n in range(6)]
    quick = Script()
    ward.lanes.update({name: ward.lane(slow) for name in names})
    ward.lanes["desk/quick"] = ward.lane(quick)
    for n, name in enumerate(names):
        await ward.tell(n, target=name)
    await ward.settle()
    slow.gate = gate
    for n, name in enumerate(names):
        await ward.tell(10 + n, 20 + n, target=name)
    await ward.tell(*range(30, 35), target="desk/quick")
    before, stop = len(slow.given), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(ward.service.run(stop))
        await wait_until(lambda: len(quick.given) == 5, "the quick one has all")
        assert len(slow.given) - before <= 2
        gate.set()
        await wait_until(lambda: len(slow.given) - before == 12, "the slow ones have all too")
        stop.set()


async def test_attempts_that_hang_give_their_places_to_others() -> None:
    gate = asyncio.Event()
    hanging, quick = Script(gate=gate), Script()
    ward = Ward(concurrency=4)
    ward.service.patience = 0.05
    for n in range(8):
        ward.lanes[f"desk/hangs-{n}"] = ward.lane(hanging)
        await ward.tell(n, target=f"desk/hangs-{n}")
    ward.lanes["desk/quick"] = ward.lane(quick)
    ward.clock.advance(SECOND)
    await ward.tell(99, target="desk/quick")
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(ward.service.run(stop))
        await wait_until(lambda: len(quick.given) == 1, "the quick one is told all the same")
        assert len(await ward.in_state(DeliveryState.LEASED)) == 8
        gate.set()
        stop.set()
    assert len(await ward.in_state(DeliveryState.DELIVERED)) == 9
