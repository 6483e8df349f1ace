"""When to try a delivery again, and when to give it up."""

from dataclasses import dataclass
from datetime import datetime

from monitor.core.model import DeliveryState
from monitor.core.outcome import DeliveryReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What becomes of a delivery after an attempt.

    `state` is DELIVERED, RETRY, DEAD or DROPPED; `due_at` is set with RETRY alone. `lane_until` holds back everything
    for the target until then.
    """

    state: DeliveryState
    due_at: datetime | None = None
    reason: DeliveryReason | None = None
    detail: str = ""
    lane_until: datetime | None = None
