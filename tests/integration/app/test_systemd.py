import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.app.systemd import Systemd, under_systemd
from tests.wait import wait_until


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listening:
        listening.bind(str(tmp_path / "notify"))
        yield listening


def told(manager: socket.socket) -> list[str]:
    states: list[str] = []
    while True:
        try:
            states.append(manager.recv(1000).decode())
        except BlockingIOError:
            return states


def environment(manager: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(manager.getsockname()), **more}


async def test_the_manager_is_told_when_we_are_ready_and_when_we_stop(
    manager: socket.socket,
) -> None:
    async with under_systemd(environment(manager)):
        assert told(manager) == ["READY=1"]
    assert told(manager) == ["STOPPING=1"]


async def test_signs_of_life_come_twice_an_interval(manager: socket.socket) -> None:
    seen: list[str] = []

    def beats() -> int:
        seen.extend(told(manager))
        return seen.count("WATCHDOG=1")

    async with under_systemd(environment(manager, WATCHDOG_USEC="20000")):
        await wait_until(lambda: beats() >= 3, "three signs of life")
    assert "STOPPING=1" in seen + told(manager)


async def test_a_watchdog_for_another_process_is_not_ours(manager: socket.socket) -> None:
    other = environment(manager, WATCHDOG_USEC="20000", WATCHDOG_PID=str(os.getpid() + 1))
    assert Systemd(other).interval == 0
    assert Systemd(environment(manager, WATCHDOG_USEC="20000")).interval == 0.02


async def test_without_a_manager_nothing_happens(tmp_path: Path) -> None:
    async with under_systemd({}):
        await asyncio.sleep(0)
    async with under_systemd({"NOTIFY_SOCKET": str(tmp_path / "nobody")}):
        await asyncio.sleep(0)


async def test_an_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listening:
        name = f"monitor-test-{os.getpid()}"
        listening.bind(f"\0{name}")
        Systemd({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1")
        assert told(listening) == ["READY=1"]
