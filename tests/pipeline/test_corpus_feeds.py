"""Every real feed of the corpus, served and polled: each ends in a state, and the event loop never stalls."""

import asyncio
import functools
import gc
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.pipeline.stage import pipeline

ROOT = os.environ.get("MONITOR_CORPUS", "")
# A document that is parsed on the loop takes a second and more. On a busy machine all 64 polls may have something to do
# in one turn.
LONGEST_STALL = 0.2
TICK = 0.002

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.no_cover,
    pytest.mark.skipif(not ROOT, reason="MONITOR_CORPUS does not name the folder of real feeds"),
]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


class Server(ThreadingHTTPServer):
    """Lets as many wait for a connection as the poller opens at once."""

    request_queue_size = 64


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder from another thread, so that serving costs the loop under test nothing."""
    handler = functools.partial(Quiet, directory=str(folder))
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@asynccontextmanager
async def measuring_stalls() -> AsyncIterator[list[float]]:
    """Measure how much processor time this thread spends between two ticks of the loop; yield the list of it.

    Processor time and not the clock on the wall: other processes share the machine, and waiting for them is no fault
    of ours.
    """
    spent: list[float] = []

    async def tick() -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(TICK)
            now = time.thread_time()
            spent.append(now - before)
            before = now

    # What two thousand tests before this one have left would make each garbage collection a stall of its own.
    gc.collect()
    gc.freeze()
    try:
        async with asyncio.TaskGroup() as group:
            ticking = group.create_task(tick())
            yield spent
            ticking.cancel()
    finally:
        gc.unfreeze()


@pytest.mark.timeout(120)
async def test_every_real_feed_ends_in_a_state_and_none_stalls_the_loop(
    empty_server_url: str, tmp_path: Path
) -> None:
    folder = Path(ROOT) / "feeds"
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "SOURCE.md")
    with serving(folder) as base:
        feeds = {
            f"feed-{number}": {
                "url": f"{base}/{quote(str(path.relative_to(folder)))}",
                "since": "3650d",
            }
            for number, path in enumerate(files)
        }
        async with (
            pipeline(tmp_path / "config", empty_server_url, feeds=feeds) as stage,
            measuring_stalls() as spent,
        ):
            await stage.take_in()
            states = await stage.parts.feeds.states(list(feeds))
    assert len(states) == len(files) > 500
    undecided = [
        files[int(name.removeprefix("feed-"))].name
        for name, state in states.items()
        if (state.succeeded_at is None) == (state.reason is None)
    ]
    assert undecided == []
    assert stage.metrics.failures.labels("poller")._value.get() == 0
    assert max(spent) < LONGEST_STALL, sorted(spent)[-5:]
