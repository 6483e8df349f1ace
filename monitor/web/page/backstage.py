"""What the page needs beyond the operations of the API."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from monitor.core.model import Article, Attempt, DeliveryState, Feed
from monitor.core.targets import Target
from monitor.errors import ArchiveError
from monitor.ports import StoreHealth
from monitor.web.api.live import Tail
from monitor.web.api.making import Making
from monitor.web.api.operations import Operations

_FRESH_FOR = timedelta(seconds=5)
_HOUR = timedelta(hours=1)
WAITING = (DeliveryState.PENDING, DeliveryState.LEASED, DeliveryState.RETRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How everything stands, in one line. `lag` is how long the oldest delivery that is due has waited."""

    articles: int | None
    waiting: int
    lag: timedelta
    dead: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An article that a rule must find, or must not."""

    article: Article
    wanted: bool


@dataclass(slots=True, kw_only=True)
class Backstage:
    """The operations, and what stands behind them. `poll` and `send_test` say what came of it.

    `problems` are those of the process, name to sentence; `places` say where a rule of a file is written, and
    `examples` what it must find and must not, by its id.
    """

    operations: Operations
    making: Making
    tail: Tail
    health: StoreHealth
    places: Callable[[], Mapping[str, str]]
    examples: Callable[[str], Sequence[Example]]
    problems: Callable[[], Mapping[str, str]]
    poll: Callable[[Feed], Awaitable[str]]
    send_test: Callable[[Target], Awaitable[Attempt]]
    _status: Status | None = field(default=None, init=False)
    _fresh_until: float = field(default=0.0, init=False)

    async def status(self) -> Status:
        """Count, at most once in some seconds, however many look."""
        now = self.operations.clock.now()
        if self._status is None or now.timestamp() >= self._fresh_until:
            self._status = await self._count()
            self._fresh_until = (now + _FRESH_FOR).timestamp()
        return self._status

    async def _count(self) -> Status:
        ours, now = self.operations, self.operations.clock.now()
        census, due = await self.health.census(now), await ours.ledger.next_due()
        try:
            articles = await ours.archive.count(now - _HOUR, None) if ours.archive else None
        except ArchiveError:
            articles = None
        counts = census.deliveries
        return Status(
            articles=articles,
            waiting=sum(counts.get(state, 0) for state in WAITING),
            lag=max(now - due, timedelta()) if due else timedelta(),
            dead=counts.get(DeliveryState.DEAD, 0) + census.dead_entries,
            problem=next(iter(self.problems().values()), ""),
        )
