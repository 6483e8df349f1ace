"""The composition root: settings in, running services out. The one place that knows which adapter stands behind a port."""

import asyncio
import platform
import signal
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from monitor import __version__
from monitor.channels.build import build
from monitor.config.explain import explain
from monitor.config.reload import Reloader
from monitor.config.settings import Settings
from monitor.core.retry import waits_for
from monitor.core.targets import Target
from monitor.feeds.fetch import HttpFetcher
from monitor.feeds.parse import ProcessParser
from monitor.net import AddressGuard, open_session
from monitor.ports import (
    ArticleLog,
    Channel,
    Clock,
    DeliveryLedger,
    FeedStore,
    Fetcher,
    MatchLog,
    Parser,
    PublicStream,
    StoreHealth,
)
from monitor.services.deliverer import DelivererService, Lane
from monitor.services.housekeeper import HousekeeperService
from monitor.services.matcher import MatcherService
from monitor.services.poller import PollerService
from monitor.services.router import RouterService, RoutingTable
from monitor.services.service import Service
from monitor.services.supervisor import supervise
from monitor.streams.store import open_store
from monitor.telemetry import Metrics, Redactor
from monitor.web.app import Endpoints, serve

SERVICES = ("poller", "matcher", "router", "deliverer", "housekeeper", "web")
_GRACE = timedelta(seconds=10)
_FIRST_SPREAD = timedelta(seconds=10)  # new feeds are first polled spread over this

log = structlog.get_logger()


class SystemClock:
    """The wall clock of this machine."""

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreParts:
    """Every port that the store stands behind, and the clock they are asked with."""

    clock: Clock
    feeds: FeedStore
    articles: ArticleLog
    matches: MatchLog
    public: PublicStream
    ledger: DeliveryLedger
    health: StoreHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Every port that the network stands behind."""

    fetcher: Fetcher
    parser: Parser
    channel: Callable[[Target], Channel]


@asynccontextmanager
async def open_store_parts(
    settings: Settings, clock: Clock | None = None
) -> AsyncIterator[StoreParts]:
    """Open the store that the settings name: a server by URL, or the embedded one, started or joined."""
    async with open_store(settings.store) as store:
        yield StoreParts(
            clock=clock or SystemClock(),
            feeds=StreamFeedStore(store),
            articles=StreamArticleLog(store, platform.node()),
            matches=StreamMatchLog(store, platform.node()),
            public=StreamPublicStream(store),
            ledger=StreamDeliveryLedger(store),
            health=StreamStoreHealth(store),
        )


@asynccontextmanager
async def open_outside(settings: Settings) -> AsyncIterator[Outside]:
    """Open what reaches out: sessions behind the address guard, and the parser's processes."""
    guard = AddressGuard(settings.network.allow)
    async with AsyncExitStack() as stack:
        feeds = await stack.enter_async_context(
            open_session(guard, user_agent=user_agent(settings))
        )
        hooks = await stack.enter_async_context(
            open_session(guard, user_agent=user_agent(settings))
        )
        parser = await stack.enter_async_context(ProcessParser())
        yield Outside(
            fetcher=HttpFetcher(feeds),
            parser=parser,
            channel=lambda target: build(target, hooks),
        )


class Program:
    """The services that were chosen, over open parts. Takes new settings while it runs, all or nothing."""

    def __init__(
        self,
        settings: Settings,
        parts: StoreParts,
        outside: Outside,
        metrics: Metrics,
        only: frozenset[str] = frozenset(SERVICES),
    ) -> None:
        """Build every service; nothing runs yet."""
        self._parts = parts
        self._outside = outside
        self._settings = settings
        self._lanes: dict[str, tuple[Target, Lane]] = {}
        self._retired: list[Channel] = []
        clock = parts.clock
        self.poller = PollerService(
            parts.feeds,
            outside.fetcher,
            outside.parser,
            _feeds(settings),
            clock,
            metrics,
            concurrency=settings.poll.concurrency,
            lease=settings.poll.lease,
            new_trace=lambda: uuid.uuid4().hex[:16],
        )
        self.matcher = MatcherService(parts.articles, settings.rule_set, clock, metrics)
        self.router = RouterService(
            parts.matches, parts.public, parts.ledger, _table(settings), clock, metrics
        )
        self.deliverer = DelivererService(
            parts.ledger,
            self._lanes_for(settings),
            clock,
            metrics,
            concurrency=settings.deliver.concurrency,
            timeout=settings.deliver.timeout,
            lease=settings.deliver.lease,
        )
        self.housekeeper = HousekeeperService(parts.health, clock, metrics)
        every: tuple[Service, ...] = (
            self.poller,
            self.matcher,
            self.router,
            self.deliverer,
            self.housekeeper,
        )
        self.services = tuple(service for service in every if service.name in only)

    async def use(self, settings: Settings) -> None:
        """Put new settings in force: everything is built first, then swapped at once, then feeds are rescheduled."""
        lanes, table, feeds = self._lanes_for(settings), _table(settings), _feeds(settings)
        self.poller.use(feeds)
        self.matcher.use(settings.rule_set)
        self.router.use(table)
        self.deliverer.use(lanes)
        self._settings = settings
        await self.schedule()

    async def schedule(self) -> None:
        """Make the store's schedule that of the configured feeds."""
        if self.poller in self.services:
            now = self._parts.clock.now()
            await self._parts.feeds.sync(self._settings.feeds, now, _FIRST_SPREAD)

    async def run(self, stop: asyncio.Event) -> None:
        """Schedule the feeds and run the services until `stop` is set."""
        try:
            await self.schedule()
            await supervise(self.services, stop, _GRACE)
        finally:
            for channel in (*self._retired, *(lane.channel for _, lane in self._lanes.values())):
                await channel.close()

    def _lanes_for(self, settings: Settings) -> dict[str, Lane]:
        """Return a lane for each target that is switched on; one that did not change keeps its connections.

        Channels no longer used are closed at the end: an attempt may still be under way.
        """
        lanes: dict[str, tuple[Target, Lane]] = {}
        for target in settings.targets:
            known = self._lanes.pop(target.id, None)
            lanes[target.id] = known if known and known[0] == target else self._lane(target)
            if known and known[0] != target:
                self._retired.append(known[1].channel)
        self._retired += [lane.channel for _, lane in self._lanes.values()]
        self._lanes = lanes
        return {target_id: lane for target_id, (_, lane) in lanes.items()}

    def _lane(self, target: Target) -> Lane:
        channel = self._outside.channel(target)
        return Lane(kind=target.kind, channel=channel, waits=waits_for(target))
