"""What services have in common: turns until told to stop, and patience with a server that is away."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import ClassVar, Generic, TypeVar

import structlog

from monitor.errors import ArchiveError, StoreRefusedError, StreamError
from monitor.ports import Entry
from monitor.services.slots import Slots
from monitor.telemetry import Metrics

IDLE = timedelta(seconds=2)  # the longest a turn waits for work, so that a stop is noticed
_BATCH = 64
_GATHERING = (
    0.005  # how long places that become free are waited for, so that one claim fills several
)
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 10.0
_INSISTS_FOR = 600.0
_LONGEST_INSISTING = 1.0  # soon enough to be before those who would do it again

Lease = TypeVar("Lease")
Value = TypeVar("Value")

log = structlog.get_logger()


class Service(ABC):
    """A loop over ports. One `step` is what a test calls; `run` repeats it until told to stop."""

    name: ClassVar[str]

    def __init__(self, metrics: Metrics) -> None:
        """Count into `metrics`."""
        self.metrics = metrics

    @abstractmethod
    async def step(self) -> int:
        """Take one turn: wait for work for a moment, do all that came, return how much that was."""

    async def run(self, stop: asyncio.Event) -> None:
        """Take turns until `stop` is set; the turn under way is finished."""
        await self._repeat(self.step, stop)

    async def _repeat(self, turn: Callable[[], Awaitable[int]], stop: asyncio.Event) -> None:
        """Take turns; while the server is away wait ever longer, up to ten seconds, and say so once."""
        pause = 0.0
        while not stop.is_set():
            try:
                await turn()
            except StoreRefusedError:
                raise
            except (StreamError, ArchiveError) as error:
                self.metrics.failures.labels(self.name).inc()
                if not pause:
                    log.warning("store_unavailable", service=self.name, error=str(error))
                pause = min(_LONGEST_PAUSE, pause * 2 or _FIRST_PAUSE)
                await pause_until(stop, pause)
            else:
                if pause:
                    log.info("store_available", service=self.name)
                pause = 0.0

    async def _insist(self, step: Callable[[], Awaitable[Value]]) -> Value:
        """Take a step again while the store does not answer, for some minutes: what was done outside is not undone.

        The step must bear to be repeated.
        """
        clock = asyncio.get_running_loop().time
        end, pause = clock() + _INSISTS_FOR, 0.0
        while True:
            try:
                return await step()
            except StoreRefusedError:
                raise
            except StreamError as error:
                if clock() > end:
                    raise
                if not pause:
                    self.metrics.failures.labels(self.name).inc()
                    log.warning("record_delayed", service=self.name, error=str(error))
                pause = min(_LONGEST_INSISTING, pause * 2 or _FIRST_PAUSE)
                await asyncio.sleep(pause)


class EntryService(Service, Generic[Value]):
    """A service that reads a log and handles its entries one after the other, in order."""

    @abstractmethod
    async def _read(self, limit: int, wait: timedelta) -> Sequence[Entry[Value]]:
        """Read the log."""

    @abstractmethod
    async def _handle(self, entry: Entry[Value]) -> None:
        """Do what the entry calls for, and finish it last."""

    async def step(self) -> int:
        """Handle a batch."""
        entries = await self._read(_BATCH, IDLE)
        for entry in entries:
            await self._guarded(entry)
        return len(entries)

    async def _guarded(self, entry: Entry[Value]) -> None:
        """Leave an entry pending that cannot be handled: it is tried again, and buried after some tries."""
        try:
            await self._handle(entry)
        except StreamError:
            raise
        except Exception:  # the wall around one entry: a defect costs its turn and no other
            self.metrics.failures.labels(self.name).inc()
            log.exception(
                "entry_not_handled", service=self.name, entry=entry.id, deliveries=entry.deliveries
            )


class PeriodicService(Service):
    """A service that takes a turn, rests `every` so often, and takes the next."""

    every: timedelta = timedelta(seconds=1)

    async def run(self, stop: asyncio.Event) -> None:
        """Take turns until `stop` is set; it ends a rest too."""

        async def turn() -> int:
            done = await self.step()
            await pause_until(stop, self.every.total_seconds())
            return done

        await self._repeat(turn, stop)


class LeasingService(Service, Generic[Lease]):
    """A service that leases pieces of work and does several at once, so that a slow one takes one place.

    After `patience` seconds a piece of work gives its place to another, and goes on; at most `aside` times as many as
    there are places may have. More is claimed when one part in `claims_by` of the places is free.
    """

    patience: float | None = None
    aside: int = 1
    claims_by: int = 2

    def __init__(self, metrics: Metrics, concurrency: int) -> None:
        """Do at most `concurrency` at once."""
        super().__init__(metrics)
        self._concurrency = concurrency
        self._worth_a_claim = max(1, concurrency // self.claims_by)
        self._slots: Slots | None = None

    @abstractmethod
    async def _claim(self, limit: int) -> Sequence[Lease]:
        """Lease up to `limit`, waiting for the first for a moment."""

    @abstractmethod
    async def _handle(self, lease: Lease) -> None:
        """Do one piece of work and end its lease."""

    async def step(self) -> int:
        """Do all that is due now, and return when it is done."""
        async with Slots(self._concurrency, self.patience, self.aside) as slots:
            self._slots = slots
            return await self._fill(slots)

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the places filled until `stop` is set, then finish what is under way."""
        async with Slots(self._concurrency, self.patience, self.aside) as slots:
            self._slots = slots
            await self._repeat(lambda: self._fill(slots), stop)

    def _step_aside(self) -> None:
        """Give the place of the work that calls this to another, because it only waits for the store from now on."""
        if self._slots:
            self._slots.step_aside()

    async def _fill(self, slots: Slots) -> int:
        if not slots.free:
            await slots.changed(IDLE.total_seconds())
            return 0
        if slots.free < self._worth_a_claim:
            await slots.room(self._worth_a_claim, _GATHERING)
        leases = await self._claim(slots.free)
        for lease in leases:
            slots.start(self._guarded(lease))
        return len(leases)

    async def _guarded(self, lease: Lease) -> None:
        """Leave the lease to run out when the server goes away in the middle: the work is then done again."""
        try:
            await self._handle(lease)
        except StreamError as error:
            self.metrics.failures.labels(self.name).inc()
            log.warning("lease_abandoned", service=self.name, error=str(error))


async def pause_until(stop: asyncio.Event, seconds: float) -> None:
    """Return when `stop` is set or `seconds` have passed, whichever is first."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
