"""Outbound connections: which addresses may be dialled, and client sessions that obey.

Feeds and receivers are named by strangers, so every dial of the product goes through an `AddressGuard`.
"""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from ssl import SSLContext

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import AddrInfoType

# `is_global` of CPython 3.11 says yes to these, yet nobody publishes news there.
_DENIED_V4 = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments; a cloud's metadata is at 192.0.0.192
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, RFC 7526
    IPv4Network("168.63.129.16/32"),  # the host agent of Azure
)
_DENIED_V6 = (
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them
    IPv6Network("3fff::/20"),  # documentation, RFC 9637
)
# No host of the public internet has an address outside of it (RFC 4291, section 2.4).
_UNICAST_V6 = IPv6Network("2000::/3")
# The last 32 bits are an IPv4 address, which this host or some router on the way would dial.
_CARRIERS = (
    IPv6Network("::/96"),  # IPv4-compatible
    IPv6Network("::ffff:0:0/96"),  # IPv4-mapped
    IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated, RFC 2765
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052
)
_LOW_32_BITS = 0xFFFF_FFFF


class RefusedAddressError(OSError):
    """An address that the product must not dial. An `OSError`, as the connecting libraries expect."""

    def __init__(self, address: str) -> None:
        """Keep the address, for the sentence shown to the operator."""
        self.address = address
        super().__init__(
            f"refused to connect to {address}: not a public address, and not listed in network.allow"
        )


class AddressGuard:
    """Decides which addresses may be dialled: public ones, and those the operator lists."""

    def __init__(
        self, allow: Sequence[IPv4Network | IPv6Network] = (), *, listed_only: bool = False
    ) -> None:
        """Take the networks that may be dialled although they are not public.

        With `listed_only` they are all that may be dialled.
        """
        self._allow = tuple(allow)
        self._listed_only = listed_only

    def check(self, address: str) -> None:
        """Raise `RefusedAddressError` unless `address`, an IPv4 or IPv6 literal, may be dialled.

        IPv6 forms that carry an IPv4 address are judged by the address they carry.
        """
        if not self.allows(address):
            raise RefusedAddressError(address)

    def allows(self, address: str) -> bool:
        """Tell whether `address` may be dialled. What cannot be read as an address may not."""
        try:
            parsed = ip_address(address.partition("%")[0])  # %: the zone of a link-local address
        except ValueError:
            return False
        return self._permits(parsed)

    def _permits(self, address: IPv4Address | IPv6Address) -> bool:
        if any(address in network for network in self._allow):
            return True
        if isinstance(address, IPv4Address):
            return not self._listed_only and _is_public(address, _DENIED_V4)
        carried = _carried(address)
        if carried is not None:
            return self._permits(carried)
        return not self._listed_only and address in _UNICAST_V6 and _is_public(address, _DENIED_V6)


def _is_public(
    address: IPv4Address | IPv6Address, denied: Sequence[IPv4Network | IPv6Network]
) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in denied)


def _carried(address: IPv6Address) -> IPv4Address | None:
    if any(address in network for network in _CARRIERS):
        return IPv4Address(int(address) & _LOW_32_BITS)
    return address.sixtofour


class _GuardedResolver(AbstractResolver):
    """Leaves out the addresses that may not be dialled, so that one such address does not spoil a good name.

    Without it a name with a refused and an unreachable address would report whichever was tried last.
    """

    def __init__(self, guard: AddressGuard, inner: AbstractResolver) -> None:
        self._guard = guard
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        allowed = [one for one in found if self._guard.allows(one["host"])]
        if found and not allowed:
            raise RefusedAddressError(found[0]["host"])
        return allowed

    async def close(self) -> None:
        await self._inner.close()


def refused(error: BaseException) -> RefusedAddressError | None:
    """Find the refused address behind a client error, if that is what it came from."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, RefusedAddressError):
        seen = getattr(seen, "os_error", None) or seen.__cause__
    return seen


_dials: ContextVar[list[str] | None] = ContextVar("dials", default=None)


@contextmanager
def dials() -> Iterator[Sequence[str]]:
    """Collect the addresses that a request within asks to dial; none means that it used a kept connection."""
    asked: list[str] = []
    token = _dials.set(asked)
    try:
        yield asked
    finally:
        _dials.reset(token)


def open_session(
    guard: AddressGuard,
    *,
    user_agent: str,
    limit: int = 100,
    limit_per_host: int = 0,
    keepalive: timedelta = timedelta(seconds=4),  # most servers close an idle connection after 5 s
    auto_decompress: bool = True,
    timeout: aiohttp.ClientTimeout | None = None,
    tls: SSLContext | None = None,
    resolver: AbstractResolver | None = None,
    receive_buffer: int | None = None,
) -> aiohttp.ClientSession:
    """Open a client session whose every dial, to a name, a literal or after a redirect, is checked by `guard`.

    It keeps no cookies, reads no proxy or password from the environment and sends no referrer. `limit` bounds its
    connections, `receive_buffer` what the kernel takes in before we read it. Call it in a running event loop; the
    caller closes it.
    """

    def dial(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        asked = _dials.get()
        if asked is not None:
            asked.append(address[0])
        guard.check(address[0])
        dialled = socket.socket(family=family, type=kind, proto=protocol)
        if receive_buffer is not None:
            dialled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        return dialled

    connector = aiohttp.TCPConnector(
        socket_factory=dial,
        resolver=_GuardedResolver(guard, resolver or aiohttp.ThreadedResolver()),
        limit=limit,
        limit_per_host=limit_per_host,
        keepalive_timeout=keepalive.total_seconds(),
        ssl=tls or True,
    )
    return aiohttp.ClientSession(
        connector=connector,
        connector_owner=True,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent},
        timeout=timeout or aiohttp.ClientTimeout(total=30, sock_connect=10),
        auto_decompress=auto_decompress,
        trust_env=False,
    )
