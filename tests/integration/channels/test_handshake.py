"""A receiver is asked whether it wants what we send, before anything is sent."""

from datetime import timedelta

import pytest

from monitor.channels import ChannelBuilder
from monitor.channels.handshake import CONSENTS, KEPT_FOR, AskingChannel
from monitor.channels.memory import ProcessMemory, RegistryMemory
from monitor.channels.webhook import WebhookChannel
from monitor.core.consent import Consent
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.render.template import Composer
from monitor.core.targets import WebhookTarget
from monitor.errors import StreamError
from monitor.ports import Channel
from monitor.streams.memory.registry import MemoryRegistry
from monitor.streams.memory.store import MemoryStore
from tests.factories import NOW, delivery
from tests.integration.channels.conftest import LOOPBACK
from tests.servers.hooks import HookServer, Reply

ORIGIN = "monitor.example"


def hook(server: HookServer, gap: timedelta | None = None) -> WebhookTarget:
    return WebhookTarget(
        id="desk/hook",
        subscriber="desk",
        url=server.url,
        origin=ORIGIN,
        gap=gap,
        headers={"authorization": "Bearer 1"},
    )


def agreed(origin: str = ORIGIN, rate: str | None = None) -> Reply:
    headers = {"WebHook-Allowed-Origin": origin}
    return Reply(headers=headers | ({"WebHook-Allowed-Rate": rate} if rate else {}))


def methods(server: HookServer) -> list[str]:
    return [each.method for each in server.received]


async def send(channel: Channel, times: int = 1) -> Outcome:
    return [await channel.deliver(delivery(), NOW) for _ in range(times)][-1]


async def test_receiver_is_asked_once_and_then_sent_alerts(patient: ChannelBuilder) -> None:
    async with HookServer() as server:
        server.reply(agreed())
        assert isinstance(await send(patient.build(hook(server)), 3), Delivered)
    assert methods(server) == ["OPTIONS", "POST", "POST", "POST"]
    asked = server.received[0].headers
    assert asked["webhook-request-origin"] == ORIGIN
    assert asked["authorization"] == "Bearer 1"
    assert "webhook-request-rate" not in asked


@pytest.mark.parametrize("origin", ["*", "MONITOR.example"])
async def test_any_origin_and_any_case_are_agreement(origin: str, patient: ChannelBuilder) -> None:
    async with HookServer() as server:
        server.reply(agreed(origin))
        assert isinstance(await send(patient.build(hook(server))), Delivered)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(),
        agreed("another.example"),
        Reply(status=405),
        Reply(status=404),
        Reply(status=403, headers={"WebHook-Allowed-Origin": "*"}),
        Reply(status=302, headers={"Location": "/elsewhere", "WebHook-Allowed-Origin": "*"}),
        Reply(status=410),
    ],
)
async def test_receiver_that_does_not_agree_is_sent_nothing(
    reply: Reply, patient: ChannelBuilder
) -> None:
    async with HookServer(default=reply) as server:
        refused = await send(patient.build(hook(server)), 2)
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.target) == (DeliveryReason.NO_CONSENT, True)
    assert f"HTTP {reply.status}" in refused.detail
    assert methods(server) == ["OPTIONS", "OPTIONS"]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(status=503), DeliveryReason.SERVER_ERROR),
        (Reply(status=429, headers={"Retry-After": "7"}), DeliveryReason.RATE_LIMITED),
        (Reply(reset=True), DeliveryReason.RESET),
    ],
)
async def test_question_that_is_not_answered_is_asked_later(
    reply: Reply, reason: DeliveryReason, patient: ChannelBuilder
) -> None:
    async with HookServer() as server:
        server.reply(reply, reply)
        later = await send(patient.build(hook(server)))
    assert isinstance(later, RetryLater)
    assert later.reason is reason
    assert "POST" not in methods(server)


@pytest.mark.parametrize(
    ("rate", "pace"),
    [
        (None, 0.0),
        ("*", 0.0),
        ("0", 0.0),
        ("soon", 0.0),
        ("600", 0.1),
        ("7", 8.572),
        ("99999999999", 0.0),
    ],
)
async def test_receiver_says_how_fast_it_takes_alerts(
    rate: str | None, pace: float, patient: ChannelBuilder
) -> None:
    async with HookServer() as server:
        server.reply(agreed(rate=rate))
        outcome = await send(patient.build(hook(server, timedelta(seconds=2))), 2)
    assert server.received[0].headers["webhook-request-rate"] == "30"
    assert isinstance(outcome, Delivered)
    assert outcome.pace == timedelta(seconds=pace)


async def test_agreement_is_remembered_over_a_restart_for_a_week() -> None:
    registry = MemoryRegistry(MemoryStore())
    async with HookServer(default=agreed()) as server:
        for _ in range(2):
            async with ChannelBuilder(
                allow=LOOPBACK,
                user_agent="monitor/test",
                consents=RegistryMemory(registry, CONSENTS, KEPT_FOR),
            ) as builder:
                await send(builder.build(hook(server)))
    assert methods(server) == ["OPTIONS", "POST", "POST"]
    [record] = (await registry.changes(CONSENTS.kind)).records
    assert record.expires_at == NOW + KEPT_FOR


async def test_store_that_does_not_answer_costs_a_question_and_no_alert(
    patient: ChannelBuilder,
) -> None:
    class Broken(ProcessMemory[Consent]):
        async def find(self, *_: object) -> Consent | None:
            raise StreamError("the server is gone")

        async def keep(self, *_: object) -> None:
            raise StreamError("the server is gone")

    async with HookServer(default=agreed()) as server:
        target = hook(server)
        session = patient._wire
        inner = WebhookChannel(target, session, Composer(target))
        channel = AskingChannel(inner, target, session, Broken())
        assert isinstance(await send(channel, 2), Delivered)
        await channel.close()
    assert methods(server) == ["OPTIONS", "POST"] * 2
