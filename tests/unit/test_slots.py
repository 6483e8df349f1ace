"""Places for tasks, and who steps aside."""

import asyncio

from monitor.services.slots import Slots
from tests.wait import wait_until


async def test_no_more_step_aside_than_their_bound() -> None:
    gate = asyncio.Event()

    async def hang() -> None:
        await gate.wait()

    async with Slots(1, patience=0.001, aside=4) as slots:
        for _ in range(5):  # one in the place, four aside
            slots.start(hang())
            if slots._aside < 4:
                await wait_until(lambda: slots.free == 1, "it steps aside")
        await asyncio.sleep(0.02)
        assert (slots.free, slots._aside) == (0, 4)
        gate.set()
    assert (slots.free, slots._aside) == (1, 0)


async def test_task_that_steps_aside_itself_gives_its_place_once() -> None:
    gate = asyncio.Event()

    async with Slots(2, patience=60) as slots:

        async def record() -> None:
            slots.step_aside()
            slots.step_aside()
            await gate.wait()

        slots.start(record())
        assert slots.free == 1
        await wait_until(lambda: slots.free == 2, "it steps aside")
        slots.step_aside()  # the test has no place
        assert (slots.free, slots._aside) == (2, 1)
        gate.set()
    assert (slots.free, slots._aside) == (2, 0)


async def test_room_is_waited_for_and_no_longer_than_told() -> None:
    gate = asyncio.Event()

    async def hang() -> None:
        await gate.wait()

    async with Slots(2) as slots:
        slots.start(hang())
        await slots.room(2, 0.01)
        assert slots.free == 1
        asyncio.get_running_loop().call_later(0.01, gate.set)
        await slots.room(2, 10)
        assert slots.free == 2
