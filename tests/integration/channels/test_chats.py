"""Teams, Discord, Mattermost, Telegram and ntfy: what they are sent, and what their answers mean."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from monitor.channels import ChannelBuilder
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.secret import Secret
from monitor.core.targets import (
    DiscordTarget,
    MattermostTarget,
    NtfyTarget,
    Target,
    TeamsTarget,
    TelegramTarget,
    Template,
)
from tests.factories import NOW, delivery
from tests.servers.hooks import HookServer, Reply
from tests.unit.render.cases import CASES

OK = {
    "teams": Reply(status=202, text=""),
    "discord": Reply(status=204, text=""),
    "mattermost": Reply(text="ok"),
    "telegram": Reply(text='{"ok":true,"result":{}}'),
    "ntfy": Reply(text='{"id":"x"}'),
}


def targets(url: str, template: Template) -> Mapping[str, Target]:
    who: dict[str, Any] = {"id": "desk/chat", "subscriber": "desk", "template": template}
    return {
        "teams": TeamsTarget(webhook_url=Secret(url), **who),
        "discord": DiscordTarget(webhook_url=Secret(url), **who),
        "mattermost": MattermostTarget(webhook_url=Secret(url), **who),
        "telegram": TelegramTarget(token=Secret("1:tok"), chat="-100", api=url, **who),
        "ntfy": NtfyTarget(topic=Secret("hidden"), url=url, token=Secret("tk_x"), **who),
    }


async def send(
    channels: ChannelBuilder,
    kind: str,
    *replies: Reply,
    case: Callable[..., Any] = delivery,
    template: Template | None = None,
) -> tuple[Outcome, list[Mapping[str, Any]]]:
    async with HookServer(default=OK[kind]) as server:
        server.reply(*replies)
        target = targets(server.url, template or Template())[kind]
        outcome = await channels.build(target).deliver(case(), NOW)
        if kind == "telegram":
            assert server.received[0].path == "/hook/bot1:tok/sendMessage"
        if kind == "ntfy":
            assert server.received[0].headers["authorization"] == "Bearer tk_x"
        return outcome, [json.loads(each.body) for each in server.received]


@pytest.mark.parametrize("kind", OK)
async def test_message_says_the_alert(kind: str, patient: ChannelBuilder) -> None:
    outcome, [body] = await send(patient, kind)
    assert isinstance(outcome, Delivered)
    said = json.dumps(body)
    for words in ("Talks", "resume in Geneva", "Delegates", "Example World", "news.example"):
        assert words in said


async def test_body_has_what_the_service_wants(patient: ChannelBuilder) -> None:
    _, [body] = await send(patient, "telegram")
    assert (body["chat_id"], body["parse_mode"]) == ("-100", "HTML")
    assert body["link_preview_options"] == {"is_disabled": True}
    _, [body] = await send(patient, "ntfy")
    assert (body["topic"], body["priority"]) == ("hidden", 3)
    _, [body] = await send(patient, "discord")
    assert body["allowed_mentions"] == {"parse": []}
    _, [body] = await send(patient, "teams")
    assert body["attachments"][0]["content"]["type"] == "AdaptiveCard"


@pytest.mark.parametrize("kind", OK)
async def test_refused_layout_is_sent_once_more_plain(kind: str, patient: ChannelBuilder) -> None:
    outcome, [full, plain] = await send(patient, kind, Reply(status=413, text="{}"))
    assert isinstance(outcome, Delivered)
    assert len(json.dumps(plain)) < len(json.dumps(full))
    assert "Talks resume in Geneva" in json.dumps(plain)
    outcome, bodies = await send(
        patient, kind, Reply(status=413, text="{}"), Reply(status=413, text="{}")
    )
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.target) == (DeliveryReason.PAYLOAD_REFUSED, False)
    assert len(bodies) == 2


@pytest.mark.parametrize(
    ("kind", "status", "answer"),
    [
        ("teams", 400, {"error": {"code": "WorkflowTriggerIsNotEnabled"}}),
        ("teams", 404, {}),
        ("teams", 401, {"error": "text"}),
        ("discord", 404, {"code": 10015, "message": "Unknown Webhook"}),
        ("discord", 401, {"code": 50027, "message": "Invalid Webhook Token"}),
        ("mattermost", 400, {"id": "web.incoming_webhook.invalid.app_error"}),
        ("mattermost", 501, {"id": "web.incoming_webhook.disabled.app_error"}),
        ("telegram", 400, {"ok": False, "description": "Bad Request: chat not found"}),
        ("telegram", 403, {"ok": False, "description": "Forbidden: bot was blocked by the user"}),
        ("telegram", 401, {"ok": False, "description": "Unauthorized"}),
        ("ntfy", 403, {"error": "forbidden"}),
    ],
)
async def test_target_that_is_no_more_is_refused_as_a_target(
    kind: str, status: int, answer: Mapping[str, Any], patient: ChannelBuilder
) -> None:
    outcome, bodies = await send(patient, kind, Reply(status=status, text=json.dumps(answer)))
    assert isinstance(outcome, Rejected)
    assert outcome.target
    assert outcome.reason in {DeliveryReason.GONE, DeliveryReason.UNAUTHORIZED}
    assert len(bodies) == 1


@pytest.mark.parametrize(
    ("kind", "answer", "headers", "after"),
    [
        ("discord", {"retry_after": 1.25}, {"Retry-After": "2"}, 1.25),
        ("discord", {"retry_after": "x"}, {"Retry-After": "2"}, 2),
        ("discord", {"retry_after": -5}, {}, 0),
        ("telegram", {"ok": False, "parameters": {"retry_after": 35}}, {}, 35),
        ("telegram", {"ok": False, "parameters": []}, {"Retry-After": "7"}, 7),
        ("teams", {}, {"Retry-After": "9"}, 9),
        ("mattermost", {}, {"Retry-After": "9"}, 9),
        ("ntfy", {"error": "limit reached"}, {"Retry-After": "9"}, 9),
    ],
)
async def test_service_that_is_busy_holds_the_lane_as_long_as_it_says(
    kind: str,
    answer: Mapping[str, Any],
    headers: Mapping[str, str],
    after: float,
    patient: ChannelBuilder,
) -> None:
    reply = Reply(status=429, text=json.dumps(answer), headers=headers)
    outcome, _ = await send(patient, kind, reply)
    assert isinstance(outcome, RetryLater)
    assert outcome.lane
    assert outcome.after == timedelta(seconds=after)


@pytest.mark.parametrize("text", ["", "ok", "[]", "{", '{"ok":false}'])
async def test_answer_that_telegram_does_not_give_is_no_delivery(
    text: str, patient: ChannelBuilder
) -> None:
    outcome, _ = await send(patient, "telegram", Reply(text=text))
    assert isinstance(outcome, RetryLater)
    assert outcome.reason is DeliveryReason.BAD_RESPONSE


@pytest.mark.parametrize("kind", OK)
@pytest.mark.parametrize("case", CASES)
async def test_any_message_fits(kind: str, case: str, patient: ChannelBuilder) -> None:
    outcome, bodies = await send(patient, kind, case=CASES[case])
    assert isinstance(outcome, Delivered)
    assert len(bodies) == 1


async def test_template_writes_what_the_service_shows(patient: ChannelBuilder) -> None:
    template = Template(subject="Hear, {{ count }}", text="{{ alert.title }} <b>!</b>")
    said: dict[str, Mapping[str, Any]] = {}
    for kind in OK:
        _, [body] = await send(patient, kind, template=template)
        said[kind] = body
    assert said["teams"]["attachments"][0]["content"]["body"][0]["inlines"][0]["text"] == "Hear, 1"
    assert said["discord"]["embeds"][0]["title"] == "Hear, 1"
    assert said["ntfy"]["title"] == "Hear, 1"
    assert said["telegram"]["text"] == "Talks resume in Geneva <b>!</b>"
    assert said["mattermost"]["attachments"][0]["text"] == "Talks resume in Geneva <b>!</b>"
    own = Template(body='{"content": "{{ alert.title }}"}')
    _, [whole] = await send(patient, "discord", template=own)
    assert whole == {"content": "Talks resume in Geneva"}


async def test_template_that_fails_gives_way_and_says_so(patient: ChannelBuilder) -> None:
    template = Template(text="{{ alert.rules[5].name }}")
    outcome, [body] = await send(patient, "ntfy", template=template)
    assert isinstance(outcome, Delivered)
    assert outcome.response.startswith("template failed, the usual words were sent: text: line 1")
    assert "Delegates" in body["message"]
