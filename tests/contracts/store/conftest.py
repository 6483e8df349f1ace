"""The ports of a store, whatever it stands on."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.ports import (
    ArchiveLog,
    ArticleLog,
    DeliveryLedger,
    FeedStore,
    Habits,
    MatchLog,
    PublicStream,
    Registry,
    StoreHealth,
)
from monitor.streams.feeds import StreamFeedStore
from monitor.streams.habits import StreamHabits
from monitor.streams.health import StreamStoreHealth
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.log import StreamArchiveLog, StreamArticleLog, StreamMatchLog
from monitor.streams.memory import (
    MemoryArchiveLog,
    MemoryArticleLog,
    MemoryDeliveryLedger,
    MemoryFeedStore,
    MemoryHabits,
    MemoryMatchLog,
    MemoryPublicStream,
    MemoryRegistry,
    MemoryStore,
    MemoryStoreHealth,
)
from monitor.streams.public import StreamPublicStream
from monitor.streams.registry import StreamRegistry
from monitor.streams.store import Store, open_store
from tests.servers.valkey import empty

HIGH_WATER = 8
DOMAIN_GAP = timedelta(seconds=10)
ARCHIVE = 3
PATIENT = timedelta(hours=1)
HASTY = timedelta(milliseconds=80)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """One store, seen through all its ports; logs are made for a consumer's name."""

    feeds: FeedStore
    polite_feeds: FeedStore
    articles: Callable[[str], ArticleLog]
    matches: Callable[[str], MatchLog]
    chapters: Callable[[str], ArchiveLog]
    public: PublicStream
    ledger: DeliveryLedger
    health: StoreHealth
    registry: Registry
    habits: Habits


def in_memory(min_idle: timedelta) -> Ports:
    store = MemoryStore(high_water=HIGH_WATER, min_idle=min_idle, archive=ARCHIVE)
    return Ports(
        feeds=MemoryFeedStore(store),
        polite_feeds=MemoryFeedStore(store, domain_gap=DOMAIN_GAP),
        articles=lambda consumer: MemoryArticleLog(store, consumer),
        matches=lambda consumer: MemoryMatchLog(store, consumer),
        chapters=lambda consumer: MemoryArchiveLog(store, consumer),
        public=MemoryPublicStream(store),
        ledger=MemoryDeliveryLedger(store),
        health=MemoryStoreHealth(store),
        registry=MemoryRegistry(store),
        habits=MemoryHabits(store),
    )


def on_server(store: Store, min_idle: timedelta) -> Ports:
    return Ports(
        feeds=StreamFeedStore(store, high_water=HIGH_WATER, archive=ARCHIVE),
        polite_feeds=StreamFeedStore(store, high_water=HIGH_WATER, domain_gap=DOMAIN_GAP),
        articles=lambda consumer: StreamArticleLog(
            store, consumer, min_idle=min_idle, archive=ARCHIVE
        ),
        matches=lambda consumer: StreamMatchLog(
            store, consumer, min_idle=min_idle, archive=ARCHIVE
        ),
        chapters=lambda consumer: StreamArchiveLog(store, consumer, min_idle=min_idle),
        public=StreamPublicStream(store),
        ledger=StreamDeliveryLedger(store),
        health=StreamStoreHealth(store),
        registry=StreamRegistry(store),
        habits=StreamHabits(store),
    )


@pytest.fixture(params=["memory", "server", "cluster"])
def store_url(request: pytest.FixtureRequest) -> str | None:
    """Return the URL of each kind of store; none for the one in memory."""
    if request.param == "memory":
        return None
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def min_idle() -> timedelta:
    """Return how long an entry is its consumer's: no test lasts as long, whatever else the machine does."""
    return PATIENT


@pytest.fixture
async def ports(store_url: str | None, min_idle: timedelta, tmp_path: Path) -> AsyncIterator[Ports]:
    """Yield the ports of an empty store."""
    if store_url is None:
        yield in_memory(min_idle)
        return
    await empty(store_url)
    async with open_store(store_url, tmp_path) as store:
        yield on_server(store, min_idle)
