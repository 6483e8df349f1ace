"""How connections to receivers are used, kept and given up."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta

import pytest

from monitor.channels.exchange import Answer
from monitor.channels.http import ask, post
from monitor.channels.wire import TimeLimits, Wire
from monitor.core.outcome import DeliveryReason, Rejected, RetryLater
from monitor.net import AddressGuard
from tests.integration.channels.conftest import LOOPBACK
from tests.servers.hooks import Conversation, HookServer, Reply, raw_server, read_request
from tests.servers.tls import certificate
from tests.wait import wait_until

EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
IDLE = timedelta(seconds=0.05)


def wire(limits: TimeLimits) -> Wire:
    guard = AddressGuard(LOOPBACK)
    tls = certificate().client_context()
    guards = {"http": guard, "https": guard}
    return Wire(guards, user_agent="monitor/test", limits=limits, tls=tls)


@pytest.fixture
async def lasting() -> AsyncIterator[Wire]:
    opened = wire(TimeLimits(total=timedelta(seconds=10), idle=timedelta(seconds=60)))
    yield opened
    await opened.close()


@pytest.fixture
async def brief() -> AsyncIterator[Wire]:
    opened = wire(TimeLimits(total=timedelta(seconds=10), idle=IDLE))
    yield opened
    await opened.close()


class Talk:
    """Answers the requests of each connection in turn, and counts both."""

    def __init__(self, *answers: bytes, farewell: bytes = b"") -> None:
        self.answers = answers
        self.farewell = farewell
        self.requests: list[int] = []
        self.ended = 0
        self.parting = asyncio.Event()

    @property
    def conversation(self) -> Conversation:
        return self._talk

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.requests)
        self.requests.append(0)
        try:
            for answer in self.answers:
                await read_request(reader)
                self.requests[number] += 1
                writer.write(answer)
            if self.farewell:
                await self.parting.wait()
                writer.write(self.farewell)
            await reader.read()
        finally:
            self.ended += 1


async def send(wire: Wire, address: str, headers: Mapping[str, str] = {}) -> Answer:
    answer = await post(wire, f"http://{address}/", b"{}", headers)
    assert isinstance(answer, Answer), answer
    return answer


@pytest.mark.parametrize(
    "answer",
    [
        EMPTY,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\nA: b\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + EMPTY,
        b"HTTP/1.1 204 No Content\n\n",
    ],
    ids=["empty", "whole", "chunks", "announced", "bare"],
)
async def test_connection_is_kept_after_a_whole_answer(answer: bytes, lasting: Wire) -> None:
    talk = Talk(answer, answer)
    async with raw_server(talk.conversation) as address:
        first = await send(lasting, address)
        second = await send(lasting, address)
        assert first == second
        assert first.status in {200, 204}
        assert first.headers.get("a") is None
    assert talk.requests == [2]


@pytest.mark.parametrize(
    "answer",
    [
        EMPTY + b"stray",
        EMPTY + EMPTY,
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk",
    ],
    ids=["stray", "twice", "close", "long", "broken"],
)
async def test_connection_is_closed_after_an_answer_that_does_not_end_well(
    answer: bytes, lasting: Wire
) -> None:
    talk = Talk(answer, answer)
    async with raw_server(talk.conversation) as address:
        for _ in range(2):
            assert (await send(lasting, address)).status in {200, 204}
    assert talk.requests == [1, 1]


async def test_connection_on_which_something_comes_unasked_is_closed(lasting: Wire) -> None:
    talk = Talk(EMPTY, farewell=EMPTY)
    async with raw_server(talk.conversation) as address:
        await send(lasting, address)
        talk.parting.set()
        await wait_until(lambda: talk.ended == 1, "the first connection is closed")
        await send(lasting, address)
    assert talk.requests == [1, 1]


async def test_idle_connection_is_closed_in_time(brief: Wire) -> None:
    talk = Talk(EMPTY, EMPTY)
    async with raw_server(talk.conversation) as address:
        await send(brief, address)
        await wait_until(lambda: talk.ended == 1, "the idle connection is closed")
        await send(brief, address)
        assert talk.requests == [1, 1]


async def test_requests_at_the_same_time_have_a_connection_each_and_those_are_used_again(
    lasting: Wire,
) -> None:
    async with HookServer() as hook:
        hook.gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(post(lasting, hook.url, b"", {}))
            await wait_until(lambda: len(hook.received) == 3, "all three have come")
            hook.gate.set()
        await post(lasting, hook.url, b"", {})
    assert len({each.connection for each in hook.received}) == 3


async def test_encrypted_connection_is_used_again(lasting: Wire) -> None:
    async with HookServer(tls=certificate().server_context()) as hook:
        for _ in range(2):
            assert isinstance(await post(lasting, hook.url, b"{}", {}), Answer)
    assert len({each.connection for each in hook.received}) == 1


async def test_connection_of_an_attempt_that_is_cut_off_is_closed(lasting: Wire) -> None:
    talk = Talk(b"HTTP/1.1 200", b"")
    async with raw_server(talk.conversation) as address:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await post(lasting, f"http://{address}/", b"", {})
        await wait_until(lambda: talk.ended == 1, "the connection is closed")
    assert talk.requests == [1]


async def test_answer_is_kept_up_to_its_bound_with_headers_of_any_case(lasting: Wire) -> None:
    reply = Reply(text="é" * 3000, headers={"X-Said": "once"})
    async with HookServer(default=reply) as hook:
        answer = await ask(lasting, "GET", hook.url, keep=100)
    assert isinstance(answer, Answer)
    assert len(answer.body) == 100
    assert answer.headers["x-sAID"] == "once"
    assert hook.received[0].method == "GET"


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({"User-Agent": "own", "Host": "other.example"}, {"user-agent": "own", "host": "other.example"}),
        ({"Content-Length": "99", "Transfer-Encoding": "chunked"}, {"content-length": "2"}),
        ({"X-Name": "Zoë"}, {"x-name": "Zoë"}),
        ({}, {"user-agent": "monitor/test", "accept-encoding": "identity"}),
    ],
)  # fmt: skip
async def test_headers_of_a_target_go_before_the_usual_ones_and_cannot_reframe_the_request(
    headers: Mapping[str, str], sent: Mapping[str, str], lasting: Wire
) -> None:
    async with HookServer() as hook:
        answer = await post(lasting, hook.url, b"{}", headers)
    assert isinstance(answer, Answer)
    [request] = hook.received
    assert request.body == b"{}"
    assert sent.items() <= request.headers.items()
    assert "transfer-encoding" not in request.headers


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nx: y", "a\rb", "a\0b", "\ud800"])
async def test_header_that_would_break_the_request_is_refused(value: str, lasting: Wire) -> None:
    answer = await post(lasting, "http://127.0.0.1:9/", b"", {"x-name": value})
    assert isinstance(answer, Rejected)
    assert answer.reason is DeliveryReason.ADDRESS_REFUSED


async def test_name_and_password_in_an_address_become_a_header(lasting: Wire) -> None:
    async with HookServer() as hook:
        url = hook.url.replace("://", "://d%40esk:s3%3Acret@")
        await post(lasting, url, b"", {})
        await post(lasting, url, b"", {"Authorization": "Bearer x"})
    said = [each.headers["authorization"] for each in hook.received]
    assert said == ["Basic ZEBlc2s6czM6Y3JldA==", "Bearer x"]


async def test_receiver_that_takes_long_to_dial_is_given_up() -> None:
    limits = TimeLimits(total=timedelta(seconds=10), connect=timedelta(0))
    hurried = wire(limits)
    async with HookServer() as hook:
        answer = await post(hurried, hook.url, b"", {})
    await hurried.close()
    assert isinstance(answer, RetryLater)
    assert answer.reason is DeliveryReason.TIMEOUT


async def test_large_request_arrives_whole(lasting: Wire) -> None:
    bodies: Sequence[bytes] = (b"x" * 2_000_000, b"y")
    async with HookServer() as hook:
        for body in bodies:
            await post(lasting, hook.url, body, {})
    assert [each.body for each in hook.received] == list(bodies)
