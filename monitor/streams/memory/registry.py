"""What people add while the system runs, in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from monitor.ports import Changes, Draft, Put, Record, RecordKind, Refusal
from monitor.streams import bounds
from monitor.streams.memory.store import MemoryStore, Shelf


class MemoryRegistry:
    """A `Registry` in memory."""

    def __init__(self, store: MemoryStore) -> None:
        """Work on the shared state."""
        self._shelves = store.shelves

    async def put(
        self,
        kind: RecordKind,
        draft: Draft,
        now: datetime,  # noqa: ARG002 - the port's
    ) -> Put:
        """See `Registry.put`."""
        shelf = self._shelf(kind)
        there = shelf.records.get(draft.id)
        version = there.version if there else 0
        if draft.expected is not None and draft.expected != version:
            return Put(version=version, refusal=Refusal.CHANGED)
        holder = shelf.holders.get(draft.unique, draft.id) if draft.unique else draft.id
        if holder != draft.id:
            return Put(version=version, refusal=Refusal.TAKEN, holder=holder)
        if there and _is_same(there, draft, shelf):
            return Put(version=version)
        shelf.hold(draft.id, draft.unique)
        shelf.removed.pop(draft.id, None)
        shelf.records[draft.id] = Record(
            id=draft.id,
            value=draft.value,
            version=shelf.advance(draft.id),
            expires_at=draft.expires_at,
        )
        return Put(version=shelf.version)

    async def put_all(
        self, kind: RecordKind, drafts: Sequence[Draft], now: datetime
    ) -> Sequence[Put]:
        """See `Registry.put_all`."""
        return [await self.put(kind, draft, now) for draft in drafts]

    async def remove(
        self, kind: RecordKind, record_id: str, now: datetime, expected: int | None = None
    ) -> bool:
        """See `Registry.remove`."""
        shelf = self._shelf(kind)
        there = shelf.records.get(record_id)
        if there is None or expected not in {None, there.version}:
            return False
        shelf.drop(record_id, now)
        return True

    async def get(self, kind: RecordKind, record_id: str) -> Record | None:
        """See `Registry.get`."""
        return self._shelf(kind).records.get(record_id)

    async def holder(self, kind: RecordKind, unique: str) -> str | None:
        """See `Registry.holder`."""
        return self._shelf(kind).holders.get(unique)

    async def versions(self) -> Mapping[RecordKind, int]:
        """See `Registry.versions`."""
        return {kind: shelf.version for kind, shelf in self._shelves.items() if shelf.version}

    async def changes(self, kind: RecordKind, since: int = 0, limit: int = 1000) -> Changes:
        """See `Registry.changes`."""
        shelf = self._shelf(kind)
        found = [(at, each) for each, at in shelf.changes.items() if at > since]
        page = sorted(found)[:limit]
        is_full = len(page) == limit
        return Changes(
            records=tuple(shelf.records[each] for _, each in page if each in shelf.records),
            removed=tuple(each for _, each in page if each not in shelf.records),
            last=page[-1][0] if is_full else shelf.version,
            more=is_full,
            forgotten=shelf.forgotten,
        )

    async def tidy(self, now: datetime) -> int:
        """Remove what has expired and forget old removals; return how many records went."""
        return sum(_tidy(shelf, now) for shelf in self._shelves.values())

    def _shelf(self, kind: RecordKind) -> Shelf:
        return self._shelves.setdefault(kind, Shelf())


def _is_same(there: Record, draft: Draft, shelf: Shelf) -> bool:
    return (there.value, there.expires_at, shelf.held.get(draft.id, "")) == (
        draft.value,
        draft.expires_at,
        draft.unique,
    )


def _tidy(shelf: Shelf, now: datetime) -> int:
    expired = [
        (each.expires_at, each.id)
        for each in shelf.records.values()
        if each.expires_at is not None and each.expires_at <= now
    ]
    for _, each in sorted(expired):
        shelf.drop(each, now)
    for each, at in list(shelf.removed.items()):
        if at <= now - bounds.REMOVALS_KNOWN:
            shelf.forgotten = max(shelf.forgotten, shelf.changes.pop(each))
            del shelf.removed[each]
    return len(expired)
