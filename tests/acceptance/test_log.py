"""The log of the daemon in a file or a pipe: rotated, full, unread. Alerts come through whatever becomes of it."""

import asyncio
import fcntl
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.acceptance.daemon import COMMAND, environment
from tests.crash.stage import audit, write_config
from tests.servers.newsroom import Newsroom, Story
from tests.wait import wait_until


@asynccontextmanager
async def logging_to(
    descriptor: int, newsroom: Newsroom, directory: Path, *, command: tuple[str, ...] = COMMAND
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a monitor of this newsroom with its log in `descriptor`; at the end it has to stop when told to."""
    config = write_config(directory / "config", newsroom, str(directory / "data"))
    arguments = ("run", "--config", str(config), "--log-level", "debug", "--log-format", "json")
    process = await asyncio.create_subprocess_exec(
        *command, *arguments, stdout=subprocess.DEVNULL, stderr=descriptor, env=environment()
    )
    try:
        yield process
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(15):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@contextmanager
def reader_that_went() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextmanager
def reader_that_hangs() -> Iterator[int]:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"x" * 4096)
    yield writing
    os.close(writing)
    os.close(reading)


@contextmanager
def full_disk() -> Iterator[int]:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("place", [reader_that_went, reader_that_hangs, full_disk])
async def test_a_log_that_nobody_takes_stops_no_alert(
    tmp_path: Path, place: Callable[[], AbstractContextManager[int]]
) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks")]
        with place() as descriptor:
            async with logging_to(descriptor, newsroom, tmp_path) as process:
                await audit(newsroom)
                newsroom.feeds["one"] += [Story(2, "vote")]
                await audit(newsroom)
            assert process.returncode == 0
        assert newsroom.repeats() == 0


async def test_a_daemon_that_is_started_with_nothing_open_alerts_all_the_same(
    tmp_path: Path,
) -> None:
    closed = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *COMMAND)
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks")]
        async with logging_to(subprocess.DEVNULL, newsroom, tmp_path, command=closed) as process:
            await audit(newsroom)
        assert process.returncode == 0


def polls(path: Path) -> int:
    """How many polls a log tells of; every line of it is whole."""
    return sum(json.loads(line)["event"] == "feed_polled" for line in whole_lines(path))


def ends(path: Path) -> str:
    return path.read_text()[-2:]


def whole_lines(path: Path) -> list[str]:
    text = path.read_text()
    return text[: text.rfind("\n") + 1].splitlines()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "monitor.log"


@contextmanager
def appended(file: Path) -> Iterator[int]:
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


async def test_a_log_that_is_copied_and_truncated_goes_on_at_its_beginning(
    tmp_path: Path, file: Path
) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks")]
        with appended(file) as descriptor:
            async with logging_to(descriptor, newsroom, tmp_path):
                await audit(newsroom)
                shutil.copy(file, tmp_path / "monitor.log.1")
                os.truncate(file, 0)
                newsroom.feeds["one"] += [Story(2, "vote")]
                await audit(newsroom)
                await wait_until(lambda: polls(file) > 0, "the poll stands in the truncated file")
        assert polls(tmp_path / "monitor.log.1") > 0
        assert "monitor_stopped" in whole_lines(file)[-1]


async def test_a_log_that_is_renamed_is_written_to_under_its_new_name(
    tmp_path: Path, file: Path
) -> None:
    renamed = tmp_path / "monitor.log.1"
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks")]
        with appended(file) as descriptor:
            async with logging_to(descriptor, newsroom, tmp_path):
                await audit(newsroom)
                os.rename(file, renamed)  # noqa: PTH104 - as logrotate does
                newsroom.feeds["one"] += [Story(2, "vote")]
                await audit(newsroom)
    assert polls(renamed) > 1
    assert "monitor_stopped" in whole_lines(renamed)[-1]


async def test_a_kill_leaves_whole_lines(tmp_path: Path, file: Path) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(number, "talks") for number in range(1, 60)]
        with appended(file) as descriptor:
            async with logging_to(descriptor, newsroom, tmp_path) as process:
                await wait_until(lambda: len(newsroom.told()) > 5, "alerts are under way")
                process.send_signal(signal.SIGKILL)
                await process.wait()
    assert polls(file) > 0
    assert ends(file) == "}\n"
