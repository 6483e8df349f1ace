"""One story to every kind of target, as the daemon sends it: what arrives, how often, and what must stay secret."""

import base64
import email.policy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks import Webhook

from tests import configuration
from tests.acceptance.daemon import Daemon, monitor, running
from tests.servers.hooks import HookServer, Received
from tests.servers.newsroom import Newsroom, Story
from tests.servers.slack import FakeSlack
from tests.servers.smtp import PASSWORD, USER, MailServer
from tests.wait import wait_until

NEW_KEY = "whsec_" + base64.b64encode(b"the newest of two keys, 32 bytes").decode()
OLD_KEY = "whsec_" + base64.b64encode(b"the older one, 24 bytes.").decode()
AUTHORIZATION = "Bearer a-token-nobody-may-see"
STORY = Story(1, "talks resume in Geneva")
TITLE = "Story 1: talks resume in Geneva"
TARGETS = ("desk/console", "desk/slack", "desk/email", "desk/webhook")


@dataclass
class Receivers:
    """A newsroom, and everyone it reports to."""

    newsroom: Newsroom
    slack: FakeSlack
    mail: MailServer
    hook: HookServer

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.slack.url, PASSWORD, NEW_KEY, OLD_KEY, AUTHORIZATION)

    @property
    def environment(self) -> dict[str, str]:
        return {"MAIL_PASSWORD": PASSWORD, "OLD_KEY": OLD_KEY, "HOOK_AUTHORIZATION": AUTHORIZATION}

    def write(self, directory: Path) -> Path:
        """Write a configuration with each secret in a file or in the environment."""
        config = configuration.write(
            directory / "config",
            monitor={"store": {"directory": str(directory / "data")}},
            feeds={
                "one": {
                    "url": f"{self.newsroom.base}/feeds/one.xml",
                    "every": "200ms",
                    "since": "30d",
                }
            },
            rules={"talks-rule": "talks"},
            subscribers={"desk": list(self._targets())},
        )
        (config / "slack-url").write_text(f"{self.slack.url}\n")
        (config / "new-key").write_text(f"{NEW_KEY}\n")
        return config

    def _targets(self) -> Iterator[Mapping[str, Any]]:
        yield {"console": {}}
        yield {"slack": {"webhook_url_file": "slack-url"}}
        relay = {
            "host": "127.0.0.1",
            "port": self.mail.port,
            "tls": "starttls",
            "verify": False,
            "username": USER,
            "password_env": "MAIL_PASSWORD",
        }
        addresses = {"to": "desk@news.example", "from": "monitor@news.example"}
        yield {"email": addresses | {"smtp": relay}}
        yield {
            "webhook": {
                "url": self.hook.url,
                "secret_file": "new-key",
                "previous_secret_env": "OLD_KEY",
                "authorization_env": "HOOK_AUTHORIZATION",
            }
        }


async def test_one_story_arrives_once_at_every_kind_of_target_and_no_secret_is_shown(
    tmp_path: Path,
) -> None:
    async with (
        Newsroom().open() as newsroom,
        FakeSlack() as slack,
        MailServer(security="starttls", login=True) as mail,
        HookServer() as hook,
    ):
        receivers = Receivers(newsroom, slack, mail, hook)
        # A failure is where a secret slips out most easily: into the detail of an attempt, or a log line.
        slack.answer(429, "rate_limited", {"Retry-After": "1"})
        config = receivers.write(tmp_path)
        newsroom.feeds["one"] = [STORY]
        async with running("--config", config, env=receivers.environment) as daemon:
            for target in TARGETS:
                await daemon.wait_for("delivery_delivered", target=target)
            polls = len(daemon.logged("feed_polled"))
            await wait_until(
                lambda: len(daemon.logged("feed_polled")) > polls + 3, "the feed is polled again"
            )
            check_slack(slack)
            (message,) = mail.mail
            check_mail(message.content, encrypted=message.encrypted)
            (request,) = hook.received
            check_webhook(request)
            check_console(daemon.printed)
            await check_replayed_mail_is_the_same(daemon, config, receivers)
            shown = "".join(show_everything(config, receivers.environment))
            shown += await metrics(daemon)
            assert await daemon.end() == 0
        kept = b"".join(p.read_bytes() for p in (tmp_path / "data").rglob("*") if p.is_file())
    shown += daemon.printed + "".join(daemon.raw)
    assert all(target in shown for target in TARGETS)
    assert TITLE.encode() in kept
    for secret in receivers.secrets:
        assert secret not in shown
        assert secret.encode() not in kept


def check_slack(slack: FakeSlack) -> None:
    (message,) = slack.messages
    assert slack.refused == []
    assert TITLE in json.dumps(message)
    assert "talks-rule" in json.dumps(message)


def check_mail(content: bytes, *, encrypted: bool) -> None:
    assert encrypted
    message = email.message_from_bytes(content, EmailMessage, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert TITLE in message["Subject"]
    assert (message["To"], message["From"]) == ("desk@news.example", "monitor@news.example")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "<talks-rule.rules.news.example>"
    assert message["Message-ID"].endswith("@news.example>")
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        assert part is not None
        assert "resume in Geneva" in part.get_content()


def check_webhook(request: Received) -> None:
    assert request.headers["authorization"] == AUTHORIZATION
    for key in (NEW_KEY, OLD_KEY):
        assert Webhook(key).verify(request.body, dict(request.headers))
    event = from_http_event(HTTPMessage(dict(request.headers), request.body))
    assert event.get_type() == "monitor.alert.v1"
    assert event.get_id() == request.headers["webhook-id"]
    said = event.get_data()
    assert isinstance(said, dict)
    assert said["article"]["title"] == TITLE
    assert [match["rule"] for match in said["matches"]] == ["talks-rule"]


def check_console(printed: str) -> None:
    assert printed.count(TITLE) == 1
    assert "talks-rule" in printed
    assert "\x1b" not in printed


async def check_replayed_mail_is_the_same(
    daemon: Daemon, config: Path, receivers: Receivers
) -> None:
    """A mailbox knows a repetition by the Message-ID."""
    delivered = daemon.logged("delivery_delivered", target="desk/email")[0]["delivery"]
    replayed = monitor(
        "deliveries", "replay", delivered, "--config", config, **receivers.environment
    )
    assert replayed.returncode == 0, replayed.stderr
    await wait_until(lambda: len(receivers.mail.mail) == 2, "the mail comes again")
    first, second = receivers.mail.mail
    assert first.content == second.content


def show_everything(config: Path, env: dict[str, str]) -> Iterator[str]:
    """Yield what every command says that looks at the configuration or the store."""
    yield said("check", config=config, env=env)
    yield said("status", config=config, env=env)
    listed = said("deliveries", "list", config=config, env=env)
    yield listed
    for line in listed.splitlines()[1:]:
        yield said("deliveries", "show", line.split()[0], config=config, env=env)


def said(*words: str, config: Path, env: dict[str, str]) -> str:
    done = monitor(*words, "--config", config, **env)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


async def metrics(daemon: Daemon) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{await daemon.address()}/metrics") as answer,
    ):
        return await answer.text()
