"""`monitor doctor`: gathers the facts; `core/checkup.py` says what they mean."""

import asyncio
import ctypes
import os
import platform
import resource
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from monitor import __version__
from monitor.app.parts import StoreParts, open_archive, open_store_parts
from monitor.channels.build import ChannelBuilder
from monitor.config.settings import Settings
from monitor.core import checkup
from monitor.core.checkup import MIB, Finding, Grade, Machine
from monitor.core.compiled import MATCHER
from monitor.core.wording import counted
from monitor.errors import MonitorError

_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)
_TIMEX_BYTES = 512  # more than any system's struct timex
_WORKERS = {"articles": "matcher", "matches": "router", "archive": "archiver"}


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Yield what was found, in the order in which a person would put it right."""
    for finding in await asyncio.to_thread(_machine, settings):
        yield finding
    try:
        async with open_store_parts(settings) as parts:
            async for finding in _store(parts):
                yield finding
    except MonitorError as error:
        yield Finding("store", Grade.BAD, str(error))
    yield await _archive(settings)
    async with ChannelBuilder(
        allow=settings.network.allow, user_agent=f"monitor/{__version__}"
    ) as channels:
        for target in settings.targets:
            now = datetime.now(UTC)
            yield checkup.receiver(target.id, await channels.greet(target, now))


def _machine(settings: Settings) -> list[Finding]:
    directory = _there(settings.store.directory)
    facts = Machine(
        python=platform.python_version(),
        matcher=MATCHER,
        files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        memory=_available_memory(),
        disk_free=shutil.disk_usage(directory).free,
        disk_path=str(settings.store.directory),
        synchronised=_synchronised(),
    )
    embedded = settings.store.url is None
    return list(checkup.machine(facts, wanted_memory=settings.store.max_memory if embedded else 0))


async def _store(parts: StoreParts) -> AsyncIterator[Finding]:
    before = parts.clock.now()
    census = await parts.health.census(before)
    skew = abs(census.server_at - before) - (parts.clock.now() - before)
    for finding in checkup.store(
        census.server,
        census.memory_bytes,
        census.memory_limit_bytes,
        skew,
        durable=census.durable,
    ):
        yield finding
    for each in census.logs:
        yield checkup.waiting(_WORKERS[each.name], each.length, each.oldest)


async def _archive(settings: Settings) -> Finding:
    try:
        async with open_archive(settings) as archive:
            if archive is None:
                return Finding("archive", Grade.OK, "there is none")
            size = await archive.size()
            where = " in PostgreSQL" if settings.archive.url else ""
            return Finding(
                "archive",
                Grade.OK,
                f"{counted(size.articles, 'article')}, {size.bytes // MIB} MiB{where}",
            )
    except MonitorError as error:
        return Finding("archive", Grade.BAD, str(error))


def _there(path: Path) -> Path:
    """Return a path, or the nearest above it that exists."""
    path = path.absolute()
    return next(each for each in (path, *path.parents) if each.exists())


def _available_memory() -> int | None:
    """Return bytes, where the system says how many (Linux)."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _synchronised() -> bool | None:
    """Ask the kernel whether something keeps the clock right, where it can be asked (Linux)."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return None
    state: int = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))  # all zero: change nothing
    return None if state < 0 else state != _UNSYNCHRONISED
