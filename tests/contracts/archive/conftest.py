"""An empty archive of each kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.archive.sqlite import open_sqlite
from monitor.ports import Archive


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    """Yield an empty archive."""
    async with open_sqlite(tmp_path / "archive.sqlite") as opened:
        yield opened
