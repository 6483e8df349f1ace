"""Slack's incoming webhooks, against a stand-in that enforces the documented limits."""

from datetime import timedelta

import pytest

from monitor.channels import ChannelBuilder
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.secret import Secret
from monitor.core.targets import SlackTarget
from tests.factories import NOW
from tests.servers.slack import FakeSlack
from tests.unit.render.cases import CASES


async def send(channels: ChannelBuilder, url: str, case: str = "simple") -> Outcome:
    target = SlackTarget(id="desk/slack", subscriber="desk", webhook_url=Secret(url))
    return await channels.build(target).deliver(CASES[case](), NOW)


@pytest.mark.parametrize("case", CASES)
async def test_slack_takes_the_alert(case: str, channels: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        assert await send(channels, slack.url, case) == Delivered(status=200, response="ok")
    [message] = slack.messages
    assert message["blocks"]
    assert message["unfurl_links"] is False


@pytest.mark.parametrize("error", ["invalid_blocks", "invalid_payload", "msg_blocks_too_long"])
async def test_refused_blocks_are_posted_once_more_as_text(
    error: str, channels: ChannelBuilder
) -> None:
    async with FakeSlack() as slack:
        slack.answer(400, error)
        assert await send(channels, slack.url) == Delivered(status=200, response="ok")
    [message] = slack.messages
    assert "blocks" not in message
    assert message["text"].startswith("Talks resume in Geneva")


async def test_text_refused_too_is_a_dead_letter_after_two_posts(channels: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        slack.answer(400, "invalid_blocks")
        slack.answer(400, "no_text")
        outcome = await send(channels, slack.url)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is DeliveryReason.PAYLOAD_REFUSED
    assert outcome.detail == "Slack answered 400 invalid_blocks"
    assert slack.requests == 2


async def test_text_that_meets_the_rate_limit_is_tried_later(channels: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        slack.answer(400, "invalid_blocks")
        slack.answer(429, "rate_limited", {"Retry-After": "3"})
        outcome = await send(channels, slack.url)
    assert isinstance(outcome, RetryLater)


async def test_second_message_within_the_second_holds_the_lane_as_long_as_slack_asks(
    channels: ChannelBuilder,
) -> None:
    async with FakeSlack(pace=60) as slack:
        assert isinstance(await send(channels, slack.url), Delivered)
        outcome = await send(channels, slack.url)
    assert outcome == RetryLater(
        reason=DeliveryReason.RATE_LIMITED,
        detail="Slack answered 429 rate_limited",
        after=timedelta(seconds=1),
        lane=True,
        status=429,
        response="rate_limited",
    )


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (400, "user_not_found", DeliveryReason.GONE),
        (403, "action_prohibited", DeliveryReason.GONE),
        (403, "invalid_token", DeliveryReason.GONE),
        (403, "something new", DeliveryReason.UNAUTHORIZED),
        (404, "channel_not_found", DeliveryReason.GONE),
        (404, "no_service", DeliveryReason.GONE),
        (404, "", DeliveryReason.GONE),
        (410, "channel_is_archived", DeliveryReason.GONE),
        (302, "", DeliveryReason.REDIRECT),
    ],
)
async def test_webhook_that_is_no_more_is_rejected_at_once(
    status: int, text: str, reason: DeliveryReason, channels: ChannelBuilder
) -> None:
    async with FakeSlack() as slack:
        slack.answer(status, text)
        outcome = await send(channels, slack.url)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.status) == (reason, status)
    assert slack.requests == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_trouble_of_slack_is_waited_out(status: int, channels: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        slack.answer(status, "rollup_error")
        outcome = await send(channels, slack.url)
    assert isinstance(outcome, RetryLater)
    assert outcome.reason is DeliveryReason.SERVER_ERROR


async def test_address_of_the_webhook_is_in_no_outcome(channels: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        url = slack.url
    for broken in (url, url.replace("http", "ftp"), url.replace("127.0.0.1", "127.1")):
        assert "secret" not in repr(await send(channels, broken))
