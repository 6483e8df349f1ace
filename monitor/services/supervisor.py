"""Runs services together, and stops them together."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import structlog

from monitor.services.service import Service

log = structlog.get_logger()


async def supervise(services: Iterable[Service], stop: asyncio.Event, grace: timedelta) -> None:
    """Run `services` until `stop` is set; then let each finish its turn, and cancel what outlasts `grace`.

    What is cancelled loses nothing: its leases run out and its entries stay pending, so it is done again. A service
    that fails for a reason that waiting cannot mend ends them all, and its error is raised.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.run(stop), name=each.name) for each in services]
        try:
            await stop.wait()
        finally:
            # A cancellation alone may not end a service: `asyncio.wait_for` of Python 3.11, which redis-py sends with,
            # loses one that comes as its inner task ends (python/cpython issue 86296).
            stop.set()
        _, late = await asyncio.wait(tasks, timeout=grace.total_seconds()) if tasks else ((), ())
        for task in late:
            log.warning("service_cut_short", service=task.get_name(), after_s=grace.total_seconds())
            task.cancel()
