"""Feeds of files and of the registry, brought into one schedule."""

import asyncio

import pytest

from monitor.core.model import Feed
from monitor.errors import StreamError
from monitor.ports import Draft, RecordKind
from monitor.registry import FEEDS, Roster
from monitor.services.listing import ListingService
from monitor.streams.memory import MemoryFeedStore, MemoryRegistry, MemoryStore
from monitor.telemetry import Metrics
from tests.clock import StandingClock
from tests.factories import NOW, feed
from tests.wait import wait_until


class FailingFeedStore(MemoryFeedStore):
    """Cannot write while `away` is set."""

    away = False

    async def schedule(self, *arguments: object) -> None:
        if self.away:
            raise StreamError("away")
        await super().schedule(*arguments)  # type: ignore[arg-type]


class Bench:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.registry = MemoryRegistry(self.store)
        self.feeds = FailingFeedStore(self.store)
        self.service = ListingService(
            self.feeds, Roster(self.registry, FEEDS), {}, StandingClock(), Metrics()
        )

    async def add(self, *feeds: Feed) -> None:
        drafts = [Draft(id=each.id, value=FEEDS.encode(each)) for each in feeds]
        await self.registry.put_all(RecordKind.FEED, drafts, NOW)

    async def remove(self, feed_id: str) -> None:
        await self.registry.remove(RecordKind.FEED, feed_id, NOW)

    def scheduled(self) -> set[str]:
        return set(self.store.due)


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_sync_schedules_the_feeds_of_files_and_of_the_registry(bench: Bench) -> None:
    bench.service.use({"file": feed(id="file")})
    await bench.add(feed(id="added"))
    await bench.service.sync()
    assert bench.scheduled() == {"file", "added"}
    assert set(bench.service.feeds) == {"file", "added"}


async def test_what_is_added_and_removed_while_it_runs_is_scheduled_and_unscheduled(
    bench: Bench,
) -> None:
    await bench.service.sync()
    await bench.add(feed(id="a"), feed(id="b"))
    assert await bench.service.step() == 2
    assert bench.scheduled() == {"a", "b"}
    await bench.remove("a")
    assert await bench.service.step() == 1
    assert bench.scheduled() == {"b"}
    assert await bench.service.step() == 0


async def test_a_file_wins_and_its_feed_outlives_the_record_of_the_same_id(bench: Bench) -> None:
    bench.service.use({"one": feed(id="one", name="File")})
    await bench.add(feed(id="one", name="Record"))
    await bench.service.sync()
    assert bench.service.feeds["one"].name == "File"
    await bench.remove("one")
    await bench.service.step()
    assert bench.scheduled() == {"one"}


async def test_without_the_file_the_record_counts_again(bench: Bench) -> None:
    bench.service.use({"one": feed(id="one", name="File")})
    await bench.add(feed(id="one", name="Record"))
    await bench.service.sync()
    bench.service.use({})
    await bench.service.sync()
    assert bench.service.feeds["one"].name == "Record"


async def test_what_could_not_be_scheduled_is_scheduled_in_the_next_turn(bench: Bench) -> None:
    await bench.service.sync()
    await bench.add(feed(id="a"))
    bench.feeds.away = True
    with pytest.raises(StreamError):
        await bench.service.step()
    bench.feeds.away = False
    assert await bench.service.step() == 1
    assert bench.scheduled() == {"a"}


async def test_a_feed_removed_and_added_again_between_two_turns_stays(bench: Bench) -> None:
    await bench.add(feed(id="a"))
    await bench.service.sync()
    await bench.remove("a")
    await bench.add(feed(id="a", name="Again"))
    await bench.service.step()
    assert bench.scheduled() == {"a"}
    assert bench.service.feeds["a"].name == "Again"


async def test_it_takes_a_turn_a_second_until_it_is_told_to_stop(bench: Bench) -> None:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(bench.service.run(stop))
        await bench.add(feed(id="a"))
        await wait_until(lambda: bench.scheduled() == {"a"}, "the feed is scheduled")
        stop.set()
