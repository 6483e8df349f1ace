"""Which thread a story has in a Slack channel, kept in the registry."""

from datetime import datetime, timedelta
from hashlib import blake2b

from monitor.channels.slackbot import Thread
from monitor.errors import CodecError
from monitor.ports import Draft, RecordKind, Registry
from monitor.registry import RecordCodec

KEPT_FOR = timedelta(days=4)  # after the last that was heard of a story
THREADS = RecordCodec(RecordKind.THREAD, Thread)


class RegistryThreads:
    """The threads of every target, over restarts and on every host."""

    def __init__(self, registry: Registry) -> None:
        """Keep them in `registry`."""
        self._registry = registry

    async def find(self, target_id: str, story: str) -> Thread | None:
        """Return the thread of a story; one that cannot be read is none."""
        record = await self._registry.get(RecordKind.THREAD, _id(target_id, story))
        try:
            return THREADS.decode(record.value) if record else None
        except CodecError:
            return None

    async def keep(self, target_id: str, story: str, thread: Thread, now: datetime) -> None:
        """Remember a thread until nothing was heard of it for some days."""
        draft = Draft(
            id=_id(target_id, story), value=THREADS.encode(thread), expires_at=now + KEPT_FOR
        )
        await self._registry.put(RecordKind.THREAD, draft, now)


class ProcessThreads:
    """Threads for as long as the process lives, where there is no registry."""

    def __init__(self) -> None:
        """Start with none."""
        self._threads: dict[str, Thread] = {}

    async def find(self, target_id: str, story: str) -> Thread | None:
        """Return the thread of a story."""
        return self._threads.get(_id(target_id, story))

    async def keep(self, target_id: str, story: str, thread: Thread, now: datetime) -> None:  # noqa: ARG002 - the port's
        """Remember a thread."""
        self._threads[_id(target_id, story)] = thread


def _id(target_id: str, story: str) -> str:
    said = f"{target_id}\0{story}".encode("utf-8", errors="replace")
    return blake2b(said, digest_size=12).hexdigest()
