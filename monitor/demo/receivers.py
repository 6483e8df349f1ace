"""The far ends of the demo: a webhook receiver that checks signatures, one that behaves like Slack, and a mailbox."""

import base64
import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

from aiohttp import web

from monitor.demo.site import serving
from monitor.demo.smtp import open_mailbox

_TOLERANCE = timedelta(minutes=5)  # Standard Webhooks: an older or newer timestamp is a replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one request or letter came to.

    `path` is that of the article it speaks of; `tries` counts how often this delivery was seen; `refused` says why it
    was not taken, if so.
    """

    subscriber: str
    path: str
    tries: int = 1
    refused: str = ""


Tell = Callable[[Receipt], None]


class WebhookReceiver:
    """Takes signed alerts, after answering 503 to the first `outage` of them."""

    def __init__(self, subscriber: str, site: str, secret: str, outage: int, tell: Tell) -> None:
        self._subscriber = subscriber
        self._site = site
        self._secret = secret
        self._outage = outage
        self._tell = tell
        self._tries: Counter[str] = Counter()

    async def receive(self, request: web.Request) -> web.Response:
        """Take an alert if its signature is ours and the planned outage is over."""
        body = await request.read()
        delivery = request.headers.get("webhook-id", "")
        self._tries[delivery] += 1
        path = article_path(body.decode(), self._site)
        if not is_signed(request.headers.get, body, self._secret, datetime.now(UTC)):
            return self._answer(401, delivery, path, "signature refused")
        if self._outage:
            self._outage -= 1
            return self._answer(503, delivery, path, "503")
        return self._answer(204, delivery, path)

    def _answer(self, status: int, delivery: str, path: str, refused: str = "") -> web.Response:
        tries = self._tries[delivery]
        self._tell(Receipt(subscriber=self._subscriber, path=path, tries=tries, refused=refused))
        headers = {"Retry-After": "1"} if status == web.HTTPServiceUnavailable.status_code else None
        return web.Response(status=status, headers=headers)


class SlackReceiver:
    """Takes what an incoming webhook of Slack takes: JSON with a text or blocks; answers `ok` or `invalid_payload`."""

    def __init__(self, subscriber: str, site: str, tell: Tell) -> None:
        self._subscriber = subscriber
        self._site = site
        self._tell = tell

    async def receive(self, request: web.Request) -> web.Response:
        """Take a message."""
        body = await request.text()
        refused = "" if _is_message(body) else "invalid_payload"
        for each in _receipts(self._subscriber, body, self._site, refused):
            self._tell(each)
        return web.Response(status=400 if refused else 200, text=refused or "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the receivers are."""

    webhook: str
    slack: str
    smtp_host: str
    smtp_port: int


@asynccontextmanager
async def open_receivers(
    webhook: WebhookReceiver, slack: SlackReceiver, mailbox: Callable[[bytes], None]
) -> AsyncIterator[Addresses]:
    """Serve all three on free ports of loopback."""
    routes = [
        web.post("/alerts", webhook.receive),
        web.post("/services/T0DEMO/B0DEMO/press-office", slack.receive),
    ]
    async with serving(routes) as site, open_mailbox(mailbox) as (host, port):
        yield Addresses(
            webhook=f"{site}/alerts",
            slack=f"{site}/services/T0DEMO/B0DEMO/press-office",
            smtp_host=host,
            smtp_port=port,
        )


def read_letter(letter: bytes, subscriber: str, site: str) -> Sequence[Receipt]:
    """Return what a letter speaks of: one receipt for each article."""
    message = message_from_bytes(letter, policy=policy.default)
    text = message.get_body(("plain", "html"))
    content = text.get_content() if text else ""
    return _receipts(subscriber, content, site)


def article_path(text: str, site: str) -> str:
    """Return the path of the first article of `site` that `text` links to, or nothing."""
    return next(iter(_article_paths(text, site)), "")


def _article_paths(text: str, site: str) -> Sequence[str]:
    """Return the paths of all articles of `site` that `text` links to, each once: a digest has several."""
    return tuple(dict.fromkeys(re.findall(rf"{re.escape(site)}(/[a-z0-9-]+/[a-z0-9-]+)", text)))


def _receipts(subscriber: str, text: str, site: str, refused: str = "") -> Sequence[Receipt]:
    return [
        Receipt(subscriber=subscriber, path=path, refused=refused)
        for path in _article_paths(text, site) or ("",)
    ]


def is_signed(header: Callable[[str], str | None], body: bytes, secret: str, now: datetime) -> bool:
    """Check a Standard Webhooks signature, as any receiver would: id, timestamp and body, HMAC-SHA256, base64."""
    name, stamp = header("webhook-id") or "", header("webhook-timestamp") or ""
    if not stamp.isdecimal() or abs(now.timestamp() - int(stamp)) > _TOLERANCE.total_seconds():
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    given = (header("webhook-signature") or "").split()
    return any(hmac.compare_digest(expected, each) for each in given)


def _is_message(body: str) -> bool:
    try:
        message = json.loads(body)
    except ValueError:
        return False
    return isinstance(message, dict) and bool(message.get("text") or message.get("blocks"))
