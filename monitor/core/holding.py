"""What keeps an alert back, to be told with others."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.outcome import HoldReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Keep an alert back until `until`, then tell it in one message with all that `group` gathered.

    The first alert of a group sets when it is released; those that join wait for the same instant. `interval`: the
    group is released at least so long after it last was. `free`: so many deliveries go to the target at once before
    one is held, counted anew when `until` changes; none: all are held. `detail` says why, in words. `closed` are times
    from and until which a group is not released that waits for its interval; it is then released at their end.
    `surplus`: what begins a group counts as told at once there, and is held by that instead when none is free any more.
    """

    group: str
    reason: HoldReason
    until: datetime
    interval: timedelta = timedelta()
    free: int = 0
    detail: str = ""
    closed: tuple[tuple[datetime, datetime], ...] = ()
    surplus: "Hold | None" = None
