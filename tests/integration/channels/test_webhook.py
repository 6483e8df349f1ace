"""Webhooks as their receivers see them, the hostile ones too."""

import asyncio
import base64
import gzip
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks import Webhook, WebhookVerificationError

from monitor.channels import ChannelBuilder
from monitor.channels.signing import Signer
from monitor.channels.wire import TimeLimits
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.secret import Secret
from monitor.core.targets import WebhookTarget
from tests.factories import NOW, delivery
from tests.integration.channels.conftest import LOOPBACK
from tests.servers.hooks import Conversation, HookServer, Reply, raw_server, read_request
from tests.servers.tls import certificate

OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
NEW = "whsec_" + base64.b64encode(b"n" * 64).decode()


def target(url: str, *secrets: str, **headers: str) -> WebhookTarget:
    return WebhookTarget(
        id="desk/hook",
        subscriber="desk",
        url=url,
        secrets=tuple(Secret(secret) for secret in secrets),
        headers=headers,
    )


async def send(channels: ChannelBuilder, url: str, *secrets: str, at: datetime = NOW) -> Outcome:
    return await channels.build(target(url, *secrets)).deliver(delivery(), at)


def reason(outcome: Outcome) -> tuple[type, DeliveryReason | None]:
    return type(outcome), None if isinstance(outcome, Delivered) else outcome.reason


async def test_receiver_verifies_signature_with_the_library_of_the_standard(
    channels: ChannelBuilder,
) -> None:
    async with HookServer() as hook:
        outcome = await send(channels, hook.url, NEW, OLD, at=datetime.now(UTC))
    assert outcome == Delivered(status=200, response="ok")
    [request] = hook.received
    assert len(request.headers["webhook-signature"].split()) == 2
    for secret in (NEW, OLD):
        said = Webhook(secret).verify(request.body, dict(request.headers))
        assert said["type"] == "monitor.alert.v1"
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(request.body + b" ", dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(b"x" * 24).decode()).verify(
            request.body, dict(request.headers)
        )


async def test_receiver_reads_the_request_as_a_cloud_event(channels: ChannelBuilder) -> None:
    async with HookServer() as hook:
        await send(channels, hook.url, NEW)
    [request] = hook.received
    event = from_http_event(HTTPMessage(headers=dict(request.headers), body=request.body))
    assert event.get_id() == request.headers["webhook-id"] == "msg_d1"
    assert event.get_type() == "monitor.alert.v1"
    assert event.get_time() == NOW
    data = event.get_data()
    assert isinstance(data, dict)
    assert data["article"]["title"] == "Talks resume in Geneva"


async def test_attempts_differ_in_time_and_signature_only(channels: ChannelBuilder) -> None:
    async with HookServer() as hook:
        hook.reply(Reply(status=503))
        channel = channels.build(target(hook.url, NEW))
        await channel.deliver(delivery(attempts=1), NOW)
        await channel.deliver(delivery(attempts=2), NOW + timedelta(seconds=30))
    first, second = hook.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert second.headers["webhook-timestamp"] == str(int(NOW.timestamp()) + 30)
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


async def test_headers_of_the_target_are_sent_and_cannot_replace_ours(
    channels: ChannelBuilder,
) -> None:
    headers = {"Authorization": "Bearer x", "Webhook-Id": "forged", "Content-Type": "text/plain"}
    async with HookServer() as hook:
        await channels.build(target(hook.url, NEW, **headers)).deliver(delivery(), NOW)
    [request] = hook.received
    assert request.headers["authorization"] == "Bearer x"
    assert request.headers["webhook-id"] == "msg_d1"
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert request.headers["user-agent"] == "monitor/test"


async def test_target_without_secrets_gets_no_signature(channels: ChannelBuilder) -> None:
    async with HookServer() as hook:
        outcome = await send(channels, hook.url)
    assert isinstance(outcome, Delivered), outcome
    assert "webhook-signature" not in hook.received[0].headers


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        base64.b64encode(b"n" * 32).decode(),
        "whsec_" + base64.b64encode(b"n" * 23).decode(),
        "whsec_" + base64.b64encode(b"n" * 65).decode(),
        "whsec_not base64 at all!!!!!!!!!!!!!!!!!!!!",
        "whsec_é",
    ],
)
def test_secret_that_is_too_weak_or_no_secret_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 random bytes") as caught:
        Signer([Secret(secret)])
    assert len(secret) < 10 or secret not in str(caught.value)


async def test_redirect_is_not_followed(channels: ChannelBuilder) -> None:
    async with HookServer() as other, HookServer() as hook:
        hook.reply(
            *(Reply(status=s, headers={"Location": other.url}) for s in (301, 302, 307, 308))
        )
        for _ in range(4):
            outcome = await send(channels, hook.url)
            assert reason(outcome) == (Rejected, DeliveryReason.REDIRECT)
    assert len(hook.received) == 4
    assert other.received == []


async def test_retry_after_is_passed_on_and_holds_the_lane(channels: ChannelBuilder) -> None:
    async with HookServer() as hook:
        hook.reply(
            Reply(status=429, headers={"Retry-After": "7"}),
            Reply(status=503, headers={"Retry-After": "Thu, 15 Jan 2026 12:01:00 GMT"}),
            Reply(status=503, headers={"Retry-After": "soon"}),
        )
        outcomes = [await send(channels, hook.url) for _ in range(3)]
    assert [(o.after, o.lane) for o in outcomes if isinstance(o, RetryLater)] == [
        (timedelta(seconds=7), True),
        (timedelta(seconds=60), True),
        (None, False),
    ]


async def test_connection_that_was_dropped_while_idle_costs_one_repetition(
    channels: ChannelBuilder,
) -> None:
    bodies: list[bytes] = []
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        bodies.append(await read_request(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")  # a second request; then hang up without a word

    async with raw_server(talk) as address:
        assert await send(channels, f"http://{address}/") == Delivered(status=200)
        assert await send(channels, f"http://{address}/") == Delivered(status=200)
    assert connections == 2
    assert bodies[0] == bodies[1]


async def test_new_connection_that_is_dropped_is_not_tried_twice(channels: ChannelBuilder) -> None:
    async with HookServer(default=Reply(reset=True)) as hook:
        outcome = await send(channels, hook.url)
    assert reason(outcome) == (RetryLater, DeliveryReason.RESET)
    assert len(hook.received) == 1


async def test_success_counts_although_its_body_never_ends(channels: ChannelBuilder) -> None:
    async with HookServer(default=Reply(text="x" * 100, drip=0.05)) as hook:
        outcome = await send(channels, hook.url)
        assert isinstance(outcome, Delivered)
        hook.default = Reply(text="y" * 2_000_000)
        outcome = await send(channels, hook.url)
        assert isinstance(outcome, Delivered)
        assert outcome.response == "y" * 1024


async def test_longer_answer_that_comes_in_pieces_is_read_to_its_end(
    channels: ChannelBuilder,
) -> None:
    async with HookServer(default=Reply(text="abc", drip=0.01)) as hook:
        assert await send(channels, hook.url) == Delivered(status=200, response="abc")


async def test_compressed_body_is_kept_compressed(channels: ChannelBuilder) -> None:
    strange = Reply(text="\x1b[2Jnot gzip", headers={"Content-Encoding": "gzip"})
    async with HookServer(default=strange) as hook:
        assert await send(channels, hook.url) == Delivered(status=200, response="[2Jnot gzip")
    bomb = gzip.compress(bytes(2**24))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    async with raw_server(_saying(head.encode() + bomb)) as address:
        outcome = await send(channels, f"http://{address}/")
    assert isinstance(outcome, Delivered)
    assert len(outcome.response) <= 1024


def _saying(*parts: bytes, pause: float = 0, forever: bool = False) -> Conversation:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        while True:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            if not forever:
                return

    return talk


@pytest.mark.parametrize(
    ("answer", "delivered"),
    [(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", True), (b"HTTP/1.1 500 Oh\r\nContent-Length: 9\r\n\r\n", False)],
)  # fmt: skip
@pytest.mark.parametrize("rest", [b"", b"x"])
async def test_body_that_breaks_off_changes_nothing(
    answer: bytes, rest: bytes, channels: ChannelBuilder, *, delivered: bool
) -> None:
    async with raw_server(_saying(answer + rest)) as address:
        outcome = await send(channels, f"http://{address}/")
    assert isinstance(outcome, Delivered) is delivered
    assert delivered or reason(outcome) == (RetryLater, DeliveryReason.SERVER_ERROR)


@pytest.mark.parametrize(
    ("talk", "expected"),
    [
        (_saying(b""), DeliveryReason.RESET),
        (_saying(b"HTTP/1.1 2"), DeliveryReason.RESET),
        (_saying(b"SSH-2.0-OpenSSH_9\r\n\r\n"), DeliveryReason.BAD_RESPONSE),
        (_saying(b"HTTP/1.1 999999 no\r\n\r\n"), DeliveryReason.BAD_RESPONSE),
        (_saying(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000 + b"\r\n"), DeliveryReason.BAD_RESPONSE),
        (_saying(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 200_000), DeliveryReason.BAD_RESPONSE),
        (_saying(b"HTTP/1.1 200 OK\r\nA:", pause=0.05, forever=True), DeliveryReason.TIMEOUT),
        (_saying(b"HTTP/1.1 100 Continue\r\n\r\n", forever=True), DeliveryReason.BAD_RESPONSE),
        (_saying(b"HTTP/1.1 101 Now\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), DeliveryReason.BAD_RESPONSE),
        (_saying(b"", pause=5), DeliveryReason.TIMEOUT),
    ],
    ids=["silent", "half", "ssh", "status", "headers", "header", "drip", "continue", "switch", "hang"],
)  # fmt: skip
async def test_receiver_that_speaks_no_http_is_tried_later(
    talk: Conversation, expected: DeliveryReason, channels: ChannelBuilder
) -> None:
    async with raw_server(talk) as address:
        started = asyncio.get_running_loop().time()
        outcome = await send(channels, f"http://{address}/")
        assert asyncio.get_running_loop().time() - started < 3
    assert reason(outcome) == (RetryLater, expected)


async def test_receiver_that_is_not_there_is_tried_later(channels: ChannelBuilder) -> None:
    async with HookServer() as hook:
        pass
    assert reason(await send(channels, hook.url)) == (RetryLater, DeliveryReason.CONNECT)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://[::1]:9/", (Rejected, DeliveryReason.REFUSED_ADDRESS)),
        ("http://169.254.169.254/latest/meta-data/", (Rejected, DeliveryReason.REFUSED_ADDRESS)),
        ("http://10.0.0.1/", (Rejected, DeliveryReason.REFUSED_ADDRESS)),
        ("https://192.168.1.1/", (Rejected, DeliveryReason.REFUSED_ADDRESS)),
        ("http://127.1/", (Rejected, DeliveryReason.ADDRESS_REFUSED)),
        ("ftp://127.0.0.1/", (Rejected, DeliveryReason.ADDRESS_REFUSED)),
        ("nonsense", (Rejected, DeliveryReason.ADDRESS_REFUSED)),
        ("http://" + "a" * 70 + ".example/", (Rejected, DeliveryReason.ADDRESS_REFUSED)),
        ("https://no-such-host.invalid/", (RetryLater, DeliveryReason.DNS)),
    ],
)
async def test_address_that_cannot_or_must_not_be_dialled(
    url: str, expected: tuple[type, DeliveryReason], channels: ChannelBuilder
) -> None:
    assert reason(await send(channels, url)) == expected


async def test_plain_http_is_for_listed_addresses_only() -> None:
    async with ChannelBuilder(user_agent="monitor/test") as strict:
        outcome = await send(strict, "http://8.8.8.8/")
    assert reason(outcome) == (Rejected, DeliveryReason.REFUSED_ADDRESS)


async def test_credential_in_the_url_is_in_no_outcome(channels: ChannelBuilder) -> None:
    async with raw_server(_saying(b"garbage\r\n\r\n")) as address:
        for url in (f"http://{address}/s3cret?k=s3cret", "http://127.1/s3cret", "nonsense/s3cret"):
            assert "s3cret" not in repr(await send(channels, url))


async def test_encrypted_receiver_with_a_trusted_certificate_is_reached(
    channels: ChannelBuilder,
) -> None:
    async with HookServer(tls=certificate().server_context()) as hook:
        assert await send(channels, hook.url) == Delivered(status=200, response="ok")


async def test_certificate_that_nobody_vouches_for_is_rejected() -> None:
    limits = TimeLimits(total=timedelta(seconds=2))
    async with (
        HookServer(tls=certificate().server_context()) as hook,
        ChannelBuilder(
            user_agent="t",
            limits=limits,
            tls=ssl.create_default_context(),
            allow=LOOPBACK,
        ) as builder,
    ):
        outcome = await send(builder, hook.url)
    assert reason(outcome) == (Rejected, DeliveryReason.TLS)
    assert hook.received == []


async def test_handshake_that_fails_is_tried_later(channels: ChannelBuilder) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x15\x03\x01\x00\x02\x02\x28")  # alert: handshake failure

    async with raw_server(talk) as address:
        outcome = await send(channels, f"https://{address}/")
    assert reason(outcome) == (RetryLater, DeliveryReason.TLS)
