"""What delivering needs: every delivery with its state, and a way to reach each target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from monitor.core.breaker import HEALTHY, TargetHealth
from monitor.core.holding import Hold
from monitor.core.model import (
    Alert,
    Attempt,
    Delivery,
    DeliveryState,
)
from monitor.core.outcome import Outcome
from monitor.core.retry import Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLease:
    """The right to attempt one delivery until `until`. `token` fences, as for feeds. `health` is its target's."""

    delivery: Delivery
    token: str
    until: datetime
    health: TargetHealth = HEALTHY


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries to list; an absent field does not restrict.

    `since` and `until` bound when they were made, `until` exclusive. `text` stands in a title, whatever the case. Of a
    digest one alert is enough.
    """

    state: DeliveryState | None = None
    target_id: str | None = None
    subscriber: str | None = None
    rule_id: str | None = None
    article_id: str | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 50

    def accepts(self, delivery: Delivery) -> bool:
        """Tell whether a delivery is one of them."""
        return (
            self.state in {None, delivery.state}
            and self.target_id in {None, delivery.target_id}
            and (self.since is None or self.since <= delivery.created_at)
            and (self.until is None or delivery.created_at < self.until)
            and any(map(self._accepts_alert, delivery.alerts))
        )

    def _accepts_alert(self, alert: Alert) -> bool:
        return (
            self.subscriber in {None, alert.subscriber}
            and self.article_id in {None, alert.article.id}
            and (self.rule_id is None or any(m.rule_id == self.rule_id for m in alert.matches))
            and self.text.casefold() in alert.article.title.casefold()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTerms:
    """How a target wants its deliveries.

    `gap` is the time between the starts of two, on average: those of a second may go at once. `in_flight` is how many
    may be under way. When more than `most_waiting` are due that were not tried yet, they become digests; 0: never. A
    digest tells at most `most_folded`. `ordered`: one at a time by their numbers, so that what is tried again holds up
    what comes after it; nothing becomes a digest because it waits.
    """

    gap: timedelta = timedelta()
    in_flight: int = 2
    most_waiting: int = 0
    most_folded: int = 200
    ordered: bool = False


USUAL_TERMS = LaneTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStanding:
    """How a target stands: its health, how many wait for it or are under way, and until when all are held back."""

    health: TargetHealth = HEALTHY
    waiting: int = 0
    in_flight: int = 0
    held_until: datetime | None = None


class DeliveryLedger(Protocol):
    """Every delivery with its durable state and its attempts, in one lane per target."""

    async def enqueue(
        self, alert: Alert, target_id: str, due_at: datetime, hold: Hold | None = None
    ) -> str | None:
        """Create a delivery for those matches of which this target was not told before; return its id.

        None when it was told of all of them. Told-ness is per (article, rule, target), whatever feed, edit or replay
        brought it, and is recorded in the same step as the delivery. With a `hold` it is held until its group is
        released, unless it is free of that: then, and without one, it is due at `due_at`.
        """
        ...

    async def arrange(self, terms: Mapping[str, LaneTerms]) -> None:
        """Deliver to these targets on these terms from the next claim on; the terms of others stay."""
        ...

    async def claim(
        self,
        now: datetime,
        lease: timedelta,
        limit: int,
        wait: timedelta,
        slow_limit: int | None = None,
    ) -> Sequence[DeliveryLease]:
        """Lease up to `limit` due deliveries, oldest first in a lane, on the terms of their targets.

        At most `slow_limit` of them go to targets whose health says that they are slow. An open target gets one at a
        time, a disabled one nothing. First, groups whose time has come are released: several deliveries become one
        digest, and so do those of a lane in which too many wait. Block at most `wait` for the first. The attempt count
        is raised here, so that a crash in the send is visible.
        """
        ...

    async def record(
        self, lease: DeliveryLease, attempt: Attempt, ruling: Ruling, now: datetime
    ) -> bool:
        """End a lease with what came of it: delivered, due again, dead or dropped. False when the lease was lost.

        The attempt is kept either way. A ruling with `lane_until` holds back the whole target until then.
        """
        ...

    async def health(self, target_ids: Sequence[str]) -> Mapping[str, TargetHealth]:
        """Return how these targets are doing; one that nothing is known of is well."""
        ...

    async def set_health(self, target_id: str, before: TargetHealth, health: TargetHealth) -> bool:
        """Replace what was `before`; return False, and do nothing, when that is no longer what it was.

        A target that is open is left alone until `health.until`. One that was not active and now is, is held back no
        longer.
        """
        ...

    async def standings(self, target_ids: Sequence[str]) -> Mapping[str, LaneStanding]:
        """Return how these targets stand; what is held for a group is not counted."""
        ...

    async def get(self, delivery_id: str) -> Delivery | None:
        """Return one delivery."""
        ...

    async def attempts(self, delivery_id: str) -> Sequence[Attempt]:
        """Return the attempts of one delivery, oldest first."""
        ...

    async def find(self, which: DeliveryFilter) -> Sequence[Delivery]:
        """Return deliveries, newest first."""
        ...

    async def replay(self, delivery_id: str, now: datetime) -> bool:
        """Make a finished one due now under the same id, its attempts counted from 0. False if unknown."""
        ...

    async def next_due(self) -> datetime | None:
        """Return the earliest instant at which a delivery is due or a lease runs out."""
        ...


class Channel(Protocol):
    """A way to reach a subscriber: one target, its address and its secrets."""

    async def deliver(self, delivery: Delivery, now: datetime) -> Outcome:
        """Make one attempt, bounded in time and bytes. `now` is the instant of the attempt.

        Whatever the receiver does is an `Outcome`; only a defect of ours raises.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
