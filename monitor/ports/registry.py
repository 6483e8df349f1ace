"""What people add while the system runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class RecordKind(StrEnum):
    """What a registry keeps. A new kind needs no more than a line here and a codec (`monitor.registry`)."""

    FEED = "feed"
    RULE = "rule"
    SUBSCRIBER = "subscriber"
    SILENCE = "silence"
    CHOICE = "choice"  # what the reader of a target chose
    INHIBITION = "inhibition"  # when something came that inhibits
    LINK_USE = "link_use"
    THREAD = "thread"
    CONSENT = "consent"  # that a receiver takes what we send
    HEADLINE = "headline"
    HUB_SUBSCRIPTION = "hub_subscription"
    TOKEN = "token"  # noqa: S105 - the name of a kind
    SESSION = "session"  # somebody who signed in on the page


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as it is kept. `version` is that of its kind when it was last written.

    `expires_at` is when the record itself goes, some time after that; what it says may end sooner.
    """

    id: str
    value: bytes
    version: int
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record to write.

    With `expected` it replaces that version alone; 0: there must be none. A `unique` text is held by one record of the
    kind at a time, whatever its id: the canonical address of a feed, for instance.
    """

    id: str
    value: bytes
    expires_at: datetime | None = None
    expected: int | None = None
    unique: str = ""


class Refusal(StrEnum):
    """Why a record was not written."""

    CHANGED = "changed"  # there is another version than the one expected
    TAKEN = "taken"  # another record holds what has to be unique


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """What became of a draft: its `version`; or a `refusal`, with the version there is and the id that holds it."""

    version: int
    refusal: Refusal | None = None
    holder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What was written and removed, in the order of versions; `last` is where to go on.

    `more` says that there is more than fitted. Removals up to version `forgotten` are no longer known: whoever was
    up to date before that reads everything again, from 0.
    """

    records: tuple[Record, ...]
    removed: tuple[str, ...]
    last: int
    more: bool
    forgotten: int


class Registry(Protocol):
    """Records that people create while the system runs, beside what the files say.

    Each kind has a version, which grows with every write and removal, so that a process learns of changes by one small
    question, and reads only what changed. Every write is one step: whole, in order, seen by all processes after it.
    Writing a record again as it is changes nothing, not even the version.
    """

    async def put(self, kind: RecordKind, draft: Draft, now: datetime) -> Put:
        """Write one record, or refuse it."""
        ...

    async def put_all(
        self, kind: RecordKind, drafts: Sequence[Draft], now: datetime
    ) -> Sequence[Put]:
        """Write many, in order; each is written or refused for itself, so that a repetition does no harm."""
        ...

    async def remove(
        self, kind: RecordKind, record_id: str, now: datetime, expected: int | None = None
    ) -> bool:
        """Remove a record, if it is there and of the `expected` version; tell whether it was."""
        ...

    async def get(self, kind: RecordKind, record_id: str) -> Record | None:
        """Return one record."""
        ...

    async def holder(self, kind: RecordKind, unique: str) -> str | None:
        """Return the id of the record that holds what has to be unique, if one does."""
        ...

    async def versions(self) -> Mapping[RecordKind, int]:
        """Return the version of each kind that was ever written; one command, cheap enough for every second."""
        ...

    async def changes(self, kind: RecordKind, since: int = 0, limit: int = 1000) -> Changes:
        """Return what changed after version `since`, each record once, as it is now.

        From 0 that is every record, page by page; one that is written meanwhile comes again at the end.
        """
        ...
