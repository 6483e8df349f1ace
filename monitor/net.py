"""Outbound connections: which addresses may be dialled, and client sessions that obey.

Feeds and receivers are named by strangers, so every dial of the product goes through an `AddressGuard`.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from ssl import SSLContext, create_default_context

import aiohttp
from aiohappyeyeballs import AddrInfoType, start_connection
from aiohttp.abc import AbstractResolver, ResolveResult

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
_NEXT_ADDRESS_SECONDS = 0.25
_KEPT_IDLE_SECONDS = 4.0  # most servers close an idle connection after 5 s


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


async def dial(
    guard: AddressGuard, host: str, port: int, receive_buffer: int | None = None
) -> socket.socket:
    """Return a socket that is connected to a name or a literal, at an address that `guard` allows.

    The addresses of a name are tried a quarter of a second apart (RFC 8305). Raise `RefusedAddressError` where none is
    allowed, and another `OSError` where the name is not known or nobody answers.
    """
    found = await _addresses(host, port)
    allowed = [one for one in found if guard.allows(str(one[4][0]))]
    if not allowed:
        raise RefusedAddressError(str(found[0][4][0]))
    return await start_connection(
        allowed,
        happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS,
        socket_factory=_socket_factory(guard, receive_buffer),
    )


async def _addresses(host: str, port: int) -> Sequence[AddrInfoType]:
    kind, flags = socket.SOCK_STREAM, socket.AI_ADDRCONFIG
    if _is_literal(host):
        flags = socket.AI_NUMERICHOST  # whatever addresses this host has itself
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=kind, flags=flags)


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _socket_factory(
    guard: AddressGuard, receive_buffer: int | None = None
) -> Callable[[AddrInfoType], socket.socket]:
    """Return what makes sockets for allowed addresses only; `receive_buffer` bounds what the kernel takes in."""

    def make(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        guard.check(str(address[0]))
        made = socket.socket(family=family, type=kind, proto=protocol)
        if receive_buffer is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        return made

    return make


@cache
def usual_trust() -> SSLContext:
    """Return the context that trusts the usual certificate authorities; it is read from disk once."""
    return create_default_context()


def open_session(
    guard: AddressGuard,
    *,
    user_agent: str,
    limit: int = 100,
    auto_decompress: bool = True,
    resolver: AbstractResolver | None = None,
) -> aiohttp.ClientSession:
    """Open a client session whose every dial, to a name, a literal or after a redirect, is checked by `guard`.

    It keeps no cookies, reads no proxy or password from the environment and sends no referrer. `limit` bounds its
    connections. Call it in a running event loop; the caller closes it.
    """
    connector = aiohttp.TCPConnector(
        socket_factory=_socket_factory(guard),
        resolver=_GuardedResolver(guard, resolver or aiohttp.ThreadedResolver()),
        limit=limit,
        keepalive_timeout=_KEPT_IDLE_SECONDS,
    )
    return aiohttp.ClientSession(
        connector=connector,
        connector_owner=True,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent},
        timeout=aiohttp.ClientTimeout(total=30, sock_connect=10),
        auto_decompress=auto_decompress,
        trust_env=False,
    )
