"""The Procfile as a process manager runs it: every line a process of its own, all on one store."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests import configuration
from tests.acceptance.daemon import environment
from tests.servers.newsroom import Newsroom, Story
from tests.servers.valkey import free_ports
from tests.wait import wait_until

ROOT = Path(__file__).parents[2]
SEVEN = ("poller", "matcher", "router", "deliverer", "archiver", "housekeeper", "web")
PROMISED_SECONDS = 12


class Honcho:
    """A `honcho start` and what its processes have written so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.written = ""

    async def read(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            self.written += line.decode()

    def pids(self) -> dict[str, int]:
        """The processes it has started, by name."""
        found = re.findall(r"(\w+)\.1 started \(pid=(\d+)\)", self.written)
        return {name: int(pid) for name, pid in found}

    async def wait_for(self, text: str, count: int = 1) -> None:
        await wait_until(
            lambda: self.written.count(text) >= count,
            f"{text!r} is written {count} times; so far: {self.written[-3000:]}",
            seconds=40,
        )

    async def end(self) -> None:
        """Stop it as a process manager is stopped; fail when it takes longer than promised."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PROMISED_SECONDS):
            await self.process.wait()


@asynccontextmanager
async def honcho(directory: Path, *lines: str) -> AsyncIterator[Honcho]:
    """Start `lines` of the Procfile, or all of them, with `monitor` on the path."""
    monitor = directory / "bin" / "monitor"
    monitor.parent.mkdir()
    monitor.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m monitor "$@"\n')
    monitor.chmod(0o755)
    (directory / "Procfile").write_text((ROOT / "Procfile").read_text())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "honcho", "--no-colour", "start", "-p", str(base_port()), *lines),
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment(
            PATH=f"{monitor.parent}{os.pathsep}{os.environ['PATH']}",
            PYTHONPATH=str(ROOT),
            PYTHONUNBUFFERED="1",
        ),
    )
    started = Honcho(process)
    async with asyncio.TaskGroup() as group:
        group.create_task(started.read())
        try:
            yield started
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def base_port() -> int:
    """Return where the ports begin that honcho gives out: 100 apart, in the order of the Procfile."""
    return next(port for port in free_ports(50) if port + 1000 < 2**16)


def write_config(directory: Path, newsroom: Newsroom) -> None:
    configuration.write(
        directory / "config",
        feeds={"one": {"url": f"{newsroom.base}/feeds/one.xml", "every": "200ms", "since": "30d"}},
        rules={"talks": "talks"},
        subscribers={"desk": [{"webhook": {"url": f"{newsroom.base}/hooks/desk"}}]},
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("lines", "pages"),
    [(SEVEN, 1), ((), 2)],
    ids=["a process for each service", "all lines at once"],
)
async def test_the_procfile_brings_a_story_to_its_receiver_once_and_ends_when_told(
    tmp_path: Path, lines: tuple[str, ...], pages: int
) -> None:
    async with Newsroom().open() as newsroom, aiohttp.ClientSession() as session:
        newsroom.feeds["one"] = [Story(1, "talks")]
        write_config(tmp_path, newsroom)
        async with honcho(tmp_path, *lines) as manager:
            await manager.wait_for('"event":"monitor_started"', len(lines) or len(SEVEN) + 1)
            await wait_until(lambda: bool(newsroom.received["desk"]), "the story arrives")
            newsroom.feeds["one"] += [Story(2, "talks again")]
            await wait_until(lambda: len(newsroom.received["desk"]) > 1, "and the next one")
            addresses = re.findall(r'"address":"(http://[^"]+)"', manager.written)
            assert len(set(addresses)) == pages
            for address in addresses:
                async with session.get(f"{address}/readyz") as answer:
                    assert answer.status == 200
            pids = manager.pids()
            servers = {int(pid) for pid in re.findall(r'"pid":(\d+)', manager.written)}
            await manager.end()
    titles = [body["data"]["article"]["title"] for body in newsroom.received["desk"]]
    assert titles == ["Story 1: talks", "Story 2: talks again"]
    assert set(pids) == (set(lines) or {*SEVEN, "all"})
    assert servers
    assert not [pid for pid in (*pids.values(), *servers) if is_alive(pid)]
    assert "Traceback" not in manager.written
    assert "SIGKILL" not in manager.written
