"""How long an attempt may take is what the configuration says, for whoever sends it."""

import asyncio
from datetime import timedelta
from pathlib import Path

from monitor.app.lanes import Lanes
from monitor.app.parts import open_outside
from monitor.channels import ChannelBuilder
from monitor.config.load import load
from monitor.core.outcome import DeliveryReason, RetryLater
from monitor.core.secret import Secret
from monitor.core.targets import SlackTarget, Target, WebhookTarget
from tests import configuration
from tests.factories import NOW, delivery
from tests.servers.hooks import HookServer


async def test_webhook_that_is_not_answered_ends_by_itself_after_the_configured_time(
    tmp_path: Path,
) -> None:
    config = configuration.write(tmp_path, monitor={"deliver": {"timeout": "1s"}})
    settings = await asyncio.to_thread(load, config, {})
    gate = asyncio.Event()
    async with HookServer(gate=gate) as hook, open_outside(settings) as outside:
        channel = outside.channel(WebhookTarget(id="w", subscriber="s", url=hook.url))
        async with asyncio.timeout(10):
            outcome = await channel.deliver(delivery(), NOW)
        gate.set()
    assert isinstance(outcome, RetryLater)
    assert outcome.reason is DeliveryReason.TIMEOUT


async def test_only_channels_that_keep_the_time_are_not_cut_off() -> None:
    asking = "https://monitor.example"
    targets: list[Target] = [
        WebhookTarget(id="plain", subscriber="s", url="https://hook.example/"),
        WebhookTarget(id="asking", subscriber="s", url="https://hook.example/", origin=asking),
        SlackTarget(id="slack", subscriber="s", webhook_url=Secret("https://slack.example/")),
    ]
    async with ChannelBuilder(user_agent="monitor/test") as channels:
        lanes = Lanes(channels.build, timedelta(seconds=5)).change(targets)
        kept = {target_id: lane.keeps_time for target_id, lane in lanes.items()}
    assert kept == {"plain": True, "asking": False, "slack": False}
