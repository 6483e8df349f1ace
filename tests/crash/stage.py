"""The world around the workers: their configuration, their processes, and waiting for the last alert."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.servers.newsroom import READERS, RULES, TARGETS, Newsroom
from tests.wait import wait_until

GATHERED: dict[str, Any] = {"group_by": ["rule"], "group_wait": "200ms", "group_interval": "500ms"}


def write_config(
    directory: Path, newsroom: Newsroom, store: str, smtp_port: int = 0, also: str = ""
) -> Path:
    """Write the configuration of a monitor that watches this newsroom.

    East is told at once, west what gathers within a moment. If the newsroom has readers, south is told in a digest of
    the hour, and they by chat and mail, at most so many an hour at once. East is told of a rule that looks for `also`.
    """
    paces = {"south": {"schedule": "hourly"}} if newsroom.readers else {}
    more = {also: also} if also else {}
    directory.mkdir(parents=True, exist_ok=True)
    readers = {name: _reader(directory, name, newsroom, smtp_port) for name in newsroom.readers}
    files = {
        "monitor": {
            "store": store_settings(store),
            "listen": {"port": 0},
            "poll": {"min_interval": "100ms", "per_host": 4, "domain_gap": "0s"},
            "network": {"allow": ["127.0.0.0/8"]},
        },
        "feeds": {
            "feeds": [
                {
                    "id": name,
                    "name": name,
                    "url": f"{newsroom.base}/feeds/{name}.xml",
                    "every": "1s",
                    "since": "30d",
                }
                for name in ("one", "two")
            ]
        },
        "rules": {
            "rules": [{"id": rule, "query": query} for rule, query in (RULES | more).items()]
        },
        "subscribers": {
            "subscribers": [
                {
                    "name": name,
                    "targets": [{"webhook": {"url": f"{newsroom.base}/hooks/{name}"}}],
                    **paces.get(name, {}),
                }
                for name in TARGETS
            ]
            + [
                {"name": name, "budget": 3, "targets": [target]} for name, target in readers.items()
            ],
            "route": {
                "routes": [
                    {
                        "match": {"rule": rule},
                        "subscriber": name,
                        "continue": True,
                        **(GATHERED if name == "west" else {}),
                    }
                    for name, rule in (TARGETS | READERS).items()
                    if name in TARGETS or name in readers
                ]
                + [{"match": {"rule": rule}, "subscriber": "east"} for rule in more]
            },
        },
    }
    for name, content in files.items():
        (directory / f"{name}.yaml").write_text(json.dumps(content))
    return directory


def _reader(directory: Path, name: str, newsroom: Newsroom, smtp_port: int) -> dict[str, Any]:
    """Return the target of a reader, whose secret is written into a file."""
    address = f"{newsroom.base}/readers/{name}"
    secret = directory / f"{name}-secret"
    secret.write_text({"bot": "xoxb-1", "telegram": "1:a", "ntfy": "topic"}.get(name, address))
    secret_file = secret.name
    match name:
        case "mail":
            relay = {"host": "127.0.0.1", "port": smtp_port, "tls": "none"}
            return {"email": {"to": "a@desk.example", "from": "m@desk.example", "smtp": relay}}
        case "bot":
            return {"slack": {"token_file": secret_file, "channel": "C1", "api": address}}
        case "telegram":
            return {"telegram": {"token_file": secret_file, "chat": "1", "api": address}}
        case "ntfy":
            return {"ntfy": {"url": address, "topic_file": secret_file}}
        case _:
            return {name: {"webhook_url_file": secret_file}}


def store_settings(store: str) -> dict[str, str]:
    """Name the store by its address, or by the directory of an embedded one."""
    return {"url": store} if "://" in store else {"directory": store}


class Worker:
    """One process of the product."""

    def __init__(self, config: Path, *options: str) -> None:
        self._command = (sys.executable, "-m", "tests.crash.worker", str(config), *options)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        # Who is killed reports no coverage, and measuring makes every start twice as slow.
        env = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
        self._process = await asyncio.create_subprocess_exec(*self._command, env=env)

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process, "not started"
        return self._process

    async def killed(self) -> bool:
        """Whether it has died of SIGKILL."""
        return self.process.returncode == -signal.SIGKILL

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        """End it as an operator would, and insist after the promised ten seconds."""
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(15):
            await self.process.wait()


@asynccontextmanager
async def working(config: Path, *options: str) -> AsyncIterator[Worker]:
    """Run a worker while the block runs; end it as an operator would."""
    worker = Worker(config, *options)
    await worker.start()
    try:
        yield worker
        await worker.stop()
    finally:
        await worker.kill()


async def audit(newsroom: Newsroom, seconds: float = 40) -> None:
    """Wait until everything expected has arrived."""
    await wait_until(
        lambda: not newsroom.lost(), f"all of {len(newsroom.expected())} alerts arrive", seconds
    )
