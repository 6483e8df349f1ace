"""Signed links by which a reader acts from a message: snooze, switch to a digest, unsubscribe.

A link holds everything that it needs, so that it works when the delivery it came with is long forgotten. It is good
until it expires; whoever has it may act for its subscriber, and do no more than it says.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from monitor.core.model import Delivery
from monitor.core.outcome import HoldReason
from monitor.core.secret import Secret
from monitor.core.stories import story_of

PATH = "/l/"
GOOD_FOR = timedelta(days=60)
SHORTEST_KEY = 32
_PREFIX = b"monitor link 1\0"  # nothing else that the key signs can be taken for a link
_SIGNATURE_BYTES = 16
_LONGEST_TOKEN = 1800
_LONGEST_SUBJECT, _LONGEST_NAME = 200, 100


class LinkAction(StrEnum):
    """What a link is for."""

    OPEN = "open"
    SNOOZE_STORY = "snooze-story"
    SNOOZE_RULE = "snooze-rule"
    DIGEST = "digest"
    UNSUBSCRIBE = "unsubscribe"


class BadLinkError(ValueError):
    """A link that is not ours, was changed on the way, or has expired; the text is for the reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link says. `subject` is the story or the rule to snooze; `name` is how people know it."""

    action: LinkAction
    subscriber: str
    target_id: str
    delivery_id: str
    expires_at: datetime
    subject: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The links of one message, each empty where there is none."""

    open: str = ""
    snooze_story: str = ""
    snooze_rule: str = ""
    digest: str = ""
    unsubscribe: str = ""


NO_LINKS = Links()


class Linker:
    """Writes and reads links under one public address, with one key."""

    def __init__(self, public_url: str, key: Secret) -> None:
        """Take the address at which readers reach the web endpoint; raise `ValueError` for a key that is too short."""
        if len(key.reveal().encode()) < SHORTEST_KEY:
            raise ValueError(f"the key of links has at least {SHORTEST_KEY} characters")
        self._base = public_url.rstrip("/") + PATH
        self._key = key.reveal().encode()

    def links(self, delivery: Delivery) -> Links:
        """Return the links of a message; every attempt gets the same."""
        alert, single = delivery.alert, not delivery.is_digest
        match = alert.matches[0] if alert.matches else None
        title, rule = alert.article.title, (match.rule_name or match.rule_id) if match else ""
        waits = delivery.because is HoldReason.DIGEST
        return Links(
            open=self._url(delivery, LinkAction.OPEN),
            snooze_story=self._url(
                delivery, LinkAction.SNOOZE_STORY, story_of(alert.article), title
            )
            if single
            else "",
            snooze_rule=self._url(delivery, LinkAction.SNOOZE_RULE, match.rule_id, rule)
            if single and match
            else "",
            digest="" if waits else self._url(delivery, LinkAction.DIGEST),
            unsubscribe=self._url(delivery, LinkAction.UNSUBSCRIBE),
        )

    def url(self, link: Link) -> str:
        """Write a link, or nothing when its names are too long for one."""
        said = [
            link.action.value,
            link.subscriber,
            link.target_id,
            link.delivery_id,
            int(link.expires_at.timestamp()),
            link.subject,
            link.name,
        ]
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        body = text.encode("utf-8", errors="replace")
        token = f"{_base64(body)}.{_base64(self._sign(body))}"
        return self._base + token if len(token) <= _LONGEST_TOKEN else ""

    def read(self, token: str, now: datetime) -> Link:
        """Return what the last part of a link's address says, or raise `BadLinkError`."""
        body = self._signed_body(token)
        try:
            action, subscriber, target_id, delivery_id, expires, subject, name = json.loads(body)
            link = Link(
                action=LinkAction(action),
                subscriber=subscriber,
                target_id=target_id,
                delivery_id=delivery_id,
                expires_at=datetime.fromtimestamp(expires, UTC),
                subject=subject,
                name=name,
            )
        except (TypeError, ValueError) as error:
            raise BadLinkError("This link was made by another release.") from error
        if now >= link.expires_at:
            raise BadLinkError(
                f"This link was good until {link.expires_at:%Y-%m-%d}. Use one from a newer message."
            )
        return link

    def _url(
        self, delivery: Delivery, action: LinkAction, subject: str = "", name: str = ""
    ) -> str:
        return self.url(
            Link(
                action=action,
                subscriber=delivery.alert.subscriber,
                target_id=delivery.target_id,
                delivery_id=delivery.id,
                expires_at=delivery.created_at + GOOD_FOR,
                subject=subject[:_LONGEST_SUBJECT],
                name="".join(filter(str.isprintable, name[:_LONGEST_NAME])),
            )
        )

    def _signed_body(self, token: str) -> bytes:
        body, _, signature = token[: _LONGEST_TOKEN + 1].partition(".")
        try:
            said = _bytes(body)
            good = hmac.compare_digest(_bytes(signature), self._sign(said))
        except (binascii.Error, ValueError):
            good, said = False, b""
        if not good or len(token) > _LONGEST_TOKEN:
            raise BadLinkError(
                "This link is not complete, or was not made here. Open it from the message again."
            )
        return said

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._key, _PREFIX + body, hashlib.sha256)[:_SIGNATURE_BYTES]


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
