"""An empty archive of each kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.archive.postgres import open_postgres
from monitor.archive.sqlite import open_sqlite
from monitor.ports import Archive


@pytest.fixture(params=["sqlite", "postgres"])
async def archive(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Archive]:
    """Yield an empty archive."""
    if request.param == "sqlite":
        async with open_sqlite(tmp_path / "archive.sqlite") as in_a_file:
            yield in_a_file
        return
    async with open_postgres(request.getfixturevalue("postgres").url) as in_a_database:
        yield in_a_database
