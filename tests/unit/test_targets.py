from dataclasses import fields
from typing import Any

import pytest

from monitor.core.secret import Secret
from monitor.core.targets import (
    AppriseTarget,
    ConsoleTarget,
    DiscordTarget,
    EmailTarget,
    MattermostTarget,
    NtfyTarget,
    SlackBotTarget,
    SlackTarget,
    SmtpRelay,
    Target,
    TeamsTarget,
    TelegramTarget,
    WebhookTarget,
    kind_of,
    secrets_of,
)

ONE, TWO = Secret("not-to-be-seen"), Secret("nor-this")
WHO: dict[str, Any] = {"id": "desk/x", "subscriber": "desk"}
RELAY = SmtpRelay(host="h", port=25)
LOGIN = SmtpRelay(host="h", port=25, username="u", password=ONE)


@pytest.mark.parametrize(
    ("target", "kind", "secrets"),
    [
        (ConsoleTarget(**WHO), "console", []),
        (SlackTarget(**WHO, webhook_url=ONE), "slack", [ONE]),
        (SlackBotTarget(**WHO, token=ONE, channel="C1"), "slackbot", [ONE]),
        (TeamsTarget(**WHO, webhook_url=ONE), "teams", [ONE]),
        (DiscordTarget(**WHO, webhook_url=ONE), "discord", [ONE]),
        (MattermostTarget(**WHO, webhook_url=ONE), "mattermost", [ONE]),
        (TelegramTarget(**WHO, token=ONE, chat="1"), "telegram", [ONE]),
        (NtfyTarget(**WHO, topic=ONE), "ntfy", [ONE]),
        (NtfyTarget(**WHO, topic=ONE, token=TWO), "ntfy", [ONE, TWO]),
        (AppriseTarget(**WHO, url=ONE), "apprise", [ONE]),
        (EmailTarget(**WHO, to="a@b", sender="c@d", smtp=RELAY), "email", []),
        (EmailTarget(**WHO, to="a@b", sender="c@d", smtp=LOGIN), "email", [ONE]),
        (WebhookTarget(**WHO, url="u", secrets=(ONE, TWO)), "webhook", [ONE, TWO]),
        (WebhookTarget(**WHO, url="u", headers={"authorization": "nor-this"}), "webhook", [TWO]),
    ],
)
def test_every_secret_of_a_target_is_known_and_none_is_shown(
    target: Target, kind: str, secrets: list[Secret]
) -> None:
    assert kind_of(target) == kind
    assert [each.reveal() for each in secrets_of(target)] == [each.reveal() for each in secrets]
    assert not any(each.reveal() in repr(target) for each in secrets)
    named = {field.name for field in fields(target)}
    assert {"id", "subscriber", "template", "gap"} <= named
