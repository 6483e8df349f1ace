"""Opens everything that stands behind a port: the store on one side, the network on the other."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network

from monitor import __version__
from monitor.archive.sqlite import open_sqlite
from monitor.channels import handshake, slackbot
from monitor.channels.build import ChannelBuilder
from monitor.channels.handshake import CONSENTS
from monitor.channels.memory import RegistryMemory
from monitor.channels.slackbot import THREADS
from monitor.channels.wire import TimeLimits
from monitor.config.settings import Settings
from monitor.core.links import Linker
from monitor.core.secret import Secret
from monitor.core.targets import Target
from monitor.feeds.canary import CanaryFetcher
from monitor.feeds.fetch import HttpFetcher
from monitor.feeds.gate import HostGate
from monitor.feeds.hub import HttpHubClient
from monitor.feeds.linguist import ModelLinguist
from monitor.feeds.pages import MOST_BYTES, HttpPages
from monitor.feeds.process import ProcessParser
from monitor.net import AddressGuard, open_session
from monitor.ports import (
    Archive,
    ArchiveLog,
    ArticleLog,
    Channel,
    Clock,
    DeliveryLedger,
    FeedStore,
    Fetcher,
    Habits,
    HubClient,
    Linguist,
    MatchLog,
    Pages,
    Parser,
    PublicStream,
    Registry,
    StoreHealth,
)
from monitor.streams import bounds
from monitor.streams.bounds import Retention
from monitor.streams.consumers import new_consumer
from monitor.streams.feeds import StreamFeedStore
from monitor.streams.habits import StreamHabits
from monitor.streams.health import StreamStoreHealth
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.log import StreamArchiveLog, StreamArticleLog, StreamMatchLog
from monitor.streams.public import StreamPublicStream
from monitor.streams.registry import StreamRegistry
from monitor.streams.store import open_store

_THIS_MACHINE = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


class SystemClock:
    """The wall clock of this machine."""

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreParts:
    """Every port that the store stands behind, and the clock that they are asked with."""

    clock: Clock
    feeds: FeedStore
    articles: ArticleLog
    matches: MatchLog
    public: PublicStream
    chapters: ArchiveLog
    ledger: DeliveryLedger
    health: StoreHealth
    registry: Registry
    habits: Habits


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Every port that the network stands behind."""

    fetcher: Fetcher
    parser: Parser
    pages: Pages
    linguist: Linguist
    channel: Callable[[Target], Channel]
    hubs: HubClient | None = None


@asynccontextmanager
async def open_store_parts(
    settings: Settings, clock: Clock | None = None
) -> AsyncIterator[StoreParts]:
    """Open the store that the settings name: a server by URL, or the embedded one, started or joined."""
    where = settings.store
    async with open_store(
        where.url.reveal() if where.url else None,
        where.directory,
        max_memory=where.max_memory,
        partitions=where.partitions,
    ) as store:
        consumer = new_consumer()
        archive = bounds.ARCHIVE_WAITING if settings.archive.enabled else 0
        yield StoreParts(
            clock=clock or SystemClock(),
            feeds=StreamFeedStore(store, domain_gap=settings.poll.domain_gap, archive=archive),
            articles=StreamArticleLog(store, consumer, archive=archive),
            matches=StreamMatchLog(store, consumer, archive=archive),
            chapters=StreamArchiveLog(store, consumer),
            public=StreamPublicStream(store),
            ledger=StreamDeliveryLedger(store),
            health=StreamStoreHealth(store, _retention(settings)),
            registry=StreamRegistry(store),
            habits=StreamHabits(store),
        )


@asynccontextmanager
async def open_archive(settings: Settings) -> AsyncIterator[Archive | None]:
    """Open the archive that the settings name, if there is to be one; raise `ArchiveError` when that is impossible."""
    place = settings.archive
    if not place.enabled:
        yield None
        return
    async with _open_database(place.url) if place.url else open_sqlite(place.path) as archive:
        yield archive


def _open_database(url: Secret) -> AbstractAsyncContextManager[Archive]:
    from monitor.archive.postgres import open_postgres  # noqa: PLC0415 - its driver is an extra

    return open_postgres(url.reveal())


@asynccontextmanager
async def open_outside(
    settings: Settings, registry: Registry | None = None, linker: Linker | None = None
) -> AsyncIterator[Outside]:
    """Open what reaches out: sessions behind the address guard, the parser's processes, and channels.

    Channels remember in `registry` where they left a story and who agreed, and put links of `linker` into messages.
    """
    allow, agent, poll = settings.network.allow, _user_agent(settings), settings.poll
    gate = HostGate(poll.per_host)
    home = AddressGuard(_THIS_MACHINE if poll.canary else (), listed_only=True)
    threads = RegistryMemory(registry, THREADS, slackbot.KEPT_FOR) if registry else None
    consents = RegistryMemory(registry, CONSENTS, handshake.KEPT_FOR) if registry else None
    async with (
        open_session(AddressGuard(allow), user_agent=agent, auto_decompress=False) as session,
        open_session(home, user_agent=agent, auto_decompress=False) as own,
        ProcessParser() as parser,
        HttpPages(
            HttpFetcher(session, gate=gate, timeout=poll.timeout, max_bytes=MOST_BYTES)
        ) as pages,
        ChannelBuilder(
            allow=allow,
            user_agent=agent,
            limits=TimeLimits(total=settings.deliver.timeout),
            linker=linker,
            threads=threads,
            consents=consents,
        ) as channels,
    ):
        fetcher = HttpFetcher(
            session,
            gate=gate,
            timeout=poll.timeout,
            max_bytes=poll.max_bytes,
        )
        yield Outside(
            fetcher=CanaryFetcher(fetcher, HttpFetcher(own)),
            parser=parser,
            pages=pages,
            linguist=ModelLinguist(),
            channel=channels.build,
            hubs=HttpHubClient(session),
        )


def _retention(settings: Settings) -> Retention:
    keep = settings.retention
    return Retention(delivered=keep.delivered, dead=keep.dead, matches=keep.matches)


def _user_agent(settings: Settings) -> str:
    contact = settings.poll.contact
    return f"monitor/{__version__}" + (f" (+{contact})" if contact else "")
