"""Ways in which stream consumers are known to lose or repeat entries, each as a test."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from monitor.core.model import Article, Attempt, DeliveryState, FeedState
from monitor.core.outcome import Verdict
from monitor.core.retry import Ruling
from monitor.errors import StreamFullError
from monitor.ports import DeliveryFilter, PollRecorded
from monitor.streams import codec, keys
from monitor.streams.client import command
from monitor.streams.feeds import StreamFeedStore
from monitor.streams.health import StreamStoreHealth
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.log import GROUP, StreamArticleLog, StreamMatchLog
from monitor.streams.public import StreamPublicStream
from monitor.streams.store import Store, server_facts
from tests.factories import NOW, alert, article, feed, match
from tests.wait import wait_until

MINUTE = timedelta(minutes=1)
NOT_AT_ALL = timedelta()
ARTICLES = keys.key(3, keys.ARTICLES)


async def append(store: Store, *articles: Article) -> None:
    for one in articles:
        await store.server.run(command("XADD", ARTICLES, "*", "d", codec.articles.encode(one)))


async def dead_entries(store: Store) -> list[dict[bytes, bytes]]:
    found = await store.server.run(command("XRANGE", keys.key(3, keys.DEAD), "-", "+"))
    return [fields for _, fields in found]


async def test_what_was_appended_before_the_first_consumer_came_is_read(store: Store) -> None:
    await append(store, article())
    [entry] = await StreamArticleLog(store, "c").read(10, MINUTE)
    assert entry.value == article()


async def test_a_store_that_was_emptied_under_a_consumer_heals(store: Store) -> None:
    log = StreamArticleLog(store, "c")
    await append(store, article(id="before"))
    await log.read(10, MINUTE)
    await store.server.everywhere("FLUSHALL")
    await append(store, article(id="after"))
    [entry] = await log.read(10, MINUTE)
    assert entry.value.id == "after"


@pytest.mark.parametrize(
    "fields",
    [("d", b"\xff\xff"), ("d", b"\x02" + b"\x80"), ("d", b"\x01\xc1"), ("x", b"y")],
    ids=["garbage", "newer-version", "broken", "no-data"],
)
async def test_an_unreadable_entry_is_buried_as_it_came_and_holds_nobody_up(
    store: Store, fields: tuple[str, bytes]
) -> None:
    await store.server.run(command("XADD", ARTICLES, "*", *fields))
    await append(store, article())
    log = StreamArticleLog(store, "c")
    [entry] = await log.read(16, MINUTE) or await log.read(16, MINUTE)
    assert entry.value == article()
    [buried] = await dead_entries(store)
    assert b"cannot read this Article" in buried[b"why"]
    assert buried[b"log"] == b"articles"
    assert buried[b"d"] == (fields[1] if fields[0] == "d" else b"")


async def test_an_entry_that_somebody_finished_meanwhile_is_not_buried(store: Store) -> None:
    """A consumer that stalls before it buries has lost the entry to another; nothing may be counted dead."""
    await append(store, article())
    stalled = StreamArticleLog(store, "stalled")
    [entry] = await stalled.read(10, MINUTE)
    assert await StreamArticleLog(store, "quick").forward(entry, ())
    await stalled._bury(ARTICLES, entry.id, "handed out too often")
    assert await dead_entries(store) == []


async def test_a_poisonous_entry_is_buried_with_the_reason(store: Store) -> None:
    await append(store, article())
    for _ in range(5):
        assert await StreamArticleLog(store, "c").read(10, NOT_AT_ALL)
    assert await StreamArticleLog(store, "c").read(10, NOT_AT_ALL) == []
    [buried] = await dead_entries(store)
    assert buried[b"why"] == b"handed out 5 times and never finished"
    assert codec.articles.decode(buried[b"d"]) == article()


async def test_entries_of_a_dead_consumer_go_to_a_living_one(store: Store) -> None:
    await append(store, *(article(id=f"a{n}") for n in range(40)))
    dead = StreamArticleLog(store, "dead")
    while await dead.read(16, NOT_AT_ALL):
        pass
    living = StreamArticleLog(store, "living", min_idle=timedelta(milliseconds=1))
    taken: list[str] = []
    while entries := await living.read(7, timedelta(milliseconds=20)):
        taken += [entry.value.id for entry in entries]
        for entry in entries:
            assert await living.forward(entry, ())
    assert taken == [f"a{n}" for n in range(40)]


async def test_entries_that_somebody_trimmed_are_counted_as_lost(store: Store) -> None:
    await append(store, article(id="a"), article(id="b"))
    dead = StreamArticleLog(store, "dead")
    while await dead.read(16, NOT_AT_ALL):
        pass
    await store.server.run(command("XTRIM", ARTICLES, "MAXLEN", 0))
    living = StreamArticleLog(store, "living", min_idle=timedelta(milliseconds=1))

    async def both_are_missed() -> bool:
        assert await living.read(10, timedelta(milliseconds=20)) == []
        return living.lost == 2

    await wait_until(both_are_missed, "two entries are counted as lost")


async def test_an_unreadable_delivery_is_dead_and_holds_nobody_up(store: Store) -> None:
    ledger = StreamDeliveryLedger(store)
    broken = await ledger.enqueue(alert(), "t", NOW)
    whole = await ledger.enqueue(alert(article=article(id="a2")), "t", NOW)
    partition = store.partition_of("t")
    key = keys.key(partition, f"delivery:{broken}")
    await store.server.run(command("HSET", key, "alert", b"\xff"))
    leases = await ledger.claim(NOW, MINUTE, 10, NOT_AT_ALL)
    assert [lease.delivery.id for lease in leases] == [whole]
    assert (await StreamStoreHealth(store).census(NOW)).deliveries[DeliveryState.DEAD] == 1
    assert [one.id for one in await ledger.find(DeliveryFilter())] == [whole]
    assert len(await ledger.claim(NOW + 2 * MINUTE, MINUTE, 10, NOT_AT_ALL)) == 1


async def test_a_target_is_found_behind_pages_of_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.streams.ledger.PAGE", 2)
    ledger = StreamDeliveryLedger(store)
    sought = await ledger.enqueue(alert(), "t", NOW)
    partition = store.partition_of("t")
    others = (f"t{n}" for n in range(1000) if store.partition_of(f"t{n}") == partition)
    for target in islice(others, 5):
        await ledger.enqueue(alert(created_at=NOW + MINUTE), target, NOW)
    found = await ledger.find(DeliveryFilter(target_id="t"))
    assert [one.id for one in found] == [sought]


async def test_a_consumer_that_is_gone_for_long_is_dismissed_unless_it_holds_entries(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(store, article())
    await StreamArticleLog(store, "holds-one").read(10, NOT_AT_ALL)
    await StreamArticleLog(store, "idle").read(10, NOT_AT_ALL)
    monkeypatch.setattr("monitor.streams.health.CONSUMER_GONE", -MINUTE)
    await StreamStoreHealth(store).tidy(NOW)
    consumers = await store.server.run(command("XINFO CONSUMERS", ARTICLES, GROUP))
    assert [one["name"] for one in consumers] == [b"holds-one"]


@pytest.fixture
async def nearly_full(store: Store) -> AsyncIterator[Store]:
    """A store with room for some dozens of big articles."""
    await leave_room(store, 1_000_000)
    yield store
    await store.server.everywhere("CONFIG", "SET", "maxmemory", 0)


async def leave_room(store: Store, room: int) -> None:
    """Bound the server's memory at what it uses now and `room` bytes."""
    [facts] = await server_facts(store.server)
    await store.server.everywhere("CONFIG", "SET", "maxmemory", facts["used_memory"] + room)


async def test_a_full_store_refuses_polls_as_a_whole_and_drains(nearly_full: Store) -> None:
    store, feeds = nearly_full, StreamFeedStore(nearly_full)
    await feeds.sync([feed()], NOW, NOT_AT_ALL)
    appended = await fill(feeds)
    assert await feeds.known(feed().id, [appended, appended - 1]) == {appended - 1}
    census = await StreamStoreHealth(store).census(NOW)
    assert census.logs[0].length == appended
    await leave_room(store, -200_000)  # else the buffers of a connection decide what is full
    with pytest.raises(StreamFullError):
        await feeds.claim(NOW + MINUTE, MINUTE, 1)

    assert await drain(store) == appended
    census = await StreamStoreHealth(store).census(NOW)
    assert [log.length for log in census.logs] == [0, 0, 0]
    assert census.deliveries[DeliveryState.DELIVERED] == appended
    assert await StreamStoreHealth(store).tidy(datetime.now(UTC) + 6 * MINUTE) >= appended
    await wait_until(lambda: polls_again(feeds), "the server freed memory, in the background")


async def polls_again(feeds: StreamFeedStore) -> bool:
    """Whether the store takes a poll with an article."""
    try:
        [lease] = await feeds.claim(NOW + MINUTE, NOT_AT_ALL, 1)
        outcome = await feeds.record(lease, FeedState(), NOW, now=NOW, articles=[article()])
    except StreamFullError:
        return False
    return outcome is PollRecorded.DONE


async def fill(feeds: StreamFeedStore) -> int:
    """Poll until the server is full; return how many articles it took."""
    count = 0
    while True:
        [lease] = await feeds.claim(NOW, MINUTE, 1)
        big = article(id=f"a{count}", body="x" * 20_000)
        try:
            await feeds.record(lease, FeedState(), NOW, now=NOW, keys=[count], articles=[big])
        except StreamFullError:
            return count
        count += 1


async def drain(store: Store) -> int:
    """Do all that follows from the articles, while the server is full; return the deliveries made."""
    articles, matches = StreamArticleLog(store, "c"), StreamMatchLog(store, "c")
    ledger, public = StreamDeliveryLedger(store), StreamPublicStream(store)
    while entries := await articles.read(64, NOT_AT_ALL):
        for entry in entries:
            assert await articles.forward(entry, (match(article_id=entry.value.id),))
    while hits := await matches.read(64, NOT_AT_ALL):
        for hit in hits:
            told = alert(article=hit.value.article, matches=hit.value.matches)
            await ledger.enqueue(told, "t", NOW)
            await public.publish(hit.value, NOW)
            assert await matches.done(hit)
    count = 0
    while leases := await ledger.claim(NOW, MINUTE, 64, NOT_AT_ALL):
        for lease in leases:
            attempt = Attempt(
                number=1, started_at=NOW, duration=NOT_AT_ALL, verdict=Verdict.DELIVERED
            )
            ruling = Ruling(state=DeliveryState.DELIVERED)
            assert await ledger.record(lease, attempt, ruling, NOW)
            count += 1
    return count


async def test_rings_for_what_was_claimed_meanwhile_wake_nobody_later(store: Store) -> None:
    ledger = StreamDeliveryLedger(store)
    told = alert(article=article(id="a1"), matches=(match(article_id="a1"),))
    for target in ("desk/1", "desk/2", "desk/3"):
        await ledger.enqueue(told, target, NOW)
    assert len(await ledger.claim(NOW, MINUTE, 10, NOT_AT_ALL)) == 3
    assert await ledger.claim(NOW, MINUTE, 10, NOT_AT_ALL) == []
    bells = [command("LLEN", keys.key(partition, "bell")) for partition in store.all()]
    assert set(await store.server.each(bells)) == {0}


async def test_ring_stays_while_something_is_due_that_another_may_claim(store: Store) -> None:
    ledger = StreamDeliveryLedger(store)
    told = alert(article=article(id="a1"), matches=(match(article_id="a1"),))
    await ledger.enqueue(told, "desk/1", NOW)
    assert await ledger.claim(NOW, MINUTE, 0, NOT_AT_ALL) == []
    bell = keys.key(store.partition_of("desk/1"), "bell")
    assert await store.server.run(command("LLEN", bell)) == 1
