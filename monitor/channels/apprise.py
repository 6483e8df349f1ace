"""Messages by Apprise, for services that have no channel of their own here. Best effort.

Apprise says of a failure no more than that it failed, sleeps in its own thread to pace itself, and has no bound on an
answer. So it runs in threads of its own, few of them, on addresses that an operator wrote, and with a time limit.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from urllib.parse import parse_qsl, urlencode

from monitor.channels.post import noted
from monitor.core.model import Delivery, Severity
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.render import Message, subject, text
from monitor.core.render.template import Composer
from monitor.core.targets import AppriseTarget

SECONDS = 20.0
_THREADS = 4
_KINDS = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}
# Said in the address, as Apprise wants it: no redirect is followed, and seconds to connect and to read.
_BOUNDS = {"redirect": "no", "cto": "5.0", "rto": "10.0"}


class AppriseThreads:
    """The threads in which Apprise works, made when it is first used."""

    def __init__(self) -> None:
        """Start none yet."""
        self._pool: ThreadPoolExecutor | None = None

    @property
    def pool(self) -> ThreadPoolExecutor:
        """The threads."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="apprise")
        return self._pool

    def close(self) -> None:
        """Let what hangs end by itself; nothing new is begun."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


class AppriseChannel:
    """One address of Apprise."""

    def __init__(self, target: AppriseTarget, composer: Composer, threads: AppriseThreads) -> None:
        """Raise `ValueError` when Apprise is not installed. It is loaded with the first message, in a thread."""
        if find_spec("apprise") is None:
            raise ValueError(
                "Apprise is not installed: pip install 'monitor[apprise]', or use another kind of target"
            )
        self._url = bounded(target.url.reveal())
        self._composer = composer
        self._threads = threads

    async def deliver(self, delivery: Delivery, now: datetime) -> Outcome:  # noqa: ARG002 - the port's
        """Send the message in a thread; one that hangs keeps its thread until its own time limit."""
        told = self._composer.compose(delivery)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(SECONDS):
                sent = await loop.run_in_executor(self._threads.pool, _send, self._url, told)
        except TimeoutError:
            detail = f"no end within {SECONDS:g} s"
            return RetryLater(reason=DeliveryReason.TIMEOUT, detail=detail)
        if sent is None:
            detail = "Apprise does not know such an address; see its list of services"
            return Rejected(reason=DeliveryReason.ADDRESS_REFUSED, detail=detail, target=True)
        if not sent:
            # It may be anything: a wrong address, a limit, an outage. The breaker finds out which of them lasts.
            detail = "Apprise says that it failed, and not why"
            return RetryLater(reason=DeliveryReason.SERVER_ERROR, detail=detail)
        return noted(Delivered(), told)

    async def close(self) -> None:
        """Do nothing: the threads are shared."""


def bounded(url: str) -> str:
    """Return an address of Apprise with our bounds in place of any it has."""
    address, _, query = url.partition("?")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in _BOUNDS]
    return f"{address}?{urlencode([*kept, *_BOUNDS.items()])}"


def _send(url: str, told: Message) -> bool | None:
    """Send, and tell whether it went out; None for an address that means nothing to Apprise."""
    apprise = import_module("apprise")
    service = apprise.Apprise.instantiate(url)
    if service is None:
        return None
    service.request_rate_per_sec = 0  # the lane paces, and a thread that sleeps is a thread lost
    body, title = told.parts.text or text(told), told.parts.subject or subject(told)
    return bool(service.notify(body=body, title=title, notify_type=_KINDS[told.severity]))
