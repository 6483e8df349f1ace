"""Every channel, whatever its receiver answers: an outcome, never an exception."""

import asyncio
from collections.abc import Callable, Mapping
from io import StringIO
from ipaddress import ip_network

import aiohttp
import pytest

from monitor.channels import ChannelBuilder
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.secret import Secret
from monitor.core.targets import (
    ConsoleTarget,
    EmailTarget,
    SlackTarget,
    SmtpRelay,
    Target,
    WebhookTarget,
)
from tests.factories import NOW, delivery
from tests.servers.hooks import Conversation, raw_server, read_request
from tests.servers.smtp import raw_relay
from tests.unit.render.cases import CASES

LOOPBACK = [ip_network("127.0.0.0/8")]
HTTP_TARGETS: Mapping[str, Callable[[str], Target]] = {
    "webhook": lambda url: WebhookTarget(id="w", subscriber="s", url=url),
    "slack": lambda url: SlackTarget(id="k", subscriber="s", webhook_url=Secret(url)),
}


def builder() -> ChannelBuilder:
    timeout = aiohttp.ClientTimeout(total=1, sock_connect=1)
    return ChannelBuilder(
        allow=LOOPBACK, user_agent="monitor/test", timeout=timeout, console=StringIO()
    )


def mail(port: int) -> EmailTarget:
    relay = SmtpRelay(host="127.0.0.1", port=port, security="none")
    return EmailTarget(id="e", subscriber="s", to="a@b.example", sender="m@b.example", smtp=relay)


def answering(status: int, *headers: str) -> Conversation:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            lines = [f"HTTP/1.1 {status} Whatever", "Content-Length: 0", *headers, "", ""]
            writer.write("\r\n".join(lines).encode())

    return talk


async def outcome_of(status: int, channel: str, *headers: str) -> Outcome:
    async with raw_server(answering(status, *headers)) as address, builder() as channels:
        target = HTTP_TARGETS[channel](f"http://{address}/")
        return await channels.build(target).deliver(delivery(), NOW)


@pytest.mark.parametrize("channel", HTTP_TARGETS)
@pytest.mark.parametrize("hundred", range(2, 10))
async def test_every_http_status_is_an_outcome(hundred: int, channel: str) -> None:
    expected = {
        2: (Delivered,),
        3: (Rejected,),
        4: (Rejected, RetryLater),
        5: (RetryLater,),
    }.get(hundred, (RetryLater,))
    for status in range(hundred * 100, hundred * 100 + 100):
        outcome = await outcome_of(status, channel)
        assert isinstance(outcome, expected), f"{status}: {outcome}"
        assert outcome.status == status


WEBHOOK_4XX = {
    400: DeliveryReason.PAYLOAD_REFUSED,
    401: DeliveryReason.UNAUTHORIZED,
    402: DeliveryReason.CLIENT_ERROR,
    403: DeliveryReason.UNAUTHORIZED,
    404: DeliveryReason.NOT_FOUND,
    405: DeliveryReason.CLIENT_ERROR,
    408: DeliveryReason.TIMEOUT,
    409: DeliveryReason.CLIENT_ERROR,
    410: DeliveryReason.GONE,
    413: DeliveryReason.PAYLOAD_REFUSED,
    415: DeliveryReason.PAYLOAD_REFUSED,
    422: DeliveryReason.PAYLOAD_REFUSED,
    425: DeliveryReason.CLIENT_ERROR,
    429: DeliveryReason.RATE_LIMITED,
    451: DeliveryReason.CLIENT_ERROR,
}
RETRIED_4XX = {404, 408, 409, 425, 429}


@pytest.mark.parametrize(("status", "reason"), WEBHOOK_4XX.items())
async def test_client_errors_are_told_apart(status: int, reason: DeliveryReason) -> None:
    outcome = await outcome_of(status, "webhook")
    assert isinstance(outcome, RetryLater if status in RETRIED_4XX else Rejected)
    assert outcome.reason is reason


@pytest.mark.parametrize("channel", HTTP_TARGETS)
@pytest.mark.parametrize("asked", ["-1", "1e9", "9" * 400, "soon", "", "Thu, 32 Foo 20266"])
async def test_strange_retry_after_is_an_outcome(asked: str, channel: str) -> None:
    outcome = await outcome_of(429, channel, f"Retry-After: {asked}")
    assert isinstance(outcome, RetryLater)
    assert outcome.lane


@pytest.mark.parametrize("stage", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "BODY"])
async def test_every_smtp_code_is_an_outcome(stage: str) -> None:
    codes = [*range(200, 600, 1 if stage in {"RCPT", "BODY"} else 17), 0, 99, 600, 999]
    async with raw_relay() as relay, builder() as channels:
        channel = channels.build(mail(relay.port))
        for code in codes:
            relay.answers = {stage: f"{code:03} 5.9.9 whatever", "HELO": f"{code:03} no"}
            outcome = await channel.deliver(delivery(), NOW)
            assert isinstance(outcome, Delivered | RetryLater | Rejected)
            if 400 <= code < 600:
                assert not isinstance(outcome, Delivered), f"{code}: {outcome}"
            if stage in {"RCPT", "BODY"} and 400 <= code < 500:
                assert isinstance(outcome, RetryLater)
            if stage in {"RCPT", "BODY"} and 500 <= code < 600:
                assert isinstance(outcome, Rejected)


@pytest.mark.parametrize(
    "said", ["", "x", "250", "250-", "250-more", "garbage " * 500, "é", "\x00"]
)
@pytest.mark.parametrize("stage", ["GREETING", "MAIL", "BODY"])
async def test_relay_that_speaks_no_smtp_is_an_outcome(
    stage: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.channels.smtp._COMMAND_SECONDS", 0.1)
    async with raw_relay(answers={stage: said}) as relay, builder() as channels:
        outcome = await channels.build(mail(relay.port)).deliver(delivery(), NOW)
    assert isinstance(outcome, Delivered | RetryLater | Rejected)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("channel", ["webhook", "slack", "email", "console"])
async def test_every_alert_can_be_delivered_by_every_channel(channel: str, case: str) -> None:
    sent = CASES[case]()
    async with raw_server(answering(200)) as address, raw_relay() as relay, builder() as channels:
        targets = {
            **{kind: make(f"http://{address}/") for kind, make in HTTP_TARGETS.items()},
            "email": mail(relay.port),
            "console": ConsoleTarget(id="c", subscriber="s"),
        }
        built = channels.build(targets[channel])
        assert isinstance(await built.deliver(sent, NOW), Delivered)
        await built.close()
