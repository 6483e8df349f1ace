"""Notices that the configuration changed. What to do about it is decided by whoever listens."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import Change, awatch

_QUIET_MS = 300  # an editor writes, renames and touches: one change, not five


async def changes(directory: Path, stop: asyncio.Event) -> AsyncIterator[None]:
    """Yield once for each burst of changes to YAML files under `directory`, until `stop` is set.

    Files outside of the directory, those of secrets among them, are not watched: SIGHUP is for them.
    """
    async for _ in awatch(
        directory,
        watch_filter=_concerns_us,
        debounce=4 * _QUIET_MS,
        step=_QUIET_MS,
        stop_event=stop,
    ):
        yield


def _concerns_us(_change: Change, path: str) -> bool:
    """Whether a path can matter: a YAML file, or the link that a mounted ConfigMap swaps."""
    name = Path(path).name
    return name == "..data" or (name.endswith((".yaml", ".yml")) and not name.startswith("."))
