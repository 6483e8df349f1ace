"""What people add while the system runs, on the server.

All of it lies in one partition, so that one version counts for a kind and one command asks for all of them. That is
enough: 100,000 feeds are some tens of megabytes, written rarely and read once by each process.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from monitor.ports import Changes, Draft, Put, Record, RecordKind, Refusal
from monitor.streams import bounds
from monitor.streams.client import Command, Word, call, command
from monitor.streams.instants import from_ms, span_ms, to_ms
from monitor.streams.keys import key
from monitor.streams.store import Store

_PUT_AT_ONCE = 200
_TIDY_AT_ONCE = 1000
_PARTS = ("records", "changes", "expiry", "removed", "holders", "held")


class StreamRegistry:
    """A `Registry` on the server."""

    def __init__(self, store: Store) -> None:
        """Work on an open store."""
        self._server = store.server
        self._partition = store.partition_of("registry")
        self._versions = key(self._partition, "registry:versions")

    async def put(self, kind: RecordKind, draft: Draft, now: datetime) -> Put:
        """See `Registry.put`."""
        [answer] = await self.put_all(kind, [draft], now)
        return answer

    async def put_all(
        self,
        kind: RecordKind,
        drafts: Sequence[Draft],
        now: datetime,  # noqa: ARG002 - a server needs no clock to write
    ) -> Sequence[Put]:
        """See `Registry.put_all`. One function for some hundred, so that no other command waits for long."""
        answers: list[Put] = []
        for start in range(0, len(drafts), _PUT_AT_ONCE):
            words = [
                word for draft in drafts[start : start + _PUT_AT_ONCE] for word in _words(draft)
            ]
            replies = await self._server.run(self._call("monitor_registry_put", kind, *words))
            answers += [_put(*reply) for reply in replies]
        return answers

    async def remove(
        self, kind: RecordKind, record_id: str, now: datetime, expected: int | None = None
    ) -> bool:
        """See `Registry.remove`."""
        wanted = "" if expected is None else expected
        remove = self._call("monitor_registry_remove", kind, record_id, to_ms(now), wanted)
        return bool(await self._server.run(remove))

    async def get(self, kind: RecordKind, record_id: str) -> Record | None:
        """See `Registry.get`."""
        asked = call("monitor_registry_get", self._keys(kind), record_id)
        value, version, expires_at = await self._server.run(asked)
        return None if value is None else _record(record_id, version, value, expires_at)

    async def holder(self, kind: RecordKind, unique: str) -> str | None:
        """See `Registry.holder`."""
        holders = self._keys(kind)[5]
        found = await self._server.run(command("HGET", holders, _digest(unique)))
        return None if found is None else found.decode()

    async def versions(self) -> Mapping[RecordKind, int]:
        """See `Registry.versions`."""
        counted = await self._server.run(command("HMGET", self._versions, *RecordKind))
        pairs = zip(RecordKind, counted, strict=True)
        return {kind: int(version) for kind, version in pairs if version is not None}

    async def changes(self, kind: RecordKind, since: int = 0, limit: int = 1000) -> Changes:
        """See `Registry.changes`."""
        asked = self._call("monitor_registry_changes", kind, since, limit)
        version, forgotten, found = await self._server.run(asked)
        is_full = len(found) == limit
        return Changes(
            records=tuple(
                _record(name.decode(), at, value, expires_at)
                for name, at, value, expires_at in found
                if value is not None
            ),
            removed=tuple(name.decode() for name, _, value, _ in found if value is None),
            last=int(found[-1][1]) if is_full else int(version),
            more=is_full,
            forgotten=int(forgotten),
        )

    async def tidy(self, now: datetime) -> int:
        """Remove what has expired and forget old removals; return how many records went."""
        before, gone = to_ms(now) - span_ms(bounds.REMOVALS_KNOWN), 0
        for kind in RecordKind:
            tidy = self._call("monitor_registry_tidy", kind, to_ms(now), before, _TIDY_AT_ONCE)
            done = [_TIDY_AT_ONCE]
            while max(done) == _TIDY_AT_ONCE:
                done = await self._server.run(tidy)
                gone += done[0]
        return gone

    def _keys(self, kind: RecordKind) -> list[str]:
        parts = [key(self._partition, f"registry:{kind}:{part}") for part in _PARTS]
        return [self._versions, *parts]

    def _call(self, function: str, kind: RecordKind, *args: Word) -> Command:
        return call(function, self._keys(kind), kind, *args)


def _words(draft: Draft) -> list[Word]:
    return [
        draft.id,
        draft.value,
        "" if draft.expires_at is None else to_ms(draft.expires_at),
        "" if draft.expected is None else draft.expected,
        _digest(draft.unique) if draft.unique else "",
    ]


def _digest(unique: str) -> bytes:
    """Return what stands for a text of any length; so short that 100,000 of them are small."""
    return blake2b(unique.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _put(refusal: bytes, version: bytes | int, holder: bytes) -> Put:
    return Put(
        version=int(version),
        refusal=Refusal(refusal.decode()) if refusal else None,
        holder=holder.decode(),
    )


def _record(record_id: str, version: Any, value: bytes, expires_at: Any) -> Record:
    return Record(
        id=record_id,
        value=value,
        version=int(version or 0),
        expires_at=None if expires_at is None else from_ms(int(expires_at)),
    )
