"""Every number that bounds the store; the server's functions get theirs from here too."""

from datetime import timedelta

from monitor.core.model import DeliveryState

PARTITIONS = 16
MAX_MEMORY = 512 * 1024 * 1024

HIGH_WATER = 5_000
"""Articles waiting in one partition at which polls are refused."""

MIN_IDLE = timedelta(seconds=60)
"""How long an entry stays with a silent consumer before another takes it over."""

MAX_DELIVERIES = 5
"""How often an entry is handed out; the next time it is buried."""

IN_FLIGHT = 2
"""Deliveries attempted at once for one target."""

ATTEMPTS_KEPT = 100

SEEN_GENERATION = timedelta(days=30)
"""What left a document stays known for one to two of these."""

TOLD_GENERATION = timedelta(days=30)
"""Who was told what, and what was published, is remembered for one to two of these."""

TOLD_BUCKETS = 1024
"""Sets that one generation is spread over, so that each stays a compact set of integers."""

KEEP_DELIVERED = timedelta(days=7)
KEEP_DEAD = timedelta(days=30)
KEEP_FINISHED = {
    DeliveryState.DELIVERED: KEEP_DELIVERED,
    DeliveryState.DROPPED: KEEP_DELIVERED,
    DeliveryState.DEAD: KEEP_DEAD,
}
"""Counted from when the delivery was created."""

KEEP_PUBLIC = timedelta(days=3)
KEEP_PUBLIC_ENTRIES = 100_000

RELIEF = ((0.9, timedelta(minutes=5)), (0.7, timedelta(hours=1)))
"""How long finished work is kept at most when this share of the memory bound is in use."""
