"""What every `FeedStore` promises to the servers of feeds, however many pollers there are."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from monitor.core.model import FeedState
from monitor.core.schedule import UNRESTRAINED, Restraint
from monitor.errors import FeedReason
from monitor.ports import FeedLease, FeedStore
from tests.contracts.store.conftest import DOMAIN_GAP, Ports
from tests.factories import NOW, feed

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
AT_ONCE = timedelta()
SLOWER = Restraint(slower=True)
WELL = FeedState()
REFUSED = FeedState(reason=FeedReason.RATE_LIMITED)


async def list_feeds(store: FeedStore, *names: str, now: datetime = NOW) -> None:
    """List feeds by their ids, each of the host that its id begins with."""
    feeds = [feed(id=name, url=f"http://{name.partition('/')[0]}/{name}") for name in names]
    await store.sync(feeds, now, AT_ONCE)


async def record(
    store: FeedStore,
    lease: FeedLease,
    now: datetime,
    *,
    state: FeedState = WELL,
    restraint: Restraint = UNRESTRAINED,
    again: timedelta = HOUR,
) -> None:
    state = replace(state, configured=f"http://{lease.feed_id}")
    await store.record(lease, state, now + again, now=now, restraint=restraint)


async def claimed_over(
    stores: Sequence[FeedStore], span: timedelta, start: datetime = NOW
) -> list[datetime]:
    """Claim with all `stores` at every second of `span`; return when each lease was given."""
    given: list[datetime] = []
    for second in range(int(span / SECOND) + 1):
        now = start + second * SECOND
        for store in stores:
            for lease in await store.claim(now, DAY, 10):
                given.append(now)
                await record(store, lease, now, again=DAY)
    return given


async def test_feeds_of_one_domain_are_claimed_one_after_the_other(ports: Ports) -> None:
    names = [f"h{n}.example.co.uk/{n}" for n in range(5)]
    await list_feeds(ports.polite_feeds, *names)
    given = await claimed_over([ports.polite_feeds], 5 * DOMAIN_GAP)
    assert len(given) == 5
    assert {later - earlier for earlier, later in pairwise(given)} == {DOMAIN_GAP}


async def test_feeds_of_several_domains_do_not_wait_for_each_other(ports: Ports) -> None:
    await list_feeds(ports.polite_feeds, "a.example/1", "a.example/2", "b.example/1", "c.test/1")
    leases = await ports.polite_feeds.claim(NOW, MINUTE, 10)
    assert sorted(lease.feed_id.partition("/")[0] for lease in leases) == [
        "a.example",
        "b.example",
        "c.test",
    ]


async def test_two_pollers_obey_one_bucket(ports: Ports) -> None:
    await list_feeds(ports.polite_feeds, *(f"www.example.co.uk/{n}" for n in range(6)))
    given = await claimed_over([ports.polite_feeds, ports.polite_feeds], 6 * DOMAIN_GAP)
    assert len(given) == 6
    assert min(later - earlier for earlier, later in pairwise(given)) == DOMAIN_GAP


async def test_a_feed_that_was_put_off_has_an_instant_of_its_own(ports: Ports) -> None:
    await list_feeds(ports.polite_feeds, *(f"one.example/{n}" for n in range(4)))
    await ports.polite_feeds.claim(NOW, DAY, 10)
    instants = []
    while (due := await ports.polite_feeds.next_due()) and due < NOW + HOUR:
        instants.append(due)
        await ports.polite_feeds.claim(due, DAY, 1)
    assert instants == [NOW + DOMAIN_GAP * n for n in (1, 2, 3)]


async def test_pages_and_feeds_of_one_domain_take_turns(ports: Ports) -> None:
    store, ours = ports.polite_feeds, feed(id="one.example/1", url="http://one.example/1")
    await list_feeds(store, "one.example/1", "one.example/2")
    await store.claim(NOW, DAY, 10)
    turns = [
        await store.turn(ours, url, NOW, NOW + DAY)
        for url in ("https://www.one.example/a", "http://one.example/b", "http://other.test/c")
    ]
    assert turns == [NOW + DOMAIN_GAP, NOW + 2 * DOMAIN_GAP, NOW]
    assert await store.claim(NOW + 2 * DOMAIN_GAP, DAY, 10) == []
    assert len(await store.claim(NOW + 3 * DOMAIN_GAP, DAY, 10)) == 1


async def test_no_turn_is_taken_that_comes_too_late(ports: Ports) -> None:
    store, ours, url = ports.polite_feeds, feed(), "http://one.example/a"
    latest = NOW + DOMAIN_GAP
    turns = [await store.turn(ours, url, NOW, latest) for _ in range(3)]
    assert turns == [NOW, latest, None]
    assert await store.turn(ours, url, NOW, NOW + DAY) == NOW + 2 * DOMAIN_GAP


async def test_a_page_that_is_refused_holds_back_all_requests_to_its_domain(ports: Ports) -> None:
    store, ours, page = ports.polite_feeds, feed(id="one.example/1"), "http://www.one.example/a"
    await list_feeds(store, "one.example/1")
    asked = Restraint(slower=True, until=NOW + HOUR)
    assert await store.turn(ours, page, NOW, NOW + DAY) == NOW
    await store.answered(ours, page, asked, well=False, now=NOW)
    assert await store.claim(NOW + HOUR - SECOND, DAY, 10) == []
    assert len(await store.claim(NOW + HOUR, DAY, 10)) == 1
    assert await store.turn(ours, page, NOW + HOUR, NOW + DAY) == NOW + HOUR + 2 * DOMAIN_GAP


async def test_pages_that_are_answered_give_a_domain_its_rate_back(ports: Ports) -> None:
    store, ours, page = ports.polite_feeds, feed(id="one.example/1"), "http://other.test/a"
    await list_feeds(store, "one.example/1")
    await store.answered(ours, page, SLOWER, well=False, now=NOW)
    for hours in range(1, 9):
        await store.answered(ours, page, UNRESTRAINED, well=True, now=NOW + hours * HOUR)
    later = NOW + 9 * HOUR
    turns = [await store.turn(ours, page, later, NOW + DAY) for _ in range(2)]
    assert turns == [later, later + DOMAIN_GAP]


async def test_a_refusal_halves_the_rate_and_answers_give_it_back_slowly(ports: Ports) -> None:
    store = ports.polite_feeds
    await list_feeds(store, *(f"one.example/{n}" for n in range(40)))
    [lease] = await store.claim(NOW, DAY, 10)
    await record(store, lease, NOW, state=REFUSED, restraint=SLOWER)
    slow = await claimed_over([store], 4 * 2 * DOMAIN_GAP, NOW + 2 * DOMAIN_GAP)
    assert {later - earlier for earlier, later in pairwise(slow)} == {2 * DOMAIN_GAP}
    for hours in range(1, 9):
        for lease in await store.claim(NOW + hours * HOUR, DAY, 1):
            await record(store, lease, NOW + hours * HOUR)
    quick = await claimed_over([store], 5 * DOMAIN_GAP, NOW + 9 * HOUR)
    assert {later - earlier for earlier, later in pairwise(quick)} == {DOMAIN_GAP}


async def test_refusals_of_one_minute_count_once(ports: Ports) -> None:
    store = ports.feeds
    await list_feeds(store, *(f"one.example/{n}" for n in range(5)))
    leases = await store.claim(NOW, DAY, 4)
    for lease in leases:
        await record(store, lease, NOW, state=REFUSED, restraint=SLOWER)
    assert await store.claim(NOW + 1.5 * SECOND, DAY, 1) == []
    assert len(await store.claim(NOW + 2 * SECOND, DAY, 1)) == 1


async def test_no_feed_of_a_domain_is_asked_before_the_time_its_server_gave(ports: Ports) -> None:
    store = ports.feeds
    await list_feeds(store, "a.example.co.uk/1", "b.example.co.uk/2", "other.example/3")
    leases = {lease.feed_id: lease for lease in await store.claim(NOW, MINUTE, 10)}
    asked = Restraint(until=NOW + HOUR)
    await record(
        store, leases["a.example.co.uk/1"], NOW, state=REFUSED, restraint=asked, again=MINUTE
    )
    later = NOW + 2 * MINUTE
    assert [lease.feed_id for lease in await store.claim(later, DAY, 10)] == ["other.example/3"]
    assert await store.next_due() == NOW + HOUR
    assert len(await store.claim(NOW + HOUR, DAY, 10)) == 2


async def test_a_clock_that_was_set_back_makes_feeds_due(ports: Ports) -> None:
    store = ports.polite_feeds
    await list_feeds(store, "one.example/1", now=NOW + 365 * DAY)
    [lease] = await store.claim(NOW + 365 * DAY, MINUTE, 10)
    await record(store, lease, NOW + 365 * DAY)
    [lease] = await store.claim(NOW, MINUTE, 10)
    await record(store, lease, NOW)
    assert await store.claim(NOW + MINUTE, MINUTE, 10) == []
    assert await store.next_due() == NOW + HOUR


async def test_clocks_that_differ_a_little_disturb_nothing(ports: Ports) -> None:
    await list_feeds(ports.feeds, "one.example/1", now=NOW)
    [lease] = await ports.feeds.claim(NOW, MINUTE, 10)
    await record(ports.feeds, lease, NOW, again=DAY)
    assert await ports.feeds.claim(NOW - 30 * MINUTE, MINUTE, 10) == []
    assert await ports.feeds.next_due() == NOW + DAY


async def test_a_feed_with_another_address_is_due_anew(ports: Ports) -> None:
    await ports.feeds.sync([feed(url="http://old.example/rss")], NOW, AT_ONCE)
    [lease] = await ports.feeds.claim(NOW, MINUTE, 10)
    await record(ports.feeds, lease, NOW, again=30 * DAY)
    await ports.feeds.sync([feed(url="http://new.example/rss")], NOW + HOUR, AT_ONCE)
    assert await ports.feeds.next_due() == NOW + HOUR
    await ports.feeds.schedule([feed(url="http://newest.example/rss")], NOW, AT_ONCE)
    assert await ports.feeds.next_due() == NOW


async def test_a_feed_with_another_interval_is_due_anew(ports: Ports) -> None:
    await ports.feeds.sync([feed(every=6 * HOUR)], NOW, AT_ONCE)
    [lease] = await ports.feeds.claim(NOW, MINUTE, 10)
    await record(ports.feeds, lease, NOW, again=6 * HOUR)
    await ports.feeds.sync([feed(every=6 * HOUR)], NOW, AT_ONCE)
    assert await ports.feeds.next_due() == NOW + 6 * HOUR
    await ports.feeds.sync([feed(every=5 * MINUTE)], NOW + MINUTE, AT_ONCE)
    assert await ports.feeds.next_due() == NOW + MINUTE


async def test_a_feed_that_moved_is_counted_where_it_is_asked_now(ports: Ports) -> None:
    store = ports.polite_feeds
    await list_feeds(store, "same.example/1", "same.example/2")
    [lease] = await store.claim(NOW, MINUTE, 10)
    moved = replace(WELL, address="http://elsewhere.test/rss")
    await record(store, lease, NOW, state=moved, again=DOMAIN_GAP)
    assert len(await store.claim(NOW + DOMAIN_GAP, MINUTE, 10)) == 2


async def test_many_feeds_of_one_domain_do_not_hold_up_another(ports: Ports) -> None:
    await list_feeds(ports.polite_feeds, *(f"big.example/{n}" for n in range(50)), "small.test/1")
    leases: list[FeedLease] = []
    for _ in range(30):
        leases += await ports.polite_feeds.claim(NOW, DAY, 2)
    assert sorted(lease.feed_id.partition("/")[0] for lease in leases) == [
        "big.example",
        "small.test",
    ]
