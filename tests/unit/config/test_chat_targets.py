"""Targets that are one request: from the file to the record, secrets included."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from monitor.config.explain import explain
from monitor.config.load import load
from monitor.core.secret import Secret
from monitor.core.targets import (
    AppriseTarget,
    DiscordTarget,
    MattermostTarget,
    NtfyTarget,
    SlackBotTarget,
    SlackTarget,
    Target,
    TeamsTarget,
    TelegramTarget,
    Template,
    secrets_of,
)
from monitor.errors import ConfigError
from tests import configuration

URL = "https://hooks.example.org/T/B"
TOKEN = "123:a-token"
ENVIRONMENT = {"URL": URL, "TOKEN": TOKEN, "TOPIC": "hidden-topic", "APPRISE": "json://h/secret"}
WHO: dict[str, Any] = {"subscriber": "desk"}
CASES: list[tuple[Mapping[str, Any], Target]] = [
    (
        {"slack": {"webhook_url_env": "URL"}},
        SlackTarget(id="desk/slack", webhook_url=Secret(URL), **WHO),
    ),
    (
        {"slack": {"token_env": "TOKEN", "channel": "C1"}},
        SlackBotTarget(id="desk/slack", token=Secret(TOKEN), channel="C1", **WHO),
    ),
    (
        {"teams": {"webhook_url_env": "URL"}},
        TeamsTarget(id="desk/teams", webhook_url=Secret(URL), **WHO),
    ),
    (
        {"discord": {"webhook_url_env": "URL"}},
        DiscordTarget(id="desk/discord", webhook_url=Secret(URL), **WHO),
    ),
    (
        {"mattermost": {"webhook_url_env": "URL"}},
        MattermostTarget(id="desk/mattermost", webhook_url=Secret(URL), **WHO),
    ),
    (
        {"telegram": {"token_env": "TOKEN", "chat": -100123}},
        TelegramTarget(id="desk/telegram", token=Secret(TOKEN), chat="-100123", **WHO),
    ),
    (
        {"telegram": {"token_env": "TOKEN", "chat": "@news", "api": "https://bot.example.org"}},
        TelegramTarget(
            id="desk/telegram",
            token=Secret(TOKEN),
            chat="@news",
            api="https://bot.example.org",
            **WHO,
        ),
    ),
    (
        {"ntfy": {"topic_env": "TOPIC", "token_env": "TOKEN", "url": "https://ntfy.example.org"}},
        NtfyTarget(
            id="desk/ntfy",
            topic=Secret("hidden-topic"),
            url="https://ntfy.example.org",
            token=Secret(TOKEN),
            **WHO,
        ),
    ),
    (
        {"ntfy": {"topic_env": "TOPIC"}},
        NtfyTarget(id="desk/ntfy", topic=Secret("hidden-topic"), **WHO),
    ),
    (
        {"apprise": {"url_env": "APPRISE"}},
        AppriseTarget(id="desk/apprise", url=Secret("json://h/secret"), **WHO),
    ),
]


@pytest.mark.parametrize(("written", "expected"), CASES)
def test_target_is_read_with_its_secrets(
    written: Mapping[str, Any], expected: Target, tmp_path: Path
) -> None:
    config = configuration.write(tmp_path, subscribers={"desk": [written]})
    settings = load(config, ENVIRONMENT)
    assert settings.targets == (expected,)
    assert settings.secrets == tuple(secrets_of(expected))
    assert all(value not in repr(settings.targets) for value in ENVIRONMENT.values())


def test_template_is_read_from_the_file_and_beside_it(tmp_path: Path) -> None:
    template = {"subject": "{{ alert.title }}", "text_file": "words.txt"}
    (tmp_path / "words.txt").write_text("{{ alert.source }}\n")
    ntfy = {"ntfy": {"topic_env": "TOPIC"}, "template": template}
    config = configuration.write(tmp_path, subscribers={"desk": [ntfy]})
    [target] = load(config, ENVIRONMENT).targets
    assert target.template == Template(subject="{{ alert.title }}", text="{{ alert.source }}\n")


def test_apprise_is_missed_where_it_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.config.secrets.find_spec", lambda _name: None)
    apprise = {"apprise": {"url_env": "APPRISE"}}
    config = configuration.write(tmp_path, subscribers={"desk": [apprise]})
    with pytest.raises(ConfigError) as caught:
        load(config, ENVIRONMENT)
    assert "pip install 'monitor[apprise]'" in explain(caught.value)
    assert "json://" not in explain(caught.value)


def test_address_of_the_web_endpoint_and_key_are_read(tmp_path: Path) -> None:
    web = {"public_url": "https://monitor.example.org", "link_key_env": "KEY"}
    config = configuration.write(tmp_path, monitor={"web": web})
    settings = load(config, {"KEY": "k" * 40})
    assert settings.web.public_url == "https://monitor.example.org"
    assert settings.web.link_key == Secret("k" * 40)
    assert Secret("k" * 40) in settings.secrets
