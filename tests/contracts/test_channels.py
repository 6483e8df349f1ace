"""Every channel, whatever its receiver answers: an outcome, never an exception."""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from io import StringIO
from ipaddress import ip_network

import pytest

from monitor.channels import ChannelBuilder
from monitor.channels.wire import TimeLimits
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.secret import Secret
from monitor.core.targets import (
    ConsoleTarget,
    DiscordTarget,
    EmailTarget,
    MattermostTarget,
    NtfyTarget,
    SlackBotTarget,
    SlackTarget,
    SmtpRelay,
    Target,
    TeamsTarget,
    TelegramTarget,
    WebhookTarget,
)
from tests.factories import NOW, delivery
from tests.servers.hooks import Conversation, raw_server
from tests.servers.smtp import raw_relay
from tests.unit.render.cases import CASES

LOOPBACK = [ip_network("127.0.0.0/8")]
HTTP_TARGETS: Mapping[str, Callable[[str], Target]] = {
    "webhook": lambda url: WebhookTarget(id="w", subscriber="s", url=url),
    "slack": lambda url: SlackTarget(id="k", subscriber="s", webhook_url=Secret(url)),
    "slackbot": lambda url: SlackBotTarget(
        id="b", subscriber="s", token=Secret("xoxb-x"), channel="C1", api=url
    ),
    "teams": lambda url: TeamsTarget(id="t", subscriber="s", webhook_url=Secret(url)),
    "discord": lambda url: DiscordTarget(id="d", subscriber="s", webhook_url=Secret(url)),
    "mattermost": lambda url: MattermostTarget(id="m", subscriber="s", webhook_url=Secret(url)),
    "telegram": lambda url: TelegramTarget(
        id="g", subscriber="s", token=Secret("1:x"), chat="-1", api=url
    ),
    "ntfy": lambda url: NtfyTarget(id="n", subscriber="s", topic=Secret("topic"), url=url),
}


def builder() -> ChannelBuilder:
    limits = TimeLimits(total=timedelta(seconds=5))
    return ChannelBuilder(
        allow=LOOPBACK, user_agent="monitor/test", limits=limits, console=StringIO()
    )


def mail(port: int) -> EmailTarget:
    relay = SmtpRelay(host="127.0.0.1", port=port, security="none")
    return EmailTarget(id="e", subscriber="s", to="a@b.example", sender="m@b.example", smtp=relay)


def answering(status: int, *headers: str) -> Conversation:
    """Answer every request so; 0: with the status that its path asks for."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *([0-9]+)", head.lower())
            assert length is not None
            await reader.readexactly(int(length[1]))
            asked = re.match(rb"POST /([0-9]*)", head)
            assert asked is not None
            code = status or int(asked[1])
            lines = [f"HTTP/1.1 {code} Whatever", "Content-Length: 0", *headers, "", ""]
            writer.write("\r\n".join(lines).encode())

    return talk


async def outcome_of(status: int, channel: str, *headers: str) -> Outcome:
    async with raw_server(answering(status, *headers)) as address, builder() as channels:
        target = HTTP_TARGETS[channel](f"http://{address}/")
        return await channels.build(target).deliver(delivery(), NOW)


@pytest.mark.parametrize("channel", HTTP_TARGETS)
async def test_every_http_status_is_an_outcome(channel: str) -> None:
    expected = {
        2: (Delivered,),
        3: (Rejected,),
        4: (Rejected, RetryLater),
        5: (RetryLater,),
    }
    async with raw_server(answering(0)) as address, builder() as channels:
        for status in range(200, 1000):
            target = HTTP_TARGETS[channel](f"http://{address}/{status}/")
            outcome = await channels.build(target).deliver(delivery(), NOW)
            bodiless = status // 100 == 2 and channel in SAY_SO
            kinds = (RetryLater,) if bodiless else expected.get(status // 100, (RetryLater,))
            assert isinstance(outcome, kinds), f"{status}: {outcome}"
            assert outcome.status == status


# Their answers say in the body whether the message was taken; one without a body is no answer of theirs.
SAY_SO = {"telegram", "slackbot"}
DISABLING = {
    "slack": {404},
    "discord": {401, 403, 404, 410},
    "teams": {401, 403, 404, 410},
    "mattermost": {401, 403, 404, 410},
    "telegram": {401, 403, 404, 410},
    "ntfy": {401, 403, 407, 410},
    "webhook": {410},
}


@pytest.mark.parametrize("channel", DISABLING)
async def test_statuses_that_end_a_target_are_these(channel: str) -> None:
    ending = set()
    for status in (400, 401, 403, 404, 405, 407, 410, 413, 422, 429, 451, 500, 503):
        outcome = await outcome_of(status, channel)
        if isinstance(outcome, Rejected) and outcome.target:
            ending.add(status)
    assert ending - {410} == DISABLING[channel] - {410}


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
@pytest.mark.parametrize("channel", [*sorted(HTTP_TARGETS.keys() - SAY_SO), "email", "console"])
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
