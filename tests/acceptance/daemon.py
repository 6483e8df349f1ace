"""The `monitor` command as a subprocess, with its log lines."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.wait import wait_until

COMMAND = (sys.executable, "-m", "monitor")


def environment(**changes: str) -> dict[str, str]:
    """The environment of this process without what would point the product elsewhere, or have its lines counted.

    Counting lines slows a command down by half, and these tests are not there for the lines.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"REDIS_URL", "PORT", "MONITOR_CONFIG"} and not name.startswith("COVERAGE_")
    }
    return kept | {"COLUMNS": "120", "NO_COLOR": "1"} | changes


def monitor(
    *arguments: str | Path, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(**env),
    )


class Daemon:
    """A `monitor run` and what it has logged so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []
        self.raw: list[str] = []
        self.printed = ""

    async def read_log(self) -> None:
        assert self.process.stderr
        async for line in self.process.stderr:
            text = line.decode()
            self.raw.append(text)
            if text.startswith("{"):
                self.events.append(json.loads(text))

    async def read_output(self) -> None:
        assert self.process.stdout
        while chunk := await self.process.stdout.read(4096):
            self.printed += chunk.decode()

    def logged(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """Log lines of this event in which all `fields` are as given."""
        return [
            each
            for each in self.events
            if each["event"] == event and all(each.get(k) == v for k, v in fields.items())
        ]

    async def wait_for(self, event: str, **fields: object) -> dict[str, Any]:
        """Return the first such log line, when it comes."""
        await wait_until(
            lambda: bool(self.logged(event, **fields)) or self.process.returncode is not None,
            f"{event} {fields} is logged; so far: {''.join(self.raw[-20:])}",
        )
        assert self.logged(event, **fields), "".join(self.raw)
        return self.logged(event, **fields)[0]

    async def address(self) -> str:
        """Where its endpoints listen."""
        return str((await self.wait_for("web_listening"))["address"])

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop, and return its exit code; fail when it takes longer than promised."""
        if self.process.returncode is None:
            self.process.send_signal(how)
        async with asyncio.timeout(12):
            return await self.process.wait()


@asynccontextmanager
async def running(*arguments: str | Path, env: Mapping[str, str] = {}) -> AsyncIterator[Daemon]:
    """Run `monitor run ARGUMENTS` while the block runs."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "run",
        *map(str, arguments),
        "--log-format",
        "json",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**env),
    )
    daemon = Daemon(process)
    async with asyncio.TaskGroup() as group:
        group.create_task(daemon.read_log())
        group.create_task(daemon.read_output())
        try:
            yield daemon
        finally:
            if process.returncode is None:
                process.terminate()
            try:
                async with asyncio.timeout(15):
                    await process.wait()
            except TimeoutError:
                process.kill()
                raise
