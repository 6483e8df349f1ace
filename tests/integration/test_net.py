"""No dial reaches an address that is not public, in whatever form it is written or resolved."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from monitor.net import AddressGuard, RefusedAddressError, dial, open_session, refused

FORBIDDEN = [
    # this host
    "127.0.0.1", "127.8.9.10", "127.255.255.255", "0.0.0.0", "0.1.2.3", "::1", "::",
    # private and shared
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.255.1",
    "100.64.0.1", "100.100.100.200", "100.127.255.255", "fc00::1", "fd00::1", "fd00:ec2::254",
    # link-local, site-local, metadata
    "169.254.0.1", "169.254.169.254", "169.254.170.2", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "feff::1",
    "168.63.129.16", "192.0.0.192",
    # protocol assignments, benchmarks, documentation
    "192.0.0.1", "192.0.0.8", "192.0.0.9", "192.0.0.170", "192.88.99.1", "192.0.2.1", "198.51.100.1", "203.0.113.1",
    "198.18.0.1", "198.19.255.255", "2001:db8::1", "3fff::1", "3fff:fff::1", "100::1", "5f00::1", "2001:2::1",
    "2001:10::1", "2001:20::1",
    # multicast, reserved, broadcast
    "224.0.0.1", "232.1.1.1", "239.255.255.255", "240.0.0.1", "254.1.2.3", "255.255.255.255",
    "ff02::1", "ff05::2", "ff0e::1", "4000::1", "8000::1",
    # IPv4 carried in IPv6
    "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:7f00:1",
    "::127.0.0.1", "::7f00:1", "::10.1.2.3", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1",
    "64:ff9b:1::1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:7f00:1::1", "2002:a9fe:a9fe::", "2002:c0a8:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::1",
    # not addresses at all
    "", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "017700000001", "127.0.0.1.", "[::1]", "1.2.3.4/0",
]  # fmt: skip

PUBLIC = ["8.8.8.8", "151.101.0.81", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8",
          "64:ff9b::808:808", "2002:808:808::1"]  # fmt: skip


@pytest.mark.parametrize("address", FORBIDDEN)
def test_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(RefusedAddressError, match=r"network\.allow"):
        AddressGuard().check(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_allowed(address: str) -> None:
    AddressGuard().check(address)


def test_table_has_at_least_sixty_forbidden_forms() -> None:
    assert len(set(FORBIDDEN)) >= 60


def test_listed_network_is_allowed_in_every_form_that_carries_it() -> None:
    guard = AddressGuard([ip_network("10.1.0.0/16"), ip_network("fd00::/64")])
    for address in (
        "10.1.2.3",
        "::ffff:10.1.2.3",
        "64:ff9b::a01:203",
        "2002:a01:203::1",
        "fd00::7",
    ):
        guard.check(address)
    for address in ("10.2.0.1", "::ffff:10.2.0.1", "fd01::7", "127.0.0.1"):
        with pytest.raises(RefusedAddressError):
            guard.check(address)


class FakeResolver(AbstractResolver):
    """Answers each question with the next of some scripted lists of addresses, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for one in addresses
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
async def victim() -> AsyncIterator[tuple[int, list[web.Request]]]:
    """A service on this host that must not be reached, and what reached it."""
    reached: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        reached.append(request)
        if request.path == "/away":
            raise web.HTTPFound(f"http://127.0.0.1:{request.url.port}/landed")
        return web.Response(text="secret", headers={"Set-Cookie": "a=b"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1], reached
    await runner.cleanup()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "localhost", "0x7f.1", "127.1", "2130706433", "0", "①②⑦.⓪.⓪.①", "127.0.0.1.",
     "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"],
)  # fmt: skip
async def test_literal_of_this_host_is_not_reached(
    host: str, victim: tuple[int, list[web.Request]]
) -> None:
    port, reached = victim
    async with open_session(AddressGuard(), user_agent="t") as session:
        with pytest.raises((aiohttp.ClientError, ValueError)):
            await session.get(f"http://{host}:{port}/")
    assert reached == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "::1", "localhost", "0x7f.1", "127.1", "2130706433", "0", "::ffff:127.0.0.1", "::127.0.0.1"],
)  # fmt: skip
async def test_dial_of_this_host_is_refused_however_it_is_written(
    host: str, victim: tuple[int, list[web.Request]]
) -> None:
    with pytest.raises(RefusedAddressError):
        await dial(AddressGuard(), host, victim[0])


async def test_dial_takes_the_address_of_a_name_that_is_allowed(
    victim: tuple[int, list[web.Request]],
) -> None:
    guard = AddressGuard([ip_network("127.0.0.1/32")])
    with await dial(guard, "localhost", victim[0], 4096) as dialled:
        assert dialled.getpeername() == ("127.0.0.1", victim[0])


async def test_name_that_turns_to_this_host_after_it_was_checked_is_not_reached(
    victim: tuple[int, list[web.Request]],
) -> None:
    port, reached = victim
    resolver = FakeResolver(["8.8.8.8"], ["127.0.0.1"])
    first = await resolver.resolve("rebind.example")
    AddressGuard().check(first[0]["host"])
    async with open_session(AddressGuard(), user_agent="t", resolver=resolver) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(f"http://rebind.example:{port}/")
    why = refused(caught.value)
    assert why is not None
    assert why.address == "127.0.0.1"
    assert reached == []


async def test_dial_is_refused_even_when_resolving_was_not(
    victim: tuple[int, list[web.Request]],
) -> None:
    """The resolver is a convenience; the socket is the barrier."""
    port, reached = victim
    async with open_session(AddressGuard(), user_agent="t") as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(f"http://127.0.0.1:{port}/")
    why = refused(caught.value)
    assert why is not None
    assert why.address == "127.0.0.1"
    assert reached == []


@pytest.mark.parametrize("addresses", [["10.0.0.1", "::1"], ["::1", "10.0.0.1", "169.254.169.254"]])
async def test_name_with_refused_addresses_alone_is_recognised(addresses: list[str]) -> None:
    async with open_session(
        AddressGuard(), user_agent="t", resolver=FakeResolver(addresses)
    ) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get("http://many.example/")
    assert refused(caught.value) is not None


async def test_good_address_of_a_name_is_used_although_another_is_refused(
    victim: tuple[int, list[web.Request]],
) -> None:
    port, reached = victim
    guard = AddressGuard([ip_network("127.0.0.1/32")])
    resolver = FakeResolver(["10.0.0.1", "fd00::1", "127.0.0.1"])
    async with open_session(guard, user_agent="t", resolver=resolver) as session:
        answer = await session.get(f"http://mixed.example:{port}/")
        assert await answer.text() == "secret"
    assert len(reached) == 1


async def test_unreachable_address_beside_a_refused_one_is_no_refusal() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        guard = AddressGuard([ip_network("127.0.0.1/32")])
        resolver = FakeResolver(["127.0.0.1", "10.0.0.1"])
        async with open_session(guard, user_agent="t", resolver=resolver) as session:
            with pytest.raises(aiohttp.ClientConnectorError) as caught:
                await session.get(f"http://mixed.example:{unused.getsockname()[1]}/")
    assert refused(caught.value) is None


async def test_redirect_to_a_refused_address_is_not_followed_there(
    victim: tuple[int, list[web.Request]],
) -> None:
    port, reached = victim
    guard = AddressGuard([ip_network("127.0.0.2/32")])
    resolver = FakeResolver(["127.0.0.2"])
    server = await asyncio.start_server(_redirector(port), "127.0.0.2", 0)
    async with server, open_session(guard, user_agent="t", resolver=resolver) as session:
        outer = server.sockets[0].getsockname()[1]
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(f"http://outer.example:{outer}/")
    assert refused(caught.value) is not None
    assert reached == []


def _redirector(
    port: int,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n"
            b"Connection: close\r\n\r\n" % port
        )
        await writer.drain()
        writer.close()

    return answer


async def test_session_carries_nothing_from_one_request_to_another(
    victim: tuple[int, list[web.Request]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, reached = victim
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    guard = AddressGuard([ip_network("127.0.0.0/8")])
    async with open_session(guard, user_agent="monitor/test") as session:
        await session.get(f"http://127.0.0.1:{port}/away")
        await session.get(f"http://127.0.0.1:{port}/again")
    assert [request.path for request in reached] == ["/away", "/landed", "/again"]
    for request in reached:
        assert request.headers["User-Agent"] == "monitor/test"
        assert not {"Cookie", "Referer"} & set(request.headers)
