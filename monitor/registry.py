"""How the records of a registry are written, and how a process follows those of a kind.

A record is one byte of version, then JSON of its fields by name, so that a person can read it in the store. The rules
are those of stream entries: within a version fields may be added, with a default, and unknown ones are ignored.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
import structlog

from monitor.core.access import Session, Token
from monitor.core.inhibition import Source
from monitor.core.made import Made
from monitor.core.model import Feed
from monitor.core.pace import Choice
from monitor.core.silences import Silence
from monitor.core.websub import HubSubscription
from monitor.errors import CodecError
from monitor.ports import Record, RecordKind, Registry

VERSION = b"1"
LARGEST = 256 * 1024

T = TypeVar("T")

log = structlog.get_logger()


class RecordCodec(Generic[T]):
    """Writes and reads the records of one kind."""

    def __init__(self, kind: RecordKind, shape: type[T]) -> None:
        """Compile the reader of `shape`, the type that records of `kind` have."""
        self.kind = kind
        self._decoder = msgspec.json.Decoder(shape)

    def encode(self, value: T) -> bytes:
        """Return the record as bytes; raise `CodecError` for text that is not Unicode, or too much of it."""
        try:
            data = VERSION + msgspec.json.encode(value)
        except (UnicodeEncodeError, OverflowError) as error:
            raise CodecError(f"cannot write this {self.kind}: {error}") from error
        if len(data) > LARGEST:
            raise CodecError(
                f"cannot write this {self.kind}: {len(data):,} bytes, at most {LARGEST:,} are kept"
            )
        return data

    def decode(self, data: bytes) -> T:
        """Return the record, or raise `CodecError`, whatever the bytes are."""
        if data[:1] != VERSION:
            raise CodecError(
                f"cannot read this {self.kind}: version {data[:1]!r}, this program reads {VERSION!r};"
                " a newer release may have written it"
            )
        try:
            return self._decoder.decode(data[1:])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise CodecError(f"cannot read this {self.kind}: {error}") from error


FEEDS = RecordCodec(RecordKind.FEED, Feed)
RULES = RecordCodec(RecordKind.RULE, Made)
SUBSCRIBERS = RecordCodec(RecordKind.SUBSCRIBER, Made)
HUB_SUBSCRIPTIONS = RecordCodec(RecordKind.HUB_SUBSCRIPTION, HubSubscription)
SILENCES = RecordCodec(RecordKind.SILENCE, Silence)
CHOICES = RecordCodec(RecordKind.CHOICE, Choice)
TOKENS = RecordCodec(RecordKind.TOKEN, Token)
SESSIONS = RecordCodec(RecordKind.SESSION, Session)
HEADLINES = RecordCodec(RecordKind.HEADLINE, str)
SOURCES = RecordCodec(RecordKind.INHIBITION, Source)


async def all_records(
    registry: Registry, kind: RecordKind, at_once: int = 1000
) -> AsyncIterator[Record]:
    """Yield every record of a kind, in the order in which they were last written.

    One that is written meanwhile comes again at the end.
    """
    since, more = 0, True
    while more:
        page = await registry.changes(kind, since, at_once)
        for record in page.records:
            yield record
        since, more = page.last, page.more


@dataclass(frozen=True, slots=True)
class RosterChange:
    """The ids of what is new or different, and of what is gone."""

    changed: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Tell whether anything changed."""
        return bool(self.changed or self.removed)


class Roster(Generic[T]):
    """The records of a kind as this process knows them, kept up to date by `refresh`.

    A record that cannot be read (a newer release wrote it) is left out, and logged: it costs no other.
    """

    def __init__(
        self,
        registry: Registry,
        codec: RecordCodec[T],
        finish: Callable[[T], T] = lambda value: value,
    ) -> None:
        """Start empty; nothing is asked yet. `finish` adds to each value what the settings of this process say."""
        self._registry = registry
        self._codec = codec
        self._finish = finish
        self._version = 0
        self._values: dict[str, T] = {}

    @property
    def values(self) -> Mapping[str, T]:
        """What the records say, by id. Always the same mapping, which changes with `refresh` alone."""
        return self._values

    async def refresh(self) -> RosterChange:
        """Catch up with the registry; where nothing was written since, that is one small command."""
        version = (await self._registry.versions()).get(self._codec.kind, 0)
        if version == self._version:
            return RosterChange()
        if version < self._version:  # somebody emptied the store, or restored an older one
            return await self._start_over()
        return await self._catch_up()

    async def _catch_up(self) -> RosterChange:
        changed: set[str] = set()
        removed: set[str] = set()
        since, more = self._version, True
        while more:
            page = await self._registry.changes(self._codec.kind, since)
            if self._version and page.forgotten > self._version:
                return await self._start_over()
            for record in page.records:
                if self._take(record):
                    changed.add(record.id)
                    removed.discard(record.id)
            for gone in page.removed:
                if self._values.pop(gone, None) is not None:
                    changed.discard(gone)
                    removed.add(gone)
            since, more = page.last, page.more
        self._version = since
        return RosterChange(frozenset(changed), frozenset(removed))

    async def _start_over(self) -> RosterChange:
        """Read everything, and tell the difference to what was known."""
        before = dict(self._values)
        self._values.clear()
        self._version = 0
        await self._catch_up()
        changed = (each for each, value in self._values.items() if before.get(each) != value)
        return RosterChange(frozenset(changed), frozenset(before.keys() - self._values.keys()))

    def _take(self, record: Record) -> bool:
        try:
            self._values[record.id] = self._finish(self._codec.decode(record.value))
        except CodecError as error:
            log.warning(
                "record_not_read", kind=self._codec.kind, record=record.id, error=str(error)
            )
            return False
        return True
