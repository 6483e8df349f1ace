"""The store's ports without a server: for tests, trials and library use. Nothing outlives the process."""

from monitor.streams.memory.feeds import MemoryFeedStore
from monitor.streams.memory.habits import MemoryHabits
from monitor.streams.memory.health import MemoryStoreHealth
from monitor.streams.memory.ledger import MemoryDeliveryLedger
from monitor.streams.memory.logs import MemoryArchiveLog, MemoryArticleLog, MemoryMatchLog
from monitor.streams.memory.public import MemoryPublicStream
from monitor.streams.memory.registry import MemoryRegistry
from monitor.streams.memory.store import MemoryStore

__all__ = [
    "MemoryArchiveLog",
    "MemoryArticleLog",
    "MemoryDeliveryLedger",
    "MemoryFeedStore",
    "MemoryHabits",
    "MemoryMatchLog",
    "MemoryPublicStream",
    "MemoryRegistry",
    "MemoryStore",
    "MemoryStoreHealth",
]
