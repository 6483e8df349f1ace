"""Tells systemd how the daemon is: ready, alive, stopping (sd_notify(3)). Without systemd it tells nobody."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

_BEATS = 2  # in one watchdog interval, as sd_watchdog_enabled(3) advises


class Systemd:
    """The service manager, by the socket that it names in the environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Find the socket, and how often a sign of life is wanted from this process."""
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environ.get("WATCHDOG_USEC", "") if mine else ""
        self.interval = int(microseconds) / 1e6 if microseconds.isdigit() else 0.0

    def tell(self, state: str) -> None:
        """Send a state, such as `READY=1`; a manager that is away is not waited for."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as out:
            try:
                out.sendto(state.encode(), self._address)
            except OSError:
                return

    async def beat(self) -> None:
        """Give signs of life until cancelled: whoever cannot reach this line is stuck, and is restarted."""
        while self.interval:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self.interval / _BEATS)


@asynccontextmanager
async def under_systemd(environ: Mapping[str, str] = os.environ) -> AsyncIterator[None]:
    """Be ready while the block runs, and stopping after it."""
    systemd = Systemd(environ)
    async with asyncio.TaskGroup() as group:
        beating = group.create_task(systemd.beat())
        systemd.tell("READY=1")
        try:
            yield
        finally:
            systemd.tell("STOPPING=1")
            beating.cancel()
