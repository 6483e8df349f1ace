"""How fast a Slack channel is written to: the real deliverer, a bot, and a stand-in for Slack that notes each instant.

python -m tests.benchmarks.bench_slack [--messages 20]

Slack takes one message a second for each channel. Prints the rate, at most 1.0, and the least time between two.
"""

import argparse
import asyncio
import itertools
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from monitor.app.lanes import Lanes
from monitor.channels import ChannelBuilder
from monitor.core.secret import Secret
from monitor.core.targets import SlackBotTarget
from monitor.services.deliverer import DelivererService
from monitor.streams.memory.ledger import MemoryDeliveryLedger
from monitor.streams.memory.store import MemoryStore
from monitor.telemetry import Metrics
from tests.factories import alert, article
from tests.servers.slack import TOKEN, FakeSlack


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def instants(count: int) -> list[float]:
    """Send so many alerts that are all due at once, none of them in a digest; return when each arrived."""
    ledger, clock = MemoryDeliveryLedger(MemoryStore()), _Clock()
    allow = [ip_network("127.0.0.0/8")]
    async with FakeSlack() as slack, ChannelBuilder(allow=allow, user_agent="bench") as channels:
        target = SlackBotTarget(
            id="desk/slack", subscriber="desk", token=Secret(TOKEN), channel="C1", api=slack.api
        )
        lanes = Lanes(channels.build, timedelta(seconds=15))
        lane = lanes.change([target])["desk/slack"]
        alone = replace(lane, terms=replace(lane.terms, most_waiting=0))
        deliverer = DelivererService(
            ledger,
            {"desk/slack": alone},
            clock,
            Metrics(),
            concurrency=16,
            lease=timedelta(seconds=60),
        )
        for number in range(count):
            told = alert(article=article(id=f"a{number}", title=f"News {number}"))
            await ledger.enqueue(told, "desk/slack", clock.now())
        while len(slack.messages) < count:
            await deliverer.step()
        await lanes.close()
        return slack.taken_at


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rate; 1 when it is too high."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=20)
    asked = parser.parse_args(arguments)
    taken = asyncio.run(instants(asked.messages))
    gaps = [later - earlier for earlier, later in itertools.pairwise(taken)]
    rate = len(gaps) / sum(gaps)
    print(f"{asked.messages} messages to one channel: {rate:.3f} a second (at most 1.0)")
    print(f"  least time between two: {min(gaps):.3f} s")
    return 0 if rate <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
