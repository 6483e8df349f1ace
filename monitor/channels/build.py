"""From a target to the channel that reaches it."""

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from ssl import SSLContext
from types import TracebackType
from typing import Self, TextIO, assert_never

import aiohttp

from monitor.channels.console import ConsoleChannel
from monitor.channels.email import EmailChannel
from monitor.channels.http import TIMEOUT
from monitor.channels.slack import SlackChannel
from monitor.channels.smtp import SmtpPool
from monitor.channels.webhook import WebhookChannel
from monitor.core.targets import (
    ConsoleTarget,
    EmailTarget,
    SlackTarget,
    SmtpRelay,
    Target,
    WebhookTarget,
)
from monitor.net import AddressGuard, open_session
from monitor.ports import Channel

# No attempt of any channel takes longer; a lease on a delivery must.
LONGEST_ATTEMPT = timedelta(seconds=45)
_CONNECTIONS = (
    0  # any number: the deliverer bounds its attempts, and one that waits for a connection is late
)


class ChannelBuilder:
    """Builds channels and holds the connections that they share. Use it with `async with`."""

    def __init__(
        self,
        *,
        allow: Sequence[IPv4Network | IPv6Network] = (),
        user_agent: str,
        allow_http: bool = False,
        console: TextIO | None = None,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
        tls: SSLContext | None = None,
    ) -> None:
        """Take the networks that may be reached although they are not public.

        Plain http is spoken with addresses in them only, unless `allow_http`; https with every public one too.
        `tls` replaces the trust in the usual certificate authorities.
        """
        self._timeout = timeout
        self._tls = tls
        self._user_agent = user_agent
        self._console = console
        self._guard = AddressGuard(allow)
        self._plain_guard = AddressGuard(allow, listed_only=not allow_http)
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._pools: dict[SmtpRelay, SmtpPool] = {}

    async def __aenter__(self) -> Self:
        self._sessions = {
            "https": self._open(self._guard),
            "http": self._open(self._plain_guard),
        }
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for session in self._sessions.values():
            await session.close()
        for pool in self._pools.values():
            await pool.close()

    def build(self, target: Target) -> Channel:
        """Return the channel for a target; raise `ValueError` for a secret or an address that cannot be used."""
        match target:
            case ConsoleTarget():
                return ConsoleChannel(self._console)
            case SlackTarget():
                return SlackChannel(target, self._session(target.webhook_url.reveal()))
            case EmailTarget():
                return EmailChannel(target, self._pool(target.smtp))
            case WebhookTarget():
                return WebhookChannel(target, self._session(target.url))
            case _:
                assert_never(target)

    def _session(self, url: str) -> aiohttp.ClientSession:
        scheme = "https" if url.lower().startswith("https:") else "http"
        return self._sessions[scheme]

    def _pool(self, relay: SmtpRelay) -> SmtpPool:
        return self._pools.setdefault(relay, SmtpPool(relay))

    def _open(self, guard: AddressGuard) -> aiohttp.ClientSession:
        return open_session(
            guard,
            user_agent=self._user_agent,
            limit=_CONNECTIONS,
            auto_decompress=False,
            timeout=self._timeout,
            tls=self._tls,
        )
