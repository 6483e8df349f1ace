"""A Slack bot: threads, counts, refusals, and a crash between the post and the memory of it."""

import asyncio
from dataclasses import replace

import pytest

from monitor.channels import ChannelBuilder
from monitor.channels.memory import ProcessMemory, RegistryMemory
from monitor.channels.slackbot import KEPT_FOR, THREADS, SlackBotChannel, Thread
from monitor.core.model import ArticleKind, Delivery, Severity
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.render.template import Composer
from monitor.core.secret import Secret
from monitor.core.stories import story_of
from monitor.core.targets import SlackBotTarget, Template
from monitor.errors import StreamError
from monitor.streams.memory.registry import MemoryRegistry
from monitor.streams.memory.store import MemoryStore
from tests.factories import NOW, alert, article, delivery, match
from tests.servers.slack import TOKEN, FakeSlack
from tests.unit.render.cases import CASES


def bot(slack: FakeSlack, **changes: object) -> SlackBotTarget:
    target = SlackBotTarget(
        id="desk/slack", subscriber="desk", token=Secret(TOKEN), channel="C1", api=slack.api
    )
    return replace(target, **changes)  # type: ignore[arg-type]


def told_by(source: str, **changes: object) -> Delivery:
    article_ = article(id=f"a-{source}", feed_name=source, **changes)
    return delivery(id=f"d-{source}", alert=alert(article=article_))


@pytest.mark.parametrize("case", CASES)
async def test_slack_takes_the_message(case: str, patient: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        outcome = await patient.build(bot(slack)).deliver(CASES[case](), NOW)
    assert outcome == Delivered(status=200, response="ok")
    assert slack.refused == []
    [message] = slack.messages
    assert message["unfurl_links"] is False


async def test_story_is_one_thread_with_a_count_of_its_sources(patient: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        channel = patient.build(bot(slack))
        for source in ("First Paper", "Second Paper", "Third Paper", "Second Paper"):
            assert isinstance(await channel.deliver(told_by(source), NOW), Delivered)
    root, *replies = slack.messages
    assert "thread_ts" not in root
    assert [reply["thread_ts"] for reply in replies] == [slack.ts_of(0)] * 3
    assert not any(reply.get("reply_broadcast") for reply in replies)
    counts = [
        text["text"]
        for update in slack.updates
        for block in update["blocks"]
        if block.get("block_id") == "sources"
        for text in block["elements"]
    ]
    assert counts == ["Now in 2 sources", "Now in 3 sources"]
    assert {update["ts"] for update in slack.updates} == {slack.ts_of(0)}
    assert all(block in slack.updates[-1]["blocks"] for block in root["blocks"])


async def test_edit_of_an_article_is_told_in_the_thread_of_its_headline(
    patient: ChannelBuilder,
) -> None:
    edit = told_by("First Paper", kind=ArticleKind.EDITED, was_title="Talks end in Geneva")
    async with FakeSlack() as slack:
        channel = patient.build(bot(slack))
        await channel.deliver(told_by("First Paper"), NOW)
        await channel.deliver(edit, NOW)
    assert slack.messages[1]["thread_ts"] == slack.ts_of(0)
    assert "EDITED" in slack.messages[1]["text"]
    assert slack.updates == []


async def test_what_became_critical_is_shown_in_the_channel_too(patient: ChannelBuilder) -> None:
    grave = told_by("Second Paper")
    grave = replace(
        grave, alerts=(replace(grave.alert, matches=(match(severity=Severity.CRITICAL),)),)
    )
    async with FakeSlack() as slack:
        channel = patient.build(bot(slack))
        for told in (told_by("First Paper"), grave, grave):
            await channel.deliver(told, NOW)
    assert [message.get("reply_broadcast") for message in slack.messages] == [None, True, None]


async def test_digest_stands_by_itself(patient: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        channel = patient.build(bot(slack))
        await channel.deliver(told_by("First Paper"), NOW)
        await channel.deliver(CASES["digest"](), NOW)
    assert "thread_ts" not in slack.messages[1]


async def test_threads_are_remembered_over_a_restart() -> None:
    registry = MemoryRegistry(MemoryStore())
    threads = RegistryMemory(registry, THREADS, KEPT_FOR)
    thread = Thread(channel="C1", ts="1.2", sources=("a",), root={"text": "x", "blocks": []})
    await threads.keep("desk/slack", "story", thread, NOW)
    assert await RegistryMemory(registry, THREADS, KEPT_FOR).find("desk/slack", "story") == thread
    assert await threads.find("desk/slack", "another") is None
    assert await threads.find("other/slack", "story") is None


async def test_crash_before_the_thread_was_kept_begins_a_second_one(
    patient: ChannelBuilder,
) -> None:
    class Broken(ProcessMemory[Thread]):
        async def keep(self, *_: object) -> None:
            raise StreamError("the server is gone")

    async with FakeSlack() as slack:
        target = bot(slack)
        channel = SlackBotChannel(target, patient._wire, Composer(target), Broken())
        for source in ("First Paper", "Second Paper"):
            assert isinstance(await channel.deliver(told_by(source), NOW), Delivered)
    assert ["thread_ts" in message for message in slack.messages] == [False, False]


async def test_store_that_does_not_answer_costs_the_thread_and_not_the_alert(
    patient: ChannelBuilder,
) -> None:
    class Silent(ProcessMemory[Thread]):
        async def find(self, *_: object) -> Thread | None:
            raise StreamError("the server is gone")

    async with FakeSlack() as slack:
        target = bot(slack)
        channel = SlackBotChannel(target, patient._wire, Composer(target), Silent())
        assert isinstance(await channel.deliver(told_by("First Paper"), NOW), Delivered)


async def test_thread_that_was_deleted_is_begun_anew(patient: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        threads, target = ProcessMemory[Thread](), bot(slack)
        story = story_of(told_by("First Paper").alert.article)
        await threads.keep("desk/slack", story, Thread(channel="C1", ts="9.9"), NOW)
        channel = SlackBotChannel(target, patient._wire, Composer(target), threads)
        assert isinstance(await channel.deliver(told_by("First Paper"), NOW), Delivered)
        kept = await threads.find("desk/slack", story)
    assert slack.refused == ["thread_not_found"]
    assert kept is not None
    assert kept.ts == slack.ts_of(0)


async def test_count_that_cannot_be_updated_costs_nothing(patient: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        channel = patient.build(bot(slack))
        await channel.deliver(told_by("First Paper"), NOW)
        slack.answer(200, '{"ok": true, "channel": "C1", "ts": "1.2"}')
        slack.fail("cant_update_message")
        assert isinstance(await channel.deliver(told_by("Second Paper"), NOW), Delivered)
    assert slack.updates == []


async def say(patient: ChannelBuilder, slack: FakeSlack, **changes: object) -> Outcome:
    return await patient.build(bot(slack, **changes)).deliver(delivery(), NOW)


@pytest.mark.parametrize(
    ("error", "kind", "reason", "target"),
    [
        ("invalid_auth", Rejected, DeliveryReason.UNAUTHORIZED, True),
        ("token_revoked", Rejected, DeliveryReason.UNAUTHORIZED, True),
        ("missing_scope", Rejected, DeliveryReason.UNAUTHORIZED, True),
        ("channel_not_found", Rejected, DeliveryReason.GONE, True),
        ("not_in_channel", Rejected, DeliveryReason.GONE, True),
        ("is_archived", Rejected, DeliveryReason.GONE, True),
        ("something_new", Rejected, DeliveryReason.CLIENT_ERROR, False),
        ("internal_error", RetryLater, DeliveryReason.SERVER_ERROR, False),
        ("fatal_error", RetryLater, DeliveryReason.SERVER_ERROR, False),
        ("ratelimited", RetryLater, DeliveryReason.RATE_LIMITED, True),
    ],
)
async def test_error_strings_are_told_apart(
    error: str, kind: type, reason: DeliveryReason, target: bool, patient: ChannelBuilder
) -> None:
    async with FakeSlack() as slack:
        slack.fail(error)
        outcome = await say(patient, slack)
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Delivered)
    assert outcome.reason is reason
    assert (outcome.target if isinstance(outcome, Rejected) else outcome.lane) is target
    assert slack.requests == 1


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
async def test_refused_layout_is_posted_once_more_as_text(
    error: str, patient: ChannelBuilder
) -> None:
    async with FakeSlack() as slack:
        slack.fail(error)
        assert isinstance(await say(patient, slack), Delivered)
    [message] = slack.messages
    assert "blocks" not in message


async def test_text_refused_too_is_a_dead_letter(patient: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        slack.fail("invalid_blocks")
        slack.fail("no_text")
        outcome = await say(patient, slack)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is DeliveryReason.PAYLOAD_REFUSED
    assert slack.requests == 2


async def test_second_message_within_the_second_holds_the_lane(patient: ChannelBuilder) -> None:
    async with FakeSlack(pace=60) as slack:
        assert isinstance(await say(patient, slack), Delivered)
        outcome = await say(patient, slack)
    assert isinstance(outcome, RetryLater)
    assert (outcome.reason, outcome.lane) == (DeliveryReason.RATE_LIMITED, True)
    assert outcome.after is not None
    assert outcome.after.total_seconds() == 1


@pytest.mark.parametrize("text", ["", "ok", "[]", '{"ok": "yes"}', "\x00", "{" * 9000])
async def test_answer_that_is_none_of_slack_is_tried_again(
    text: str, patient: ChannelBuilder
) -> None:
    async with FakeSlack() as slack:
        slack.answer(200, text)
        outcome = await say(patient, slack)
    assert isinstance(outcome, RetryLater)
    assert outcome.reason is DeliveryReason.BAD_RESPONSE


async def test_slack_that_takes_a_message_and_says_nothing_is_tried_later(
    channels: ChannelBuilder,
) -> None:
    async with FakeSlack(hang=True) as slack:
        outcome = await say(channels, slack)
    assert isinstance(outcome, RetryLater)
    assert outcome.reason is DeliveryReason.TIMEOUT


async def test_token_is_in_no_outcome(patient: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        api = slack.api
        wrong = await say(patient, slack, token=Secret("xoxb-wrong"))
        assert isinstance(wrong, Rejected)
        assert "xoxb" not in repr(wrong)
    for broken in (api, api.replace("http", "ftp"), api.replace("127.0.0.1", "127.1")):
        async with FakeSlack() as slack:
            assert TOKEN not in repr(await say(patient, slack, api=broken))


async def test_template_writes_the_text_or_the_whole_message(patient: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        text = Template(subject="Hear", text="*{{ alert.title }}* <{{ alert.url }}|here>")
        assert isinstance(await say(patient, slack, template=text), Delivered)
        body = Template(body='{"blocks": [{"type": "divider"}]}')
        async with asyncio.timeout(5):
            await say(patient, slack, template=body)
    message = slack.messages[0]
    assert message["blocks"][0]["text"]["text"] == "Hear"
    assert message["blocks"][1]["text"]["text"].startswith("*Talks resume in Geneva* <http://")
    assert slack.refused == ["invalid_blocks"]


# --- an attempt whose answer was lost ---


async def lose_the_answer(slack: FakeSlack, sent: Delivery, builder: ChannelBuilder) -> None:
    slack.hang = True
    outcome = await builder.build(bot(slack)).deliver(sent, NOW)
    assert isinstance(outcome, RetryLater)
    slack.hang = False


async def test_message_that_an_attempt_posted_is_not_posted_again(
    channels: ChannelBuilder,
) -> None:
    first, second = told_by("First Paper"), told_by("Second Paper")
    async with FakeSlack() as slack:
        await lose_the_answer(slack, first, channels)
        channel = channels.build(bot(slack))
        found = await channel.deliver(replace(first, attempts=2), NOW)
        assert found == Delivered(status=200, response="an earlier attempt had posted it")
        await lose_the_answer(slack, second, channels)
        assert isinstance(await channel.deliver(replace(second, attempts=2), NOW), Delivered)
    root, reply = slack.messages
    assert "thread_ts" not in root
    assert reply["thread_ts"] == slack.ts_of(0)


async def test_digest_that_an_attempt_posted_is_not_posted_again(channels: ChannelBuilder) -> None:
    digest = CASES["digest"]()
    async with FakeSlack() as slack:
        await lose_the_answer(slack, digest, channels)
        again = await channels.build(bot(slack)).deliver(replace(digest, attempts=2), NOW)
    assert isinstance(again, Delivered)
    assert len(slack.messages) == 1


async def test_message_that_was_not_posted_is(channels: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        channel = channels.build(bot(slack))
        slack.fail("internal_error")
        await channel.deliver(told_by("First Paper"), NOW)
        another = await channel.deliver(told_by("Second Paper"), NOW)
        assert isinstance(another, Delivered)
        await channel.deliver(replace(told_by("First Paper"), attempts=2), NOW)
    assert len(slack.messages) == 2


async def test_bot_that_may_not_read_posts_again(channels: ChannelBuilder) -> None:
    async with FakeSlack(readable=False) as slack:
        await lose_the_answer(slack, told_by("First Paper"), channels)
        again = replace(told_by("First Paper"), attempts=2)
        assert isinstance(await channels.build(bot(slack)).deliver(again, NOW), Delivered)
    assert len(slack.messages) == 2


async def test_bot_that_is_to_read_later_waits_but_not_for_ever(channels: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        channel = channels.build(bot(slack))
        slack.answer(429, "", {"Retry-After": "30"})
        waits = await channel.deliver(replace(told_by("First Paper"), attempts=2), NOW)
        slack.answer(429, "", {"Retry-After": "30"})
        posts = await channel.deliver(replace(told_by("First Paper"), attempts=4), NOW)
    assert isinstance(waits, RetryLater)
    assert isinstance(posts, Delivered)
    assert len(slack.messages) == 1


@pytest.mark.parametrize(
    "said", ["[]", '{"ok": true, "messages": 3}', '{"ok": true, "messages": [3, {}]}']
)
async def test_answer_that_is_none_is_no_message(said: str, channels: ChannelBuilder) -> None:
    async with FakeSlack() as slack:
        slack.answer(200, said)
        again = replace(told_by("First Paper"), attempts=2)
        assert isinstance(await channels.build(bot(slack)).deliver(again, NOW), Delivered)
    assert len(slack.messages) == 1
