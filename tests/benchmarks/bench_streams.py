"""How fast the store is, against bare pipelined XADDs of the same bytes: python -m tests.benchmarks.bench_streams."""

import asyncio
import logging
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from redis.asyncio import Redis

from monitor.core.model import Attempt, DeliveryState, FeedState
from monitor.core.outcome import Verdict
from monitor.core.retry import Ruling
from monitor.streams import codec
from monitor.streams.feeds import StreamFeedStore
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.log import StreamArticleLog
from monitor.streams.store import Store, open_store
from tests.factories import NOW, alert, article, feed, match

COUNT = 2000
KEYS = range(50)
BODY = "x" * 400
MINUTE = timedelta(minutes=1)
NOT_AT_ALL = timedelta()


async def bare(store: Store) -> int:
    """Append the same articles with XADD alone, 100 in a pipeline: the ceiling."""
    data = codec.articles.encode(article(body=BODY))
    async with Redis.from_url(store.url, protocol=2, driver_info=None) as client:
        for _ in range(COUNT // 100):
            pipeline: Any = client.pipeline(transaction=False)
            for _ in range(100):
                pipeline.xadd("monitor:bare", {"d": data})
            await pipeline.execute()
    return COUNT


async def polls(store: Store) -> int:
    """Claim and record polls with 50 known keys and one new article each."""
    feeds = StreamFeedStore(store, high_water=COUNT * 2)
    every = [feed(id=f"f{n}", url=f"http://host{n}.example/") for n in range(COUNT)]
    await feeds.sync(every, NOW, NOT_AT_ALL)
    while leases := await feeds.claim(NOW, MINUTE, 50):
        for lease in leases:
            one = article(id=lease.feed_id, feed_id=lease.feed_id, body=BODY)
            later = NOW + timedelta(hours=1)
            await feeds.record(lease, FeedState(), later, now=NOW, keys=KEYS, articles=[one])
    return COUNT


async def steady_polls(store: Store) -> int:
    """Claim and record polls with 50 known keys and nothing new: what most polls are."""
    feeds = StreamFeedStore(store)
    now, later = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    while leases := await feeds.claim(now, MINUTE, 50):
        for lease in leases:
            await feeds.record(lease, FeedState(), later, now=now, keys=KEYS)
    return COUNT


async def hops(store: Store) -> int:
    """Read articles and forward each with one match."""
    log, count = StreamArticleLog(store, "bench"), 0
    while entries := await log.read(100, NOT_AT_ALL):
        for entry in entries:
            count += await log.forward(entry, (match(article_id=entry.value.id),))
    return count


async def deliveries(store: Store) -> int:
    """Enqueue, claim and record deliveries, for 50 targets."""
    ledger, count = StreamDeliveryLedger(store), 0
    ruling = Ruling(state=DeliveryState.DELIVERED)
    attempt = Attempt(number=1, started_at=NOW, duration=MINUTE, verdict=Verdict.DELIVERED)
    for n in range(COUNT):
        one = alert(article=article(id=f"a{n}", body=BODY), matches=(match(article_id=f"a{n}"),))
        await ledger.enqueue(one, f"target-{n % 50}", NOW)
    while leases := await ledger.claim(NOW, MINUTE, 64, NOT_AT_ALL):
        for lease in leases:
            count += await ledger.record(lease, attempt, ruling, NOW)
    return count


async def main() -> None:
    """Print operations a second, the median of three runs, and their share of the ceiling."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    steps = (bare, polls, steady_polls, hops, deliveries)
    rates: dict[str, list[float]] = {step.__name__: [] for step in steps}
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(None, Path(folder)) as store:
            for _ in range(3):
                await store.server.everywhere("FLUSHALL")
                for step in steps:
                    start = time.perf_counter()
                    count = await step(store)
                    rates[step.__name__].append(count / (time.perf_counter() - start))
    ceiling = sorted(rates["bare"])[1]
    for name, measured in rates.items():
        rate = sorted(measured)[1]
        print(f"{name:14}{rate:10,.0f}/s{rate / ceiling:8.2f} of the ceiling")


if __name__ == "__main__":
    asyncio.run(main())
