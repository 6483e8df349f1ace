"""Every number that bounds the store; the server's functions get theirs from here too."""

from dataclasses import dataclass
from datetime import timedelta

from monitor.core.model import DeliveryState

PARTITIONS = 16
MAX_MEMORY = 512 * 1024 * 1024

HIGH_WATER = 5_000
"""Articles waiting in one partition at which polls are refused."""

LOOKED_AT_ONCE = 1_000
"""Due feeds that one claim looks at in a partition, when the domains of most must not be asked yet."""

CLOCK_TOLERANCE = timedelta(hours=1)
"""By how much the clocks of pollers may differ; a last poll further in the future says that a clock was set back."""

SLOWED_GAP = timedelta(seconds=2)
"""The least distance between two polls of a domain that refused one."""

LONGEST_GAP = timedelta(minutes=10)
"""The longest such distance."""

ARCHIVE_WAITING = 2_000
"""Records waiting for the archive in one partition; what comes when there are more is not archived, and counted."""

MIN_IDLE = timedelta(seconds=60)
"""How long an entry stays with a silent consumer before another takes it over."""

MAX_DELIVERIES = 5
"""How often an entry is handed out; the next time it is buried."""

IN_FLIGHT = 2
"""Deliveries attempted at once for one target, unless its terms say otherwise."""

BURST = timedelta(seconds=1)
"""For how long a target that has rested may be sent what its rate gives it at once."""

FOLDED_AT_ONCE = 200
"""Deliveries in one digest unless the terms of its target say otherwise; what is more goes into the next."""

NOT_FETCHED = (
    "waited for as long as dead letters are kept; its target was disabled, or no process delivered"
)
"""Why a delivery that was never tried again was given up in the end."""

ATTEMPTS_KEPT = 100

SEEN_GENERATION = timedelta(days=30)
"""What left a document stays known for one to two of these."""

TOLD_GENERATION = timedelta(days=30)
"""Who was told what, and what was published, is remembered for one to two of these."""

TOLD_BUCKETS = 1024
"""Sets that one generation is spread over, so that each stays a compact set of integers."""

REMOVALS_KNOWN = timedelta(days=7)
"""How long a process may be away and still be told which records of the registry were removed meanwhile."""

HABIT = timedelta(days=8)
"""How far back it is known how many stories a rule found in an hour."""

HABIT_KEPT = timedelta(days=30)
"""After so long without a story it is forgotten that a rule was ever counted."""

STORIES_KEPT = timedelta(hours=3)
"""A story that a rule finds again within this time is not counted again."""

STORIES_COUNTED = 2000
"""Stories, and sources, of one rule that are told apart within that time; what is more is not counted."""

KEEP_PUBLIC_ENTRIES = 100_000

RELIEF = ((0.9, timedelta(minutes=5)), (0.7, timedelta(hours=1)))
"""How long finished work is kept at most when this share of the memory bound is in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long what is finished stays: `delivered` and dropped deliveries, what is `dead`, published `matches`.

    It is counted from when a delivery was created, and for a dead one from when it died. What has waited for as long
    as a dead one is kept, because nothing is sent to its target, dies then.
    """

    delivered: timedelta = timedelta(days=7)
    dead: timedelta = timedelta(days=30)
    matches: timedelta = timedelta(days=3)

    def of(self, state: DeliveryState) -> timedelta | None:
        """Return how long deliveries in this state stay; None while they are not finished."""
        kept = {
            DeliveryState.DELIVERED: self.delivered,
            DeliveryState.DROPPED: self.delivered,
            DeliveryState.FOLDED: self.delivered,
            DeliveryState.DEAD: self.dead,
        }
        return kept.get(state)


RETENTION = Retention()
