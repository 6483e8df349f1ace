"""What every `StoreHealth` promises."""

from datetime import timedelta

from monitor.core.model import DeliveryState, FeedState
from monitor.core.retry import Ruling
from monitor.streams.bounds import RETENTION
from tests.contracts.store.conftest import Ports
from tests.contracts.store.test_ledger import attempt, claim, enqueue
from tests.factories import NOW, article, feed

MINUTE = timedelta(minutes=1)
NOT_AT_ALL = timedelta()


async def test_ping_answers(ports: Ports) -> None:
    await ports.health.ping()


async def test_census_counts_feeds_logs_and_deliveries(ports: Ports) -> None:
    feeds = [feed(id=f"f{n}", url=f"http://host{n}.example/") for n in range(3)]
    await ports.feeds.sync(feeds, NOW, NOT_AT_ALL)
    [lease] = await ports.feeds.claim(NOW, MINUTE, 1)
    two = [article(id="a1"), article(id="a2")]
    await ports.feeds.record(lease, FeedState(), NOW + MINUTE, now=NOW, articles=two)
    await ports.articles("c").read(1, MINUTE)
    for n in range(3):
        await enqueue(ports, n)
    await claim(ports, limit=1)

    census = await ports.health.census(NOW)
    articles, matches, _ = census.logs
    assert (census.feeds, census.feeds_due) == (3, 2)
    assert (articles.name, articles.length, articles.pending) == ("articles", 2, 1)
    assert articles.oldest is not None
    assert (matches.name, matches.length, matches.pending, matches.oldest) == (
        "matches",
        0,
        0,
        None,
    )
    assert census.deliveries == {
        DeliveryState.PENDING: 2,
        DeliveryState.LEASED: 1,
        DeliveryState.RETRY: 0,
        DeliveryState.DELIVERED: 0,
        DeliveryState.DEAD: 0,
        DeliveryState.DROPPED: 0,
        DeliveryState.HELD: 0,
        DeliveryState.FOLDED: 0,
    }
    assert census.server


async def test_finished_deliveries_are_forgotten_after_their_time(ports: Ports) -> None:
    for n, state in enumerate((DeliveryState.DELIVERED, DeliveryState.DEAD)):
        await enqueue(ports, n)
        [lease] = await claim(ports)
        await ports.ledger.record(lease, attempt(), Ruling(state=state), NOW)
    waiting = await enqueue(ports, 9)

    async def left() -> int:
        return sum((await ports.health.census(NOW)).deliveries.values())

    assert await ports.health.tidy(NOW + RETENTION.delivered - MINUTE) == 0
    assert await ports.health.tidy(NOW + RETENTION.delivered) == 1
    assert await left() == 2
    assert await ports.health.tidy(NOW + RETENTION.dead) == 1
    assert await left() == 1
    assert await ports.health.tidy(NOW + 10 * RETENTION.dead) == 0
    assert await ports.ledger.get(waiting) is not None
