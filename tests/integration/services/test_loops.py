import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from monitor.errors import StoreRefusedError, StreamError
from monitor.services.service import LeasingService, Service
from monitor.services.slots import Slots
from monitor.services.supervisor import supervise
from monitor.telemetry import Metrics
from tests.wait import wait_until


def longer(names: list[str], than: int) -> bool:
    return len(names) > than


class Turns(Service):
    """Answers each turn with the next of a list: an error to raise, or a number; then stops itself."""

    name = "turns"

    def __init__(self, answers: list[Exception | int], stop: asyncio.Event) -> None:
        super().__init__(Metrics())
        self.answers = answers
        self.stop = stop

    async def step(self) -> int:
        answer = self.answers.pop(0)
        if not self.answers:
            self.stop.set()
        if isinstance(answer, Exception):
            raise answer
        return answer


class Work(LeasingService[str]):
    """Hands out names; each piece of work waits for its own gate."""

    name = "work"

    def __init__(self, pieces: list[str], concurrency: int) -> None:
        super().__init__(Metrics(), concurrency)
        self.pieces = pieces
        self.gates = {piece: asyncio.Event() for piece in pieces}
        self.begun: list[str] = []
        self.ended: list[str] = []

    async def _claim(self, limit: int) -> Sequence[str]:
        taken, self.pieces = self.pieces[:limit], self.pieces[limit:]
        await asyncio.sleep(0)
        return taken

    async def _handle(self, lease: str) -> None:
        self.begun.append(lease)
        await self.gates[lease].wait()
        if lease == "away":
            raise StreamError("connection lost")
        self.ended.append(lease)


async def test_a_server_that_is_away_is_waited_for() -> None:
    stop = asyncio.Event()
    service = Turns([StreamError("away"), StreamError("away"), 1], stop)
    await service.run(stop)
    assert service.answers == []
    assert service.metrics.failures.labels("turns")._value.get() == 2


async def test_a_refused_store_ends_the_service_at_once() -> None:
    stop = asyncio.Event()
    with pytest.raises(StoreRefusedError):
        await Turns([StoreRefusedError("newer format"), 1], stop).run(stop)


async def test_a_slow_piece_of_work_takes_one_place_and_the_others_go_on() -> None:
    work = Work(["slow", "a", "b", "c"], concurrency=2)
    stop = asyncio.Event()
    for quick in "abc":
        work.gates[quick].set()
    async with asyncio.TaskGroup() as group:
        group.create_task(work.run(stop))
        await wait_until(lambda: work.ended == ["a", "b", "c"], "the quick ones end")
        stop.set()
        work.gates["slow"].set()
    assert work.ended == ["a", "b", "c", "slow"]


async def test_never_more_pieces_of_work_than_places() -> None:
    work = Work([str(n) for n in range(20)], concurrency=3)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(work.run(stop))
        for done in range(20):
            await wait_until(partial(longer, work.begun, done), "the next begins")
            assert len(work.begun) - len(work.ended) <= 3
            work.gates[work.begun[done]].set()
            await wait_until(partial(longer, work.ended, done), "and ends")
        stop.set()


async def test_a_server_lost_in_the_middle_of_work_costs_that_work_only() -> None:
    work = Work(["away", "a"], concurrency=2)
    for gate in work.gates.values():
        gate.set()
    assert await work.step() == 2
    assert work.ended == ["a"]


async def test_stop_lets_a_turn_finish_and_cuts_short_what_outlasts_the_grace() -> None:
    finishing, endless = Work(["a"], concurrency=1), Work(["never"], concurrency=1)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(supervise([finishing, endless], stop, timedelta(seconds=0.2)))
        await wait_until(lambda: bool(finishing.begun and endless.begun), "both begin")
        stop.set()
        finishing.gates["a"].set()
    assert finishing.ended == ["a"]
    assert endless.ended == []


async def test_slots_wait_for_their_tasks_on_leaving() -> None:
    ended = []

    async def work(name: str) -> None:
        await asyncio.sleep(0)
        ended.append(name)

    async with Slots(2) as slots:
        slots.start(work("a"))
        slots.start(work("b"))
        assert slots.free == 0
    assert ended == ["a", "b"]


class Deaf(Service):
    """Loses a cancellation, as `asyncio.wait_for` of Python 3.11 can."""

    name = "deaf"

    async def step(self) -> int:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.01)
        return 0


async def test_a_service_that_fails_ends_even_one_that_loses_its_cancellation() -> None:
    stop = asyncio.Event()
    failing = Turns([1, StoreRefusedError("newer format"), 1], stop)
    async with asyncio.timeout(5):
        with pytest.raises(ExceptionGroup):
            await supervise([Deaf(Metrics()), failing], stop, timedelta(seconds=1))
