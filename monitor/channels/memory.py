"""What channels remember of a target: in the registry, over restarts and on every host, or while a process lives."""

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Generic, Protocol, TypeVar

from monitor.errors import CodecError
from monitor.ports import Draft, Registry
from monitor.registry import RecordCodec

T = TypeVar("T")


class Memory(Protocol[T]):
    """One kind of thing, by target and name. What is forgotten costs little, and each user says what."""

    async def find(self, target_id: str, name: str) -> T | None:
        """Return what is remembered under this name, if anything is."""
        ...

    async def keep(self, target_id: str, name: str, value: T, now: datetime) -> None:
        """Remember it for some days."""
        ...


class RegistryMemory(Generic[T]):
    """A memory that lasts."""

    def __init__(self, registry: Registry, codec: RecordCodec[T], keep_for: timedelta) -> None:
        """Keep each in `registry` for so long after it was last written."""
        self._registry = registry
        self._codec = codec
        self._keep_for = keep_for

    async def find(self, target_id: str, name: str) -> T | None:
        """See `Memory.find`. What cannot be read is not remembered."""
        record = await self._registry.get(self._codec.kind, _id(target_id, name))
        try:
            return self._codec.decode(record.value) if record else None
        except CodecError:
            return None

    async def keep(self, target_id: str, name: str, value: T, now: datetime) -> None:
        """See `Memory.keep`."""
        draft = Draft(
            id=_id(target_id, name),
            value=self._codec.encode(value),
            expires_at=now + self._keep_for,
        )
        await self._registry.put(self._codec.kind, draft, now)


class ProcessMemory(Generic[T]):
    """A memory for as long as the process lives, where there is no registry."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._kept: dict[str, T] = {}

    async def find(self, target_id: str, name: str) -> T | None:
        """See `Memory.find`."""
        return self._kept.get(_id(target_id, name))

    async def keep(self, target_id: str, name: str, value: T, now: datetime) -> None:  # noqa: ARG002 - the port's
        """See `Memory.keep`; until the process ends."""
        self._kept[_id(target_id, name)] = value


def _id(target_id: str, name: str) -> str:
    said = f"{target_id}\0{name}".encode("utf-8", errors="replace")
    return blake2b(said, digest_size=12).hexdigest()
