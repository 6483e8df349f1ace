import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.config.secrets import SecretSource, check_signing_key
from monitor.config.subscriberschema import SlackSettings, WebhookSettings
from monitor.config.values import WrongValueError
from monitor.core.secret import Secret


def test_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2"
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret == Secret("hunter2")
    assert secret != Secret("other")
    assert secret != "hunter2"
    assert len({secret, Secret("hunter2")}) == 1


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy])
def test_secret_is_not_copied_out(leak: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError):
        leak(Secret("hunter2"))


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"value", "value"),
        (b"value\n", "value"),
        (b"value\r\n", "value"),
        ("пароль\n".encode(), "пароль"),
        (b" kept blanks ", " kept blanks "),
    ],
)
def test_one_line_end_is_no_part_of_the_secret(tmp_path: Path, content: Any, secret: str) -> None:
    (tmp_path / "s").write_bytes(content)
    found = SecretSource(tmp_path, {}).get(SlackSettings(webhook_url_file="s"), "webhook_url")
    assert found == Secret(secret)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n", "the file is empty"),
        (b"two\nlines\n", "the file is not one line of at most 8192 characters"),
        (b"x" * 8193, "the file is not one line of at most 8192 characters"),
        (b"\xff\xfe", "the file is not a text in UTF-8"),
    ],
)
def test_file_that_holds_no_secret_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    (tmp_path / "s").write_bytes(content)
    with pytest.raises(WrongValueError) as caught:
        SecretSource(tmp_path, {}).get(SlackSettings(webhook_url_file="s"), "webhook_url")
    assert (caught.value.message, caught.value.key) == (message, "webhook_url_file")


@pytest.mark.parametrize("path", [".", "no/such/file", "with\0nul"])
def test_path_that_cannot_be_read_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(WrongValueError):
        SecretSource(tmp_path, {}).get(SlackSettings(webhook_url_file=path), "webhook_url")


def test_secret_that_is_required_is_never_absent(tmp_path: Path) -> None:
    with pytest.raises(WrongValueError):
        SecretSource(tmp_path, {}).require(SlackSettings.model_construct(), "webhook_url", str)


def test_secret_without_a_source_is_none(tmp_path: Path) -> None:
    settings = WebhookSettings(url="https://x.example")
    assert SecretSource(tmp_path, {}).get(settings, "secret") is None


@pytest.mark.parametrize("text", ["whsec_" + "A" * 32, "whsec_" + "A" * 84 + "AA=="])
def test_signing_key_of_24_to_64_bytes_is_usable(text: str) -> None:
    check_signing_key(text)


@pytest.mark.parametrize(
    "text",
    [
        "whsec_" + "A" * 28,
        "whsec_" + "A" * 88,
        "A" * 32,
        "whsec_" + "!" * 32,
        "whsec_ключ",
    ],
)
def test_signing_key_that_standard_webhooks_refuses_is_refused_unquoted(text: str) -> None:
    with pytest.raises(WrongValueError) as caught:
        check_signing_key(text)
    assert text.removeprefix("whsec_") not in caught.value.message
