"""Whether a receiver can be reached, asked of real relays and servers, which see no message."""

import pytest

from monitor.channels import ChannelBuilder
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.secret import Secret
from monitor.core.targets import (
    ConsoleTarget,
    EmailTarget,
    Security,
    SlackTarget,
    SmtpRelay,
    WebhookTarget,
)
from tests.factories import NOW
from tests.integration.channels.test_slackbot import bot
from tests.servers.slack import FakeSlack
from tests.servers.smtp import MailServer


def mailbox(relay: SmtpRelay) -> EmailTarget:
    return EmailTarget(
        id="desk/mail",
        subscriber="desk",
        to="desk@paper.example",
        sender="m@paper.example",
        smtp=relay,
    )


@pytest.mark.parametrize("security", ["none", "starttls", "implicit"])
async def test_relay_is_logged_in_to(patient: ChannelBuilder, security: Security) -> None:
    async with MailServer(security=security, login=True) as server:
        assert isinstance(await patient.greet(mailbox(server.relay()), NOW), Delivered)
        wrong = await patient.greet(mailbox(server.relay(password=Secret("wrong"))), NOW)
    assert isinstance(wrong, RetryLater)
    assert wrong.reason is DeliveryReason.UNAUTHORIZED
    assert server.mail == []


async def test_relay_that_is_away(patient: ChannelBuilder) -> None:
    away = await patient.greet(mailbox(SmtpRelay(host="127.0.0.1", port=9)), NOW)
    assert isinstance(away, RetryLater)
    assert away.reason is DeliveryReason.CONNECT


async def test_token_of_a_bot_is_tried(patient: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        assert isinstance(await patient.greet(bot(slack), NOW), Delivered)
        wrong = await patient.greet(bot(slack, token=Secret("xoxb-revoked")), NOW)
    assert isinstance(wrong, Rejected)
    assert wrong.reason is DeliveryReason.UNAUTHORIZED
    assert slack.messages == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1/hook", None),
        ("http://127.0.0.1/hook", None),
        ("https://10.0.0.1/hook", DeliveryReason.REFUSED_ADDRESS),
        ("http://192.0.2.1/hook", DeliveryReason.REFUSED_ADDRESS),
        ("https://nowhere.invalid/hook", DeliveryReason.DNS),
    ],
)
async def test_name_is_looked_up(
    patient: ChannelBuilder, url: str, reason: DeliveryReason | None
) -> None:
    for target in (
        WebhookTarget(id="desk/hook", subscriber="desk", url=url),
        SlackTarget(id="desk/slack", subscriber="desk", webhook_url=Secret(url)),
    ):
        assert _reason(await patient.greet(target, NOW)) == reason


def _reason(outcome: Outcome) -> DeliveryReason | None:
    return None if isinstance(outcome, Delivered) else outcome.reason


async def test_console_is_always_there(patient: ChannelBuilder) -> None:
    assert await patient.greet(ConsoleTarget(id="a/console", subscriber="a"), NOW) == Delivered()
