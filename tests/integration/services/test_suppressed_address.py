"""A mailbox that does not exist is written to twice, then no more, and its subscriber hears of it elsewhere."""

import asyncio
from datetime import timedelta

from monitor.app.lanes import Lanes
from monitor.channels import ChannelBuilder
from monitor.core.breaker import TargetStatus
from monitor.core.targets import EmailTarget, WebhookTarget
from monitor.services.deliverer import DelivererService
from monitor.streams.memory.ledger import MemoryDeliveryLedger
from monitor.streams.memory.store import MemoryStore
from monitor.telemetry import Metrics
from tests.clock import StandingClock
from tests.factories import alert, article
from tests.integration.channels.conftest import LOOPBACK
from tests.servers.hooks import HookServer
from tests.servers.smtp import MailServer


async def test_address_that_does_not_exist_is_given_up_and_told_elsewhere() -> None:
    ledger, clock = MemoryDeliveryLedger(MemoryStore()), StandingClock()
    async with (
        MailServer() as relay,
        HookServer() as hook,
        ChannelBuilder(allow=LOOPBACK, user_agent="monitor/test") as channels,
    ):
        mail = EmailTarget(
            id="desk/email",
            subscriber="desk",
            to="nobody@paper.example",
            sender="monitor@paper.example",
            smtp=relay.relay(),
        )
        other = WebhookTarget(id="desk/hook", subscriber="desk", url=hook.url)
        lanes = Lanes(channels.build, timedelta(seconds=5))
        deliverer = DelivererService(
            ledger,
            lanes.change([mail, other]),
            clock,
            Metrics(),
            concurrency=4,
            lease=timedelta(seconds=60),
        )
        for number in range(4):
            relay.refuse("RCPT", "550 5.1.1 no such user")
            told = alert(article=article(id=f"a{number}", title=f"News {number}"))
            await ledger.enqueue(told, "desk/email", clock.now())
            async with asyncio.timeout(10):
                await deliverer.step()
            clock.advance(timedelta(minutes=2))
        async with asyncio.timeout(10):
            await deliverer.step()
        health = (await ledger.health(["desk/email"]))["desk/email"]
        await lanes.close()
    assert health.status is TargetStatus.DISABLED
    assert "5.1.1" in health.detail
    assert relay.mail == []
    assert len(relay.refusals) == 2  # of four; the others were never asked for
    [notice] = hook.received
    assert b"desk/email is switched off" in notice.body
