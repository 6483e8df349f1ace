"""Tries a target out."""

from monitor.app.parts import Outside
from monitor.core.model import Attempt
from monitor.core.notice import target_test
from monitor.core.retry import attempt_of
from monitor.core.targets import Target
from monitor.ports import Clock


async def send_test(outside: Outside, target: Target, clock: Clock) -> Attempt:
    """Send a test alert, marked as one, through the channel that alerts go through. Nothing of it is kept."""
    channel, started_at = outside.channel(target), clock.now()
    try:
        outcome = await channel.deliver(target_test(target, started_at), started_at)
    finally:
        await channel.close()
    return attempt_of(1, outcome, started_at, clock.now())
