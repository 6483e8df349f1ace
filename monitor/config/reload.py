"""Notices that the files of the configuration have changed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import awatch

_SETTLE_MS = 300  # an editor writes a file in several steps


async def changes(directory: Path, stop: asyncio.Event) -> AsyncIterator[None]:
    """Yield once for each burst of changes under `directory`, until `stop` is set."""
    async for _ in awatch(directory, stop_event=stop, debounce=_SETTLE_MS, step=50):
        yield
