"""Opening a store: the server it stands on, what it must be able to do, and what was fixed when it was made."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from monitor.errors import StoreRefusedError
from monitor.streams import bounds, keys
from monitor.streams.client import Server, command, connect, load_functions
from monitor.streams.embedded import embedded_server

FORMAT = 1
OLDEST_SERVER = (7, 0)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. Build the ports from it."""

    server: Server
    partitions: int
    url: str = field(repr=False)  # may hold a password

    def all(self) -> range:
        """Return the numbers of the partitions."""
        return range(self.partitions)

    def partition_of(self, name: str) -> int:
        """Return the partition of a target, a host or a feed's home record."""
        return keys.partition_of(name, self.partitions)


@asynccontextmanager
async def open_store(
    url: str | None,
    directory: Path,
    *,
    max_memory: int = bounds.MAX_MEMORY,
    partitions: int = bounds.PARTITIONS,
    durable: bool = False,
) -> AsyncIterator[Store]:
    """Open the store at `url`, or the embedded one in `directory`, which is then started or shared.

    `max_memory` (bytes) and `durable` (fsync on every write instead of every second) concern an embedded server alone.
    `partitions` counts for a store that does not exist yet; an existing one keeps its number. Raise
    `StoreRefusedError` for what waiting cannot help, `StreamError` when the server does not answer.
    """
    async with AsyncExitStack() as stack:
        if url is None:
            embedded = embedded_server(directory, max_memory=max_memory, durable=durable)
            url = await stack.enter_async_context(embedded)
        server = await stack.enter_async_context(connect(url))
        check_server(await server_facts(server))
        count = await _agree(server, partitions)
        await load_functions(server)
        yield Store(server=server, partitions=count, url=url)


async def server_facts(server: Server) -> list[dict[str, Any]]:
    """Return what each primary says of itself."""
    facts: list[dict[str, Any]] = []
    for section in ("server", "memory", "persistence"):
        for i, reply in enumerate(await server.everywhere("INFO", section)):
            if i == len(facts):
                facts.append({})
            facts[i].update(reply)
    return facts


def check_server(facts: Sequence[dict[str, Any]]) -> None:
    """Raise `StoreRefusedError` for a server that would lose entries or does not know our commands."""
    for node in facts:
        version = str(node.get("redis_version", "0"))
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_SERVER:
            raise StoreRefusedError(
                f"the server is version {version}, but server-side functions need Redis 7.0"
                " or Valkey 7.2: upgrade it, or leave the URL out to use the embedded server"
            )
        policy = node.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise StoreRefusedError(
                f"the server evicts entries when it is full (maxmemory-policy {policy}), so alerts"
                " would be lost: run CONFIG SET maxmemory-policy noeviction, and put the same line"
                " into its configuration file"
            )
        if not node.get("aof_enabled"):
            _log.warning(
                "store_not_durable",
                hint="appendonly is off: what the server holds is lost when it restarts",
            )


def server_name(node: dict[str, Any]) -> str:
    """Return flavour and version as a person would say them."""
    if "valkey_version" in node:
        return f"Valkey {node['valkey_version']}"
    return f"Redis {node.get('redis_version', '?')}"


async def _agree(server: Server, partitions: int) -> int:
    meta = await server.run(command("HMGET", keys.META, "format", "partitions"))
    if None in meta:
        await server.run(command("HSETNX", keys.META, "format", FORMAT))
        await server.run(command("HSETNX", keys.META, "partitions", partitions))
        meta = await server.run(command("HMGET", keys.META, "format", "partitions"))
    written, count = int(meta[0]), int(meta[1])
    if written > FORMAT:
        raise StoreRefusedError(
            f"the store was written by a newer release (format {written}, this one reads {FORMAT}):"
            " run that release, or open another store"
        )
    if count != partitions:
        _log.warning(
            "partitions_kept",
            store=count,
            configured=partitions,
            hint="the number is fixed when a store is made; the store's own is used",
        )
    return count
