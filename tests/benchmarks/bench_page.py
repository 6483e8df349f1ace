"""The page: how long each view takes with a month in the archive.

    python -m tests.benchmarks.bench_page [--articles 300000] [--keep DIRECTORY] [--requests 200]

30 days of 10,000 articles, one in 20 of which a rule found; over real HTTP, one request after the other, from the same
process. `wall` is what a reader waits for, `cpu` what both sides spend. The bound, in the same run: `/healthz`, which
does nothing.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp

from monitor.archive.sqlite import open_sqlite
from monitor.core.access import Scope
from tests.benchmarks.bench_archive import DAYS, fill
from tests.integration.web.conftest import SECRETS, Desk, open_desk

OURS = {"Sec-Fetch-Site": "same-origin"}
TYPICAL = '(syria OR damascus) NEAR/8 (resolution* OR draft OR "security council")'
Ask = Callable[[int], Awaitable[aiohttp.ClientResponse]]


def views(desk: Desk, count: int) -> dict[str, Ask]:
    def get(path: str) -> Ask:
        return lambda n: desk.session.get(desk.address + path.format(n=n * 997 % count))

    def post(path: str, **form: str) -> Ask:
        return lambda _: desk.session.post(desk.address + path, data=form, headers=OURS)

    return {
        "/healthz": get("/healthz"),
        "latest matches": get("/"),
        "older matches": get("/?before={n}"),
        "by rule": get("/?rule=talks"),
        "by text": get("/?q=lavrov"),
        "by feed": get("/?feed=feed-20"),
        "by language, none": get("/?lang=xx"),
        "rules": get("/rules"),
        "why": get("/articles/article-{n}"),
        "story": get("/stories/article-{n}"),
        "preview": post("/editor/try", query=TYPICAL),
        "backtest 7 days": post("/editor/backtest", query=TYPICAL, period="7d"),
        "API search": get("/api/articles?query=lavrov&limit=50"),
    }


async def measure(desk: Desk, name: str, ask: Ask, requests: int) -> None:
    waited: list[float] = []
    cpu, size = time.process_time(), 0
    for n in range(requests):
        assert desk.gate
        desk.gate._allowances.clear()
        start = time.perf_counter()
        async with await ask(n + 1) as answer:
            size = max(size, len(await answer.read()))
            assert answer.status in {200, 201, 404}, answer.status
        waited.append(time.perf_counter() - start)
    spent = (time.process_time() - cpu) / requests
    waited.sort()
    p50, p99 = waited[requests // 2] * 1000, waited[requests * 99 // 100] * 1000
    print(
        f"{name:18} wall p50 {p50:7.1f} ms, p99 {p99:7.1f} ms, cpu {spent * 1000:6.1f} ms, {size / 1024:6.1f} KiB"
    )


@asynccontextmanager
async def month(directory: Path, count: int) -> AsyncIterator[Desk]:
    """Open the page and the API over an archive of a month, filled if it is empty; the session may read and write."""
    async with open_sqlite(directory / "archive.sqlite") as archive:
        if not await archive.count(None, None):
            await fill(archive, count)
    async with open_desk(directory) as desk:
        desk.clock.advance(timedelta(days=DAYS))
        desk.session.headers.update(desk.headers(Scope.WRITE))
        signed = desk.session.post(
            f"{desk.address}/sign-in", data={"token": SECRETS[Scope.READ]}, headers=OURS
        )
        async with signed as answer:
            assert answer.status == 200
        yield desk


async def main(count: int, directory: Path, requests: int) -> None:
    async with month(directory, count) as desk:
        for name, ask in views(desk, count).items():
            few = requests if name != "backtest 7 days" else max(5, requests // 20)
            await measure(desk, name, ask, few)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--articles", type=int, default=300_000)
    arguments.add_argument("--keep", type=Path, help="Where to leave the archive, to use it again.")
    arguments.add_argument("--requests", type=int, default=200)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(given.articles, given.keep or Path(temporary), given.requests))
