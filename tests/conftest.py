"""Fixtures that many tests share: real servers, and a loop in which nothing blocks."""

import logging
import warnings
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
import structlog
from blockbuster import blockbuster_ctx
from coverage import Coverage
from coverage.exceptions import CoverageWarning
from hypothesis import settings

from monitor.streams.store import Store, open_store
from tests.servers.postgres import PostgresServer, find, running_postgres
from tests.servers.valkey import empty, running_cluster, running_server

# Lines as the product writes them; structlog's own default reads source files for its tracebacks.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
)

# How long an example takes says what else the machine does.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Let coverage look away from what would take minutes while it counts every line."""
    marked = item.get_closest_marker("no_cover") is not None
    measuring = Coverage.current() if marked else None
    if measuring is None:
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        with warnings.catch_warnings():
            # That it starts after the product was imported is news only to the first start.
            warnings.simplefilter("ignore", CoverageWarning)
            measuring.start()


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Undo what the test sets up, so that no later line goes to its files: their descriptors are others' by then."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**before)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """One server for this test worker; `store` empties it."""
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
def cluster_url() -> Iterator[str]:
    """One cluster of three primaries for this test worker."""
    with running_cluster() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL server for this test worker; `postgres` empties it."""
    if find("initdb") is None:
        pytest.skip("no initdb here: install Debian's package postgresql")
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> PostgresServer:
    """A PostgreSQL server with nothing in it."""
    postgres_server.start()
    postgres_server.empty()
    return postgres_server


@pytest.fixture
async def empty_server_url(server_url: str) -> str:
    """The address of a real server on which nothing is left of the test before."""
    await empty(server_url)
    return server_url


@pytest.fixture
async def store(empty_server_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store on a real server."""
    async with open_store(empty_server_url, tmp_path) as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    """Fail a test in which our code blocks the event loop.

    Writing a traceback may look at source files, and coverage has a lock of its own.
    """
    with blockbuster_ctx("monitor") as blocking:
        for name in ("os.stat", "io.TextIOWrapper.read", "io.BufferedReader.read"):
            blocking.functions[name].can_block_in("linecache.py", {"checkcache", "updatecache"})
        lock = blocking.functions["threading.Lock.acquire"]
        lock.can_block_in("coverage/collector.py", {"lock_data"})
        yield
