"""What the services need from the outside, as Protocols. `app` decides which implementation stands behind each.

Instants are passed in by the caller, who has them from a `Clock`, so that every implementation obeys a test's clock.
Every method that talks to the server raises `StreamError` when it cannot; the caller backs off and repeats the step.
"""

from monitor.ports.archive import Archive, ArchiveSize, Page
from monitor.ports.clock import Clock
from monitor.ports.delivery import (
    USUAL_TERMS,
    Channel,
    DeliveryFilter,
    DeliveryLease,
    DeliveryLedger,
    LaneStanding,
    LaneTerms,
)
from monitor.ports.habits import Habits
from monitor.ports.health import Census, LogCensus, StoreHealth
from monitor.ports.logs import (
    ArchiveLog,
    ArticleLog,
    Entry,
    Matcher,
    MatchLog,
    Publication,
    PublicEntry,
    PublicStream,
)
from monitor.ports.polling import (
    FeedLease,
    FeedStore,
    Fetcher,
    HubClient,
    Linguist,
    Pages,
    Parser,
    PollRecorded,
    Turns,
)
from monitor.ports.registry import Changes, Draft, Put, Record, RecordKind, Refusal, Registry

__all__ = [
    "USUAL_TERMS",
    "Archive",
    "ArchiveLog",
    "ArchiveSize",
    "ArticleLog",
    "Census",
    "Changes",
    "Channel",
    "Clock",
    "DeliveryFilter",
    "DeliveryLease",
    "DeliveryLedger",
    "Draft",
    "Entry",
    "FeedLease",
    "FeedStore",
    "Fetcher",
    "Habits",
    "HubClient",
    "LaneStanding",
    "LaneTerms",
    "Linguist",
    "LogCensus",
    "MatchLog",
    "Matcher",
    "Page",
    "Pages",
    "Parser",
    "PollRecorded",
    "PublicEntry",
    "PublicStream",
    "Publication",
    "Put",
    "Record",
    "RecordKind",
    "Refusal",
    "Registry",
    "StoreHealth",
    "Turns",
]
