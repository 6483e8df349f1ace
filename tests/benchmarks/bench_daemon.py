"""`monitor run` as a process: start-up to the first poll, then CPU and memory while 25 feeds have nothing new.

The bounds, measured in the same run: an interpreter that does nothing (start-up) and one that sleeps (memory).
Run: `python -m tests.benchmarks.bench_daemon [--seconds 30]`.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.acceptance.daemon import running
from tests.crash.stage import write_config
from tests.servers.newsroom import Newsroom, Story
from tests.wait import wait_until

_TICKS = os.sysconf("SC_CLK_TCK")
_FEEDS = 25
_STARTS = 5


def cpu_seconds(pid: int) -> float:
    """User and system time of one process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mib(pid: int, kind: str = "Rss") -> float:
    """Resident memory of one process; of kind `Pss`, pages that processes share are shared out among them."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in rollup if line.startswith(f"{kind}:"))


def wake_ups(pid: int) -> int:
    """How often the main thread of a process went to sleep so far."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt"))


def family(pid: int) -> list[int]:
    """A process and all that descend from it: the embedded server, the parser's workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def name_of(pid: int) -> str:
    """The module a process runs, or its program."""
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return words[words.index("-m") + 1] if "-m" in words else Path(words[0].split()[0]).name


async def bare_start() -> float:
    """How long an interpreter takes that does nothing."""
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "pass")
    await process.wait()
    return time.perf_counter() - begun


def median(values: Iterable[float]) -> float:
    """The one in the middle."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def configure(directory: Path, newsroom: Newsroom) -> Path:
    """Write a configuration of 25 feeds, polled every 15 minutes."""
    config = write_config(directory / "config", newsroom, str(directory / "data"))
    names = [f"feed-{n}" for n in range(_FEEDS)]
    for name in names:
        newsroom.feeds[name] = [Story(n, f"{name} news") for n in range(20)]
    feeds = [{"id": n, "name": n, "url": f"{newsroom.base}/feeds/{n}.xml"} for n in names]
    (config / "feeds.yaml").write_text(json.dumps({"feeds": feeds}))
    return config


async def measure(seconds: float) -> None:
    """Print the figures."""
    async with Newsroom().open() as newsroom:
        bare, first = [], []
        for _ in range(_STARTS):
            with tempfile.TemporaryDirectory() as directory:
                config = configure(Path(directory), newsroom)
                bare.append(await bare_start())
                begun = time.perf_counter()
                async with running("--config", config) as daemon:
                    await daemon.wait_for("feed_polled")
                    first.append(time.perf_counter() - begun)
        print(
            f"start to first poll   {median(first):.2f} s"
            f" = {median(first) / median(bare):.0f} x a bare interpreter ({median(bare) * 1000:.0f} ms)"
        )
        with tempfile.TemporaryDirectory() as directory:
            async with running("--config", configure(Path(directory), newsroom)) as daemon:
                polled = "every feed is polled"
                await wait_until(lambda: len(daemon.logged("feed_polled")) >= _FEEDS, polled, 60)
                await idle(daemon.process.pid, seconds)


async def idle(pid: int, seconds: float) -> None:
    """Print what a daemon with nothing to do costs."""
    everyone = family(pid)
    cpu, woken = [cpu_seconds(each) for each in everyone], [wake_ups(each) for each in everyone]
    begun = time.perf_counter()
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - begun
    for each, seconds_before, woken_before in zip(everyone, cpu, woken, strict=True):
        share = 100 * (cpu_seconds(each) - seconds_before) / elapsed
        often = (wake_ups(each) - woken_before) / elapsed
        print(
            f"idle {name_of(each):22} {share:5.2f} % of a core, {often:4.1f} wake-ups/s,"
            f" {memory_mib(each):6.1f} MiB"
        )
    command = (sys.executable, "-c", "import time; print(flush=True); time.sleep(60)")
    bare = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert bare.stdout
    await bare.stdout.readline()
    bare_mib = memory_mib(bare.pid)
    bare.kill()
    await bare.wait()
    total = sum(memory_mib(each, "Pss") for each in everyone)
    print(f"idle in all           {total:.0f} MiB = {total / bare_mib:.0f} x a bare interpreter")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    asyncio.run(measure(parser.parse_args().seconds))


if __name__ == "__main__":
    main()
