"""What docs/webhook.md shows is what is sent, and its code works."""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.channels import ChannelBuilder
from monitor.core.render import payload
from monitor.core.retry import WEBHOOK
from monitor.core.secret import Secret
from monitor.core.targets import WebhookTarget
from tests.factories import delivery
from tests.servers.hooks import HookServer

PAGE = (Path(__file__).parents[3] / "docs" / "webhook.md").read_text(encoding="utf-8")
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def block(language: str) -> str:
    [code] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(code)


def verifier() -> Callable[[str, dict[str, str], bytes], bool]:
    names: dict[str, Any] = {}
    exec(compile(block("python"), "docs/webhook.md", "exec"), names)  # noqa: S102 - our own page
    verify: Callable[[str, dict[str, str], bytes], bool] = names["verify"]
    return verify


def test_body_on_the_page_is_the_body_sent() -> None:
    assert json.loads(block("json")) == json.loads(payload(delivery()))


async def test_code_on_the_page_verifies_a_request(channels: ChannelBuilder) -> None:
    verify = verifier()
    other = "whsec_" + base64.b64encode(b"o" * 32).decode()
    async with HookServer() as hook:
        target = WebhookTarget(
            id="w", subscriber="s", url=hook.url, secrets=(Secret(other), Secret(SECRET))
        )
        await channels.build(target).deliver(delivery(), datetime.now(UTC))
        await channels.build(target).deliver(delivery(), datetime(2020, 1, 1, tzinfo=UTC))
    now, old = hook.received
    assert verify(SECRET, dict(now.headers), now.body)
    assert verify(other, dict(now.headers), now.body)
    assert not verify(SECRET, dict(now.headers), now.body + b" ")
    assert not verify("whsec_" + base64.b64encode(b"x" * 32).decode(), dict(now.headers), now.body)
    assert not verify(SECRET, dict(old.headers), old.body)


def test_schedule_on_the_page_is_the_schedule() -> None:
    said = re.search(r"after (5 s.*?), each a fifth", PAGE)
    assert said is not None
    units = {"s": 1, "min": 60, "h": 3600}
    waits = [part.split() for part in re.split(r", | and ", said[1])]
    assert [int(number) * units[unit] for number, unit in waits] == [
        wait.total_seconds() for wait in WEBHOOK
    ]
