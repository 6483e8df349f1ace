"""CPU for polling 500 feeds, beside `reader` (PyPI): first fetch, nothing changed, one new item in each.

Ours is the whole poller: this process, the parsers' processes and the embedded server. The peer is
`update_feeds(workers=20)`. Both poll the same loopback server, one after the other, and start-up counts for neither.
Run: `pip install -e '.[bench]'`, then `python -m tests.benchmarks.bench_poller [--feeds 500]`.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import uvloop
from aiohttp import web

from monitor.app.parts import open_outside, open_store_parts
from monitor.app.program import Program
from monitor.config.load import load
from monitor.telemetry import Metrics, configure_logging
from tests import configuration
from tests.benchmarks.bench_daemon import cpu_seconds, family, name_of
from tests.clock import StandingClock

ITEMS = 50
_PUBLISHER = "bench_poller"
PHASES = {"first fetch": 0.33, "nothing changed": 0.5, "one new item each": 0.125}
"""What is measured, and which part of the peer's CPU ours may take."""
_TEXT = (
    "Delegates returned to the table on Thursday, and a vote is due before the end of the week. "
    * 5
)


# --- the publisher, in a process of its own ---


def body(feed: int, version: int) -> bytes:
    """A document of 50 items, 35 KB; each version has one item more in front, and drops the last."""
    items = "".join(
        f"<item><title>Story {n} of feed {feed}: talks resume</title>"
        f"<link>http://news.example/{feed}/{n}</link><guid>http://news.example/{feed}/{n}</guid>"
        f"<description>{_TEXT}</description>"
        f"<pubDate>Thu, 15 Jan 2026 {n // 60 % 24:02}:{n % 60:02}:00 +0000</pubDate></item>\n"
        for n in range(version + ITEMS, version, -1)
    )
    head = f"<title>Feed {feed}</title><link>http://news.example/{feed}/</link>"
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()
    )


def publish() -> None:
    """Serve feeds until killed; `/version/N` changes them all."""
    version = 0

    async def feed(request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        etag = f'"{number}-{version}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        headers = {"ETag": etag, "Content-Type": "application/rss+xml"}
        return web.Response(body=body(number, version), headers=headers)

    async def change(request: web.Request) -> web.Response:
        nonlocal version
        version = int(request.match_info["version"])
        return web.Response()

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/feeds/{number}", feed)
        app.router.add_get("/version/{version}", change)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


@contextmanager
def publisher() -> Iterator[str]:
    """Run the publisher while the block runs; yield its address."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_poller", "--publish"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def set_version(base: str, version: int) -> None:
    """Change every feed."""
    urllib.request.urlopen(f"{base}/version/{version}").close()  # noqa: S310 - our own server


# --- the peer, in a process of its own ---


def peer(base: str, feeds: int) -> None:
    """Poll as `reader` does; print the CPU seconds of each phase."""
    from reader import make_reader  # noqa: PLC0415 - an extra that only this process needs

    with tempfile.TemporaryDirectory() as directory:
        reader = make_reader(f"{directory}/reader.sqlite")
        for number in range(feeds):
            reader.add_feed(f"{base}/feeds/{number}")
        for version in (0, 0, 1):
            set_version(base, version)
            before = sum(os.times()[:2])
            reader.update_feeds(scheduled=False, workers=20)
            print(json.dumps(sum(os.times()[:2]) - before), flush=True)
        counted = reader.get_entry_counts().total
        if counted != feeds * (ITEMS + 1):
            raise SystemExit(f"the peer has {counted} entries")


def peer_seconds(base: str, feeds: int) -> list[float]:
    """Run the peer to its end."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_poller", "--peer", base]
    ran = subprocess.run(
        [*command, "--feeds", str(feeds)], check=True, stdout=subprocess.PIPE, text=True
    )
    return [json.loads(line) for line in ran.stdout.splitlines()]


# --- ours ---


def spent() -> dict[str, float]:
    """CPU seconds so far, of this process and each kind of process that belongs to it."""
    counted: dict[str, float] = {}
    for pid in family(os.getpid()):
        name = "poller" if pid == os.getpid() else name_of(pid).rpartition(".")[2]
        if name == _PUBLISHER:
            continue
        counted[name] = counted.get(name, 0.0) + cpu_seconds(pid)
    return counted


async def our_seconds(base: str, feeds: int, directory: Path) -> list[dict[str, float]]:
    """Poll everything three times with our poller, as the clock is put forward."""
    config = configuration.write(
        directory / "config",
        monitor={
            "store": {"directory": str(directory / "data")},
            "poll": {"per_host": 16, "concurrency": 64, "domain_gap": "0s"},
        },
        feeds={f"f{n}": {"url": f"{base}/feeds/{n}", "every": "15m"} for n in range(feeds)},
    )
    settings, clock = load(config, {}), StandingClock()
    phases: list[dict[str, float]] = []
    async with open_store_parts(settings, clock) as parts, open_outside(settings) as outside:
        program = Program(settings, parts, outside, Metrics())
        await program.listing.sync()
        for version in (0, 0, 1):
            await asyncio.to_thread(set_version, base, version)
            clock.advance(timedelta(hours=1))
            before = spent()
            while await parts.feeds.next_due() <= clock.now():  # type: ignore[operator]
                await program.poller.step()
            after = spent()
            phases.append({name: after[name] - before.get(name, 0.0) for name in after})
        census = await parts.health.census(clock.now())
        if census.logs[0].length != feeds:
            raise SystemExit(f"{census.logs[0].length} articles were found, not {feeds}")
    return phases


def main() -> None:
    """Measure both, and print each phase with its ratio and target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=500)
    parser.add_argument("--publish", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.publish:
        publish()
    elif chosen.peer:
        peer(chosen.peer, chosen.feeds)
    else:
        configure_logging("error")
        with publisher() as base, tempfile.TemporaryDirectory() as directory:
            print(f"{chosen.feeds} feeds of {ITEMS} items, {len(body(0, 0)) / 1024:.0f} KiB each")
            theirs = peer_seconds(base, chosen.feeds)
            ours = uvloop.run(our_seconds(base, chosen.feeds, Path(directory)))
        for (name, target), mine, other in zip(PHASES.items(), ours, theirs, strict=True):
            total, each = sum(mine.values()), 1000 / chosen.feeds
            parts = ", ".join(f"{part} {seconds * each:.2f}" for part, seconds in mine.items())
            verdict = "ok" if total / other <= target else "MISSED"
            print(
                f"{name:18} ours {total * each:6.2f} ms a feed, reader {other * each:6.2f};"
                f" ratio {total / other:.3f}, at most {target}: {verdict}  ({parts})"
            )


if __name__ == "__main__":
    main()
