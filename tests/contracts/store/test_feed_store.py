"""What every `FeedStore` promises."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from monitor.core.chapter import Chapter
from monitor.core.model import Article, FeedState
from monitor.core.outcome import Suppression
from monitor.ports import Entry, FeedLease, PollRecorded
from monitor.streams import bounds
from tests.contracts.store.conftest import ARCHIVE, HIGH_WATER, Ports
from tests.factories import NOW, article, feed

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
AT_ONCE = timedelta()
BASELINE = Chapter(article=article(), suppressed=Suppression.BASELINE)


async def claim_one(ports: Ports, now: datetime = NOW) -> FeedLease:
    [lease] = await ports.feeds.claim(now, MINUTE, 10)
    return lease


async def poll(
    ports: Ports, now: datetime, *, keys: Sequence[int] = (), articles: Sequence[Article] = ()
) -> PollRecorded:
    """Claim the one feed and record a poll that has it due again in an hour."""
    lease = await claim_one(ports, now)
    return await ports.feeds.record(
        lease, FeedState(polled_at=now), now + HOUR, now=now, keys=keys, articles=articles
    )


async def test_new_feeds_are_spread_out(ports: Ports) -> None:
    feeds = [feed(id=f"f{i}", url=f"http://host{i}.example/rss") for i in range(40)]
    await ports.feeds.sync(feeds, NOW, HOUR)
    assert len(await ports.feeds.claim(NOW + HOUR, MINUTE, 100)) == 40


async def test_feeds_come_due_within_the_spread_and_not_all_together(ports: Ports) -> None:
    feeds = [feed(id=f"f{i}", url=f"http://host{i}.example/rss") for i in range(40)]
    await ports.feeds.sync(feeds, NOW, HOUR)
    first_half = await ports.feeds.claim(NOW + HOUR / 2, 2 * HOUR, 100)
    second_half = await ports.feeds.claim(NOW + HOUR, 2 * HOUR, 100)
    assert len(first_half) > 5
    assert len(second_half) > 5
    assert len(first_half) + len(second_half) == 40


async def test_sync_leaves_scheduled_feeds_alone(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    await poll(ports, NOW)
    await ports.feeds.sync([feed()], NOW + MINUTE, AT_ONCE)
    assert await ports.feeds.next_due() == NOW + HOUR


async def test_unlisted_feed_is_not_polled(ports: Ports) -> None:
    await ports.feeds.sync([feed(id="kept"), feed(id="gone")], NOW, AT_ONCE)
    await ports.feeds.sync([feed(id="kept")], NOW, AT_ONCE)
    assert (await claim_one(ports)).feed_id == "kept"


async def test_feeds_are_scheduled_and_unscheduled_one_by_one(ports: Ports) -> None:
    await ports.feeds.sync([feed(id="old")], NOW, AT_ONCE)
    await ports.feeds.schedule([feed(id="new"), feed(id="old")], NOW + MINUTE, AT_ONCE)
    leases = await ports.feeds.claim(NOW + MINUTE, HOUR, 10)
    assert [lease.feed_id for lease in leases] == ["old", "new"]
    assert await ports.feeds.scheduled(["old", "never-listed"]) == {"old"}
    await ports.feeds.unschedule(["old", "never-listed"])
    assert await ports.feeds.scheduled(["old", "never-listed"]) == frozenset()
    assert [one.feed_id for one in await ports.feeds.claim(NOW + DAY, HOUR, 10)] == ["new"]


async def test_a_feed_is_taken_before_it_is_due_and_from_whoever_has_it(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    await poll(ports, NOW)
    theirs = await ports.feeds.take(feed().id, NOW, MINUTE)
    ours = await ports.feeds.take(feed().id, NOW, MINUTE)
    assert theirs
    assert ours
    assert ours.state.polled_at == NOW
    for lease, outcome in ((theirs, PollRecorded.FENCED), (ours, PollRecorded.DONE)):
        assert await ports.feeds.record(lease, FeedState(), NOW + DAY, now=NOW) is outcome
    assert await ports.feeds.next_due() == NOW + DAY


async def test_a_feed_that_is_not_scheduled_cannot_be_taken(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    await ports.feeds.unschedule([feed().id])
    assert await ports.feeds.take(feed().id, NOW, MINUTE) is None
    assert await ports.feeds.take("never-listed", NOW, MINUTE) is None


async def test_listing_a_feed_again_finds_what_was_seen(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    await poll(ports, NOW, keys=[1, 2])
    await ports.feeds.sync([], NOW, AT_ONCE)
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    assert await ports.feeds.known(feed().id, [1, 2, 3]) == {1, 2}


async def test_a_feed_that_moves_to_another_host_keeps_what_was_seen(ports: Ports) -> None:
    await ports.feeds.sync([feed(url="http://old.example/rss")], NOW, AT_ONCE)
    await poll(ports, NOW, keys=[1])
    await ports.feeds.sync([feed(url="http://elsewhere.test/rss")], NOW, AT_ONCE)
    assert await ports.feeds.known(feed().id, [1]) == {1}


async def test_claimed_feed_is_not_claimed_twice(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    assert (await claim_one(ports)).until == NOW + MINUTE
    assert await ports.feeds.claim(NOW, MINUTE, 10) == []


async def test_a_lease_that_runs_out_makes_the_feed_due(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    lost = await claim_one(ports)
    taken_over = await claim_one(ports, NOW + MINUTE)
    assert taken_over.token != lost.token


async def test_most_overdue_feeds_come_first(ports: Ports) -> None:
    feeds = [feed(id=f"f{i}", url=f"http://host{i}.example/rss") for i in range(12)]
    await ports.feeds.sync(feeds, NOW, AT_ONCE)
    for lease in await ports.feeds.claim(NOW, MINUTE, 12):
        due = NOW + timedelta(minutes=int(lease.feed_id[1:]))
        await ports.feeds.record(lease, FeedState(), due, now=NOW)
    leases = await ports.feeds.claim(NOW + HOUR, MINUTE, 5)
    assert [lease.feed_id for lease in leases] == ["f0", "f1", "f2", "f3", "f4"]


async def test_state_survives_to_the_next_claim(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    state = FeedState(etag='W/"1"', failures=2, polled_at=NOW, next_poll_at=NOW + HOUR)
    lease = await claim_one(ports)
    assert lease.state == FeedState()
    assert await ports.feeds.record(lease, state, NOW + HOUR, now=NOW) is PollRecorded.DONE
    assert (await claim_one(ports, NOW + HOUR)).state == state
    assert await ports.feeds.states([feed().id, "never-polled"]) == {feed().id: state}


async def test_recorded_articles_reach_the_log_in_order(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    articles = [article(id=f"a{i}") for i in range(3)]
    assert await poll(ports, NOW, keys=[1, 2, 3], articles=articles) is PollRecorded.DONE
    log = ports.articles("c")
    entries: list[Entry[Article]] = []
    while len(entries) < 3:
        read = await log.read(3, MINUTE)
        # What is not finished soon comes again, which on a busy machine may be before the last has come once.
        entries += [entry for entry in read if entry.deliveries == 1]
    assert [entry.value for entry in entries] == articles


async def test_a_poll_that_lost_its_lease_records_nothing(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    lost = await claim_one(ports)
    await claim_one(ports, NOW + MINUTE)
    outcome = await ports.feeds.record(
        lost, FeedState(failures=9), NOW, now=NOW, keys=[1], articles=[article()]
    )
    assert outcome is PollRecorded.FENCED
    assert await ports.feeds.known(feed().id, [1]) == frozenset()
    assert await ports.feeds.states([feed().id]) == {}
    assert (await ports.health.census(NOW)).logs[0].length == 0


async def test_recording_a_poll_twice_appends_once(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    lease = await claim_one(ports)
    for expected in (PollRecorded.DONE, PollRecorded.FENCED):
        outcome = await ports.feeds.record(
            lease, FeedState(), lease.until, now=NOW, articles=[article()]
        )
        assert outcome is expected
    assert (await ports.health.census(NOW)).logs[0].length == 1


async def test_a_poll_of_a_feed_unlisted_meanwhile_records_nothing(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    lease = await claim_one(ports)
    await ports.feeds.sync([], NOW, AT_ONCE)
    outcome = await ports.feeds.record(lease, FeedState(), NOW, now=NOW, articles=[article()])
    assert outcome is PollRecorded.FENCED
    assert await ports.feeds.next_due() is None


async def test_a_feed_nobody_listed_is_unknown(ports: Ports) -> None:
    lease = FeedLease(feed_id="nobody", state=FeedState(), token="1", until=NOW)
    outcome = await ports.feeds.record(lease, FeedState(), NOW, now=NOW)
    assert outcome is PollRecorded.FENCED
    assert await ports.feeds.known("nobody", [1]) == frozenset()


async def test_full_article_log_refuses_the_poll_as_a_whole(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    flood = [article(id=f"a{i}") for i in range(HIGH_WATER)]
    assert await poll(ports, NOW, keys=[1], articles=flood) is PollRecorded.DONE
    later = NOW + HOUR
    assert await poll(ports, later, keys=[2], articles=[article(id="x")]) is PollRecorded.FULL
    assert await ports.feeds.known(feed().id, [1, 2]) == {1}
    assert (await ports.feeds.states([feed().id]))[feed().id].polled_at == NOW
    assert await ports.feeds.next_due() == later + HOUR


async def test_full_article_log_does_not_hold_up_polls_without_news(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    await poll(ports, NOW, articles=[article(id=f"a{i}") for i in range(HIGH_WATER)])
    assert await poll(ports, NOW + HOUR, keys=[1]) is PollRecorded.DONE


async def test_keys_are_known_per_feed(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    edge = [-(2**63), 2**63 - 1, 0]
    await poll(ports, NOW, keys=edge)
    assert await ports.feeds.known(feed().id, [*edge, 1]) == set(edge)
    assert await ports.feeds.known("another", edge) == frozenset()
    assert await ports.feeds.known(feed().id, []) == frozenset()


async def test_thousands_of_keys_fit_in_one_poll(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    assert await poll(ports, NOW, keys=range(9000)) is PollRecorded.DONE
    assert await ports.feeds.known(feed().id, [0, 8999, 9000]) == {0, 8999}


async def test_what_stands_in_the_document_is_never_forgotten(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    for days in range(0, 400, 10):
        await poll(ports, NOW + days * DAY, keys=[1])
    assert await ports.feeds.known(feed().id, [1]) == {1}


async def test_what_left_the_document_is_known_for_one_generation_at_least(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    await poll(ports, NOW, keys=[1])
    await poll(ports, NOW + bounds.SEEN_GENERATION - HOUR, keys=[1, 2])
    for days in range(0, 29, 7):
        await poll(ports, NOW + bounds.SEEN_GENERATION + days * DAY, keys=[2])
    assert await ports.feeds.known(feed().id, [1, 2]) == {1, 2}


async def test_what_left_the_document_is_forgotten_after_two_generations(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    await poll(ports, NOW, keys=[1, 2])
    for generation in (1, 2):
        await poll(ports, NOW + generation * bounds.SEEN_GENERATION, keys=[2])
    assert await ports.feeds.known(feed().id, [1, 2]) == {2}


async def test_a_silent_year_forgets_nothing(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    await poll(ports, NOW, keys=[1, 2])
    await poll(ports, NOW + 365 * DAY, keys=[2])
    assert await ports.feeds.known(feed().id, [1, 2]) == {1, 2}


async def test_next_due_is_none_without_feeds(ports: Ports) -> None:
    assert await ports.feeds.next_due() is None


async def test_next_due_says_when_a_lease_runs_out(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    await claim_one(ports)
    assert await ports.feeds.next_due() == NOW + MINUTE


async def test_what_is_not_matched_is_left_for_the_archive(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    lease = await claim_one(ports)
    outcome = await ports.feeds.record(
        lease,
        FeedState(),
        NOW + HOUR,
        now=NOW,
        articles=[article(id="told")],
        silent=[BASELINE],
    )
    assert outcome is PollRecorded.DONE
    assert [one.value for one in await ports.chapters("c").read(10, AT_ONCE)] == [BASELINE]
    assert [one.value.id for one in await ports.articles("c").read(10, AT_ONCE)] == ["told"]


async def test_what_is_not_matched_leaves_half_the_room_of_the_archive_to_what_is(
    ports: Ports,
) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    lease = await claim_one(ports)
    await ports.feeds.record(lease, FeedState(), NOW, now=NOW, silent=[BASELINE] * ARCHIVE)
    census = await ports.health.census(NOW)
    assert census.logs[2].length == ARCHIVE // 2
    assert census.archive_missed == ARCHIVE - ARCHIVE // 2


async def test_a_poll_that_is_not_recorded_leaves_nothing_for_the_archive(ports: Ports) -> None:
    await ports.feeds.sync([feed()], NOW, AT_ONCE)
    lost = await claim_one(ports)
    many = [article(id=f"a{n}") for n in range(HIGH_WATER)]
    held = await ports.feeds.take(feed().id, NOW, MINUTE)
    assert held
    await ports.feeds.record(held, FeedState(), NOW, now=NOW, articles=many)
    full = await claim_one(ports)
    for lease, outcome in ((lost, PollRecorded.FENCED), (full, PollRecorded.FULL)):
        recorded = await ports.feeds.record(
            lease, FeedState(), NOW, now=NOW, articles=many, silent=[BASELINE]
        )
        assert recorded is outcome
    assert await ports.chapters("c").read(10, AT_ONCE) == []
