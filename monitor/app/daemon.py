"""`monitor run`: a program with its endpoints, which obeys signals and takes new configuration while it runs."""

import asyncio
import gc
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from monitor import __version__
from monitor.app.hubs import capability_of
from monitor.app.linkkey import linker_of
from monitor.app.pages import open_pages
from monitor.app.parts import open_archive, open_outside, open_store_parts
from monitor.app.program import Program
from monitor.app.systemd import under_systemd
from monitor.config.explain import explain
from monitor.config.load import load
from monitor.config.reload import changes
from monitor.config.settings import Settings
from monitor.core.compiled import MATCHER
from monitor.errors import ConfigError, StreamError
from monitor.logsink import LogSink
from monitor.telemetry import Metrics, Redactor
from monitor.tracing import tracing_to

# The sections of monitor.yaml: what they bound is built once.
_AT_START = (
    *("store", "archive", "listen", "log", "tracing", "poll", "deliver", "retention"),
    *("network", "web"),
)

_USE_ARCHIVE = frozenset({"archiver", "web"})

log = structlog.get_logger()


async def run_daemon(
    directory: Path,
    settings: Settings,
    only: frozenset[str],
    redactor: Redactor,
    sink: LogSink,
) -> None:
    """Run the services in `only` with `settings`, read from `directory`, until SIGTERM or SIGINT."""
    redactor.hide(secret.reveal() for secret in settings.secrets)
    metrics, stop, hangup = Metrics(), asyncio.Event(), asyncio.Event()
    metrics.log_lost.set_function(lambda: sink.lost)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    async with AsyncExitStack() as stack:
        if settings.tracing.endpoint:
            tracing = tracing_to(settings.tracing.endpoint, settings.tracing.share)
            await stack.enter_async_context(tracing)
        parts = await stack.enter_async_context(open_store_parts(settings))
        linker = await asyncio.to_thread(linker_of, settings)
        outside = await stack.enter_async_context(open_outside(settings, parts.registry, linker))
        archive = None
        if only & _USE_ARCHIVE:
            archive = await stack.enter_async_context(open_archive(settings))
        capability = await asyncio.to_thread(capability_of, settings)
        program = Program(settings, parts, outside, metrics, only, archive, capability, redactor)
        reloads = Reloads(directory, program, metrics)
        await program.following.step()  # who asks first is told of what people made, too
        if "web" in only:
            pages = open_pages(
                program,
                parts,
                outside,
                metrics,
                archive=archive,
                linker=linker,
                problems=reloads.problems,
                reload=reloads.reload,
            )
            await stack.enter_async_context(pages)
        gc.freeze()  # what was loaded stays: the collector need not look at it again and again
        _greet(directory, settings, only)
        await stack.enter_async_context(under_systemd())
        async with asyncio.TaskGroup() as group:
            watching = [
                group.create_task(reloads.on_hangup(hangup)),
                group.create_task(reloads.on_change(stop)),
            ]
            await program.run(stop)
            for task in watching:
                task.cancel()
    log.info("monitor_stopped")


class Reloads:
    """Takes over a changed configuration as a whole, or refuses it as a whole and keeps the old one."""

    def __init__(self, directory: Path, program: Program, metrics: Metrics) -> None:
        """Reload `program` from `directory`."""
        self._directory = directory
        self._program = program
        self._metrics = metrics
        self._refused = ""
        self._turn = asyncio.Lock()

    def problems(self) -> dict[str, str]:
        """Return what is wrong with the newest configuration, if it is not in force."""
        return {"config": self._refused} if self._refused else {}

    async def on_hangup(self, hangup: asyncio.Event) -> None:
        """Reload whenever `hangup` is set."""
        while True:
            await hangup.wait()
            hangup.clear()
            await self.reload()

    async def on_change(self, stop: asyncio.Event) -> None:
        """Reload whenever a file of the configuration changes."""
        async for _ in changes(self._directory, stop):
            await self.reload()

    async def reload(self) -> None:
        """Load and swap; log what came of it. One at a time: each starts from what the one before put in force."""
        async with self._turn:
            await self._reload()

    async def _reload(self) -> None:
        try:
            standing = self._program.files.rulebase
            settings = await asyncio.to_thread(load, self._directory, os.environ, standing)
            waiting = [
                each for each in _AT_START if _differ(each, settings, self._program.settings)
            ]
            await self._program.use(settings)
        except ConfigError as error:
            self._refuse(explain(error))
        except StreamError as error:
            self._refuse(f"feeds are not rescheduled yet: {error}")
        else:
            self._refused = ""
            self._metrics.reload_ok.set(1)
            log.info("config_reloaded", feeds=len(settings.feeds), rules=len(settings.rules))
            if waiting:
                log.warning(
                    "restart_needed", sections=waiting, hint="they count from the next start"
                )

    def _refuse(self, why: str) -> None:
        self._refused = why
        self._metrics.reload_ok.set(0)
        log.error("config_refused", problems=why)


def _differ(section: str, new: Settings, old: Settings) -> bool:
    return bool(getattr(new, section) != getattr(old, section))


def _greet(directory: Path, settings: Settings, only: frozenset[str]) -> None:
    log.info(
        "monitor_started",
        version=__version__,
        matcher=MATCHER,
        config=str(directory),
        feeds=len(settings.feeds),
        rules=len(settings.rules),
        targets=[target.id for target in settings.targets],
        services=sorted(only),
    )
