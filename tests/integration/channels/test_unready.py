from monitor.channels.build import ChannelBuilder
from monitor.core.outcome import DeliveryReason, RetryLater
from monitor.core.targets import UnreadyTarget, secrets_of
from tests.factories import NOW, delivery

TARGET = UnreadyTarget(id="night/hook", subscriber="night", why="the secret is not there")
WAITS = RetryLater(reason=DeliveryReason.NOT_READY, detail="the secret is not there")


async def test_what_goes_to_a_target_that_is_not_ready_waits_with_the_reason() -> None:
    async with ChannelBuilder(user_agent="test") as builder:
        channel = builder.build(TARGET)
        assert await channel.deliver(delivery(), NOW) == WAITS
        await channel.close()
        assert await builder.greet(TARGET, NOW) == WAITS
    assert list(secrets_of(TARGET)) == []
