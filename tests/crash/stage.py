"""The world around the workers: their configuration, their processes, and waiting for the last alert."""

import asyncio
import json
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from functools import cache, partial
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from monitor.core.model import DeliveryState
from monitor.streams.feeds import StreamFeedStore
from monitor.streams.health import StreamStoreHealth
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.store import Store
from tests.crash.worker import main
from tests.servers.newsroom import READERS, RULES, TARGETS, Newsroom
from tests.servers.smtp import MailServer
from tests.wait import wait_until

# At a kill as many sends are in flight, over all deliverers: two for each webhook; two for the mailbox, one a chat.
IN_FLIGHT = 2 * len(TARGETS)
READ_IN_FLIGHT = 2 + len(READERS) - 1
FEEDS = ("one", "two")
HOUR = timedelta(hours=1)
GATHERED: dict[str, Any] = {"group_by": ["rule"], "group_wait": "200ms", "group_interval": "500ms"}


def write_config(
    directory: Path,
    newsroom: Newsroom,
    store: str,
    smtp_port: int = 0,
    also: str = "",
    *,
    budget: int = 3,
    rate: str | None = None,
) -> Path:
    """Write the configuration of a monitor that watches this newsroom.

    East is told at once, west what gathers within a moment. If the newsroom has readers, south is told in a digest of
    the hour, and they by chat and mail, at most `budget` an hour at once, at this `rate`. East is told of a rule that
    looks for `also`.
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
                for name in FEEDS
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
                {
                    "name": name,
                    "budget": budget,
                    "targets": [target | ({"rate": rate} if rate else {})],
                }
                for name, target in readers.items()
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


@dataclass
class Post(MailServer):
    """A relay that puts the text of each letter where the newsroom looks for it."""

    letters: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        letter = message_from_bytes(self.mail[-1].content, policy=policy.default)
        body = letter.get_body(("plain",))
        assert body is not None
        self.letters.append(str(body.get_content()))
        return answer


class Worker:
    """One process of the product."""

    def __init__(self, config: Path, *options: str) -> None:
        self._arguments = [str(config), *options]
        self._process: BaseProcess | None = None

    async def start(self) -> None:
        """Start it, as the child of a process that has imported the product already: that takes a second."""
        self._process = _nursery().Process(target=main, args=(self._arguments,), daemon=True)
        self._process.start()

    @property
    def process(self) -> BaseProcess:
        assert self._process, "not started"
        return self._process

    @property
    def ended(self) -> bool:
        """Whether it has ended, however that was."""
        return self.process.exitcode is not None

    def killed(self) -> bool:
        """Whether it has died of SIGKILL."""
        return self.process.exitcode == -signal.SIGKILL

    async def kill(self) -> None:
        self.process.kill()
        await wait_until(lambda: self.ended, "who is killed ends")


@cache
def _nursery() -> ForkServerContext:
    """Return where workers come from. Nobody is measured there: who is killed reports no coverage."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.worker", "pytest"])
    measured = {name: os.environ.pop(name) for name in list(os.environ) if "COVERAGE" in name}
    forkserver.ensure_running()
    os.environ.update(measured)
    return context


@asynccontextmanager
async def working(config: Path, *options: str) -> AsyncIterator[Worker]:
    """Run a worker while the block runs, and kill it."""
    worker = Worker(config, *options)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.kill()


async def inherit(newsroom: Newsroom, store: Store, config: Path) -> None:
    """Let a worker take over whose clock is past every lease; what it holds itself another tells, an hour later."""
    for hours in (1, 2, 3):
        async with working(config, "--ahead", str(hours * 3600)):
            rests = partial(at_rest, store, hours * HOUR)
            await wait_until(rests, "all that can be done is done", 40)
        if not newsroom.lost():
            return


async def at_rest(store: Store, ahead: timedelta) -> bool:
    """Whether a worker whose clock is `ahead` has polled and has nothing to do for a second."""
    await asyncio.sleep(0.02)  # asking costs the worker, too
    now = datetime.now(UTC) + ahead
    states = await StreamFeedStore(store).states(FEEDS)
    polls = [state.polled_at for state in states.values() if state.polled_at]
    if len(polls) < len(FEEDS) or min(polls) < now - HOUR / 2:
        return False
    due = await StreamDeliveryLedger(store).next_due()
    if due and due < now + timedelta(seconds=1):
        return False
    census = await StreamStoreHealth(store).census(now)
    if census.deliveries[DeliveryState.LEASED]:
        return False
    return not any(log.length for log in census.logs if log.name in {"articles", "matches"})


async def audit(newsroom: Newsroom, seconds: float = 40) -> None:
    """Wait until everything expected has arrived."""
    await wait_until(
        lambda: not newsroom.lost(), f"all of {len(newsroom.expected())} alerts arrive", seconds
    )
