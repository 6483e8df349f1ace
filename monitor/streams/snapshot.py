"""A copy of an embedded store while it is at work: the server writes it, at one instant, beside its data.

The files are laid out as the server reads them at its start (a log of one part, whose base is the copy), so that a
directory with them is a store.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from monitor.errors import StreamError
from monitor.streams.client import Server

_LOG = "appendonlydir"
_BASE = "appendonly.aof.1.base.rdb"
_MANIFEST = "appendonly.aof.manifest"
_LOOK_EVERY = 0.02


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where each file of a store is to stand, relative to its directory: as it lies on disk, or what it says."""

    copied: Mapping[str, Path] = field(default_factory=dict)
    written: Mapping[str, bytes] = field(default_factory=dict)


@asynccontextmanager
async def snapshot(server: Server, directory: Path) -> AsyncIterator[Snapshot]:
    """Yield a copy of the embedded store in `directory`; it is gone when the block ends.

    Raise `StreamError` when the server cannot write it, as on a full disk.
    """
    made = directory / "dump.rdb"  # the name is protected while the server runs
    copy = directory / f"backup-{secrets.token_hex(8)}.rdb"
    await asyncio.to_thread(made.unlink, missing_ok=True)
    await _idle(server)
    await server.everywhere("BGSAVE")
    await _idle(server)
    try:
        await asyncio.to_thread(made.rename, copy)
    except FileNotFoundError:
        raise StreamError(
            f"the server could not write a copy of the store into {directory}: see server.log there"
        ) from None
    try:
        stamp = await asyncio.to_thread((directory / "SERVER.json").read_bytes)
        manifest = f"file {_BASE} seq 1 type b\n".encode()
        yield Snapshot(
            copied={f"{_LOG}/{_BASE}": copy},
            written={f"{_LOG}/{_MANIFEST}": manifest, "SERVER.json": stamp},
        )
    finally:
        await asyncio.to_thread(copy.unlink, missing_ok=True)


async def _idle(server: Server) -> None:
    """Wait until the server writes neither a copy nor its log anew: it does one at a time."""
    while True:
        facts = (await server.everywhere("INFO", "persistence"))[0]
        if not facts["rdb_bgsave_in_progress"] and not facts["aof_rewrite_in_progress"]:
            return
        await asyncio.sleep(_LOOK_EVERY)
