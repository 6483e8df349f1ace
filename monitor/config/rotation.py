"""A new secret for a webhook, written where the configuration looks for it, while the old one stays in use."""

import base64
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.config import records
from monitor.config.files import read_all
from monitor.config.subscriberschema import WebhookSettings
from monitor.errors import MonitorError

_BYTES = 32
_TEACH = "give the new secret to the receiver; until it has it, the signature by the old one counts"


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new secret, and what is to be done with it in words, step by step."""

    secret: str
    steps: Sequence[str]


def rotate(directory: Path, target_id: str) -> Rotation:
    """Make a new secret for a webhook of the configuration in `directory`; raise `MonitorError` where there is none.

    With files for the new and the previous secret both are replaced, so that nothing of the configuration changes.
    With one file the new secret is written beside it. Into the environment nothing can be written.
    """
    settings = _webhook(directory, target_id)
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(_BYTES)).decode()}"
    if settings.secret_file and settings.previous_secret_file:
        steps = _replace(directory, settings.secret_file, settings.previous_secret_file, secret)
    elif settings.secret_file:
        steps = _write_beside(directory, settings.secret_file, secret)
    else:
        steps = _explain(settings)
    return Rotation(secret, steps)


def _webhook(directory: Path, target_id: str) -> WebhookSettings:
    for source in read_all(directory, []).subscribers:
        for subscriber in source.settings.subscribers:
            for target in subscriber.targets:
                if records.target_id(subscriber.name, target) == target_id and target.webhook:
                    return target.webhook
    raise MonitorError(
        f"{target_id} is no webhook of the files in {directory}; only webhooks sign with a secret"
    )


def _replace(directory: Path, current: str, previous: str, secret: str) -> Sequence[str]:
    old = (directory / current).read_text(encoding="utf-8")
    _write(directory / previous, old)  # first: dying here, both files hold the secret in use
    _write(directory / current, f"{secret}\n")
    return (
        f"it stands in {current}, and the one before in {previous}",
        "1. put both in force: send SIGHUP to every `monitor run` that delivers",
        f"2. {_TEACH}",
        "3. rotate again no sooner than that: the older of the two is then forgotten",
    )


def _write_beside(directory: Path, current: str, secret: str) -> Sequence[str]:
    beside = f"{current}.new"
    if (directory / beside).exists():
        raise MonitorError(f"{beside} is there already: finish that rotation, or delete the file")
    _write(directory / beside, f"{secret}\n")
    return (
        f"it stands in {beside}, which only its owner can read",
        "1. in the webhook of this target write both; a running monitor takes that up by itself:",
        f"     secret_file: {beside}",
        f"     previous_secret_file: {current}",
        f"2. {_TEACH}",
        "3. then remove the line previous_secret_file, and the file",
    )


def _explain(settings: WebhookSettings) -> Sequence[str]:
    current = settings.secret_env
    if not current:
        return (
            "the target has no secret yet; write this one into a file, and in its webhook:",
            "     secret_file: that file, relative to the configuration",
        )
    older = settings.previous_secret_env or f"{current}_PREVIOUS"
    line = () if settings.previous_secret_env else (f"     previous_secret_env: {older}",)
    return (
        "1. set the variables, and restart every `monitor run` that delivers:",
        f"     {older}=what {current} is now",
        f"     {current}=the new secret",
        *(("   and in the webhook of this target:", *line) if line else ()),
        f"2. {_TEACH}",
        f"3. then remove {older}",
    )


def _write(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner alone."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)
