import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from monitor.config.reload import changes
from tests.wait import wait_until


@asynccontextmanager
async def watching(directory: Path) -> AsyncIterator[list[None]]:
    """Collect the changes that are noticed while the block runs, from when the watch is in place."""
    stop, noticed = asyncio.Event(), list[None]()

    async def collect() -> None:
        async for each in changes(directory, stop):
            noticed.append(each)

    async with asyncio.TaskGroup() as group:
        group.create_task(collect())
        try:
            probes = 0

            def is_watched() -> bool:
                nonlocal probes
                probes += 1
                (directory / "probe.yaml").write_text(str(probes))
                return bool(noticed)

            await wait_until(is_watched, "the watch is in place")
            noticed.clear()
            yield noticed
        finally:
            stop.set()


@pytest.mark.parametrize("name", ["feeds.yaml", "feeds/more.yaml", "..data"])
async def test_change_is_noticed(tmp_path: Path, name: str) -> None:
    (tmp_path / "feeds").mkdir()
    async with watching(tmp_path) as noticed:
        (tmp_path / name).write_text("feeds: []")
        await wait_until(lambda: bool(noticed), f"a change of {name} is noticed")


async def test_file_replaced_by_renaming_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("")
    async with watching(tmp_path) as noticed:
        (tmp_path / ".feeds.yaml.swp").write_text("feeds: []")
        (tmp_path / ".feeds.yaml.swp").rename(tmp_path / "feeds.yaml")
        await wait_until(lambda: bool(noticed), "the renaming is noticed")


async def test_watch_ends_when_told(tmp_path: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(10):
        assert [each async for each in changes(tmp_path, stop)] == []
