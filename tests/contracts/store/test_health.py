"""What every `StoreHealth` promises."""

from datetime import timedelta

from monitor.core.breaker import HEALTHY, disable, enable
from monitor.core.holding import Hold
from monitor.core.model import DeliveryState, FeedState
from monitor.core.outcome import DeliveryReason, HoldReason
from monitor.core.retry import Ruling
from monitor.streams.bounds import RETENTION
from tests.contracts.store.conftest import Ports
from tests.contracts.store.test_ledger import HOOK, attempt, claim, enqueue
from tests.factories import NOW, alert, article, feed

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
    assert census.oldest_undelivered == timedelta()
    assert census.server


async def test_the_oldest_delivery_under_way_is_known_by_its_age(ports: Ports) -> None:
    assert (await ports.health.census(NOW)).oldest_undelivered is None
    for n in range(3):
        await enqueue(ports, n)
    assert (await ports.health.census(NOW + MINUTE)).oldest_undelivered == MINUTE
    while leases := await claim(ports):
        for lease in leases:
            ruling = Ruling(state=DeliveryState.DELIVERED)
            await ports.ledger.record(lease, attempt(), ruling, NOW)
    assert (await ports.health.census(NOW + MINUTE)).oldest_undelivered is None


async def test_finished_deliveries_are_forgotten_after_their_time(ports: Ports) -> None:
    for n, state in enumerate((DeliveryState.DELIVERED, DeliveryState.DEAD)):
        await enqueue(ports, n)
        [lease] = await claim(ports)
        await ports.ledger.record(lease, attempt(), Ruling(state=state), NOW)

    async def left() -> int:
        return sum((await ports.health.census(NOW)).deliveries.values())

    assert await ports.health.tidy(NOW + RETENTION.delivered - MINUTE) == 0
    assert await ports.health.tidy(NOW + RETENTION.delivered) == 1
    assert await left() == 1
    assert await ports.health.tidy(NOW + RETENTION.dead) == 1
    assert await left() == 0


async def test_a_dead_letter_is_kept_from_its_death_on_however_old_it_was(ports: Ports) -> None:
    dead, old = await enqueue(ports, 1), RETENTION.dead - MINUTE
    [lease] = await claim(ports)
    late = Ruling(state=DeliveryState.DEAD, reason=DeliveryReason.GAVE_UP)
    await ports.ledger.record(lease, attempt(), late, NOW + old)
    assert await ports.health.tidy(NOW + old + RETENTION.dead - MINUTE) == 0
    assert await ports.ledger.get(dead)
    assert await ports.health.tidy(NOW + old + RETENTION.dead) == 1


async def test_a_dead_letter_that_is_replayed_is_kept_from_its_second_death_on(
    ports: Ports,
) -> None:
    await enqueue(ports, 1)
    [lease] = await claim(ports)
    dead = Ruling(state=DeliveryState.DEAD, reason=DeliveryReason.GAVE_UP)
    await ports.ledger.record(lease, attempt(), dead, NOW)
    assert await ports.ledger.replay(lease.delivery.id, NOW + MINUTE)
    [again] = await claim(ports, NOW + MINUTE)
    await ports.ledger.record(again, attempt(), dead, NOW + 2 * MINUTE)
    assert await ports.health.tidy(NOW + RETENTION.dead + MINUTE) == 0
    assert await ports.health.tidy(NOW + RETENTION.dead + 2 * MINUTE) == 1


async def test_what_nobody_comes_for_dies_in_the_end_and_can_be_replayed(ports: Ports) -> None:
    waiting = await enqueue(ports, 1)
    off = disable(HEALTHY, DeliveryReason.GONE, "410 twice", NOW)
    await ports.ledger.set_health(HOOK, HEALTHY, off)
    assert await ports.health.tidy(NOW + RETENTION.dead - MINUTE) == 0
    at = NOW + RETENTION.dead
    assert await ports.health.tidy(at) == 1
    found = await ports.ledger.get(waiting)
    assert found is not None
    assert (found.state, found.reason) == (DeliveryState.DEAD, DeliveryReason.EXPIRED)
    assert await ports.health.tidy(at + RETENTION.dead - MINUTE) == 0
    assert await ports.ledger.replay(waiting, at)
    await ports.ledger.set_health(HOOK, off, enable(off, at))
    assert [lease.delivery.id for lease in await claim(ports, at)] == [waiting]


async def test_what_is_retried_after_a_long_hold_is_not_taken_for_forgotten(ports: Ports) -> None:
    held = Hold(group="g", reason=HoldReason.DIGEST, until=NOW + RETENTION.dead)
    told = alert(article=article(id="a1"))
    await ports.ledger.enqueue(told, HOOK, NOW, held)
    [lease] = await claim(ports, NOW + RETENTION.dead)
    later = Ruling(state=DeliveryState.RETRY, due_at=NOW + RETENTION.dead + MINUTE)
    await ports.ledger.record(lease, attempt(), later, NOW + RETENTION.dead)
    assert await ports.health.tidy(NOW + RETENTION.dead + MINUTE) == 0
