"""Alerts as signed POST requests: Standard Webhooks headers around a CloudEvents body. See docs/webhook.md."""

from datetime import datetime

import msgspec

from monitor.channels.exchange import Answer
from monitor.channels.http import outcome, post
from monitor.channels.post import noted, own_body
from monitor.channels.signing import Signer
from monitor.channels.wire import Wire
from monitor.core.model import Delivery
from monitor.core.outcome import Outcome
from monitor.core.render import message_id, payload
from monitor.core.render.template import Composer
from monitor.core.targets import WebhookTarget

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_OURS = frozenset({"content-type", "webhook-id", "webhook-timestamp", "webhook-signature"})


class WebhookChannel:
    """One receiver of signed POST requests."""

    def __init__(self, target: WebhookTarget, wire: Wire, composer: Composer) -> None:
        """Take a wire that the caller closes; raise `ValueError` for a secret that cannot be used."""
        self._target = target
        self._wire = wire
        self._composer = composer
        self._signer = Signer(target.secrets)
        self._extra = {n: v for n, v in target.headers.items() if n.lower() not in _OURS}

    async def deliver(self, delivery: Delivery, now: datetime) -> Outcome:
        """Send the alert. Body and id are the same on every attempt; the timestamp, and so the signature, is not."""
        told = self._composer.compose(delivery) if self._target.template.body else None
        own = own_body(told) if told else None
        body = msgspec.json.encode(own) if own else payload(delivery)
        headers = self._headers(message_id(delivery), int(now.timestamp()), body)
        if own:
            headers |= {"content-type": "application/json; charset=utf-8"}
        answer = await post(self._wire, self._target.url, body, headers)
        judged = outcome(answer, now) if isinstance(answer, Answer) else answer
        return noted(judged, told) if told else judged

    async def close(self) -> None:
        """Do nothing: the wire is shared."""

    def _headers(self, message: str, timestamp: int, body: bytes) -> dict[str, str]:
        signature = self._signer.sign(message, timestamp, body)
        return {
            **self._extra,
            "content-type": CONTENT_TYPE,
            "webhook-id": message,
            "webhook-timestamp": str(timestamp),
            **({"webhook-signature": signature} if signature else {}),
        }
