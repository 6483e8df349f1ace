"""Alerts by mail, through a relay."""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import blake2b
from urllib.parse import quote

import aiosmtplib

from monitor.channels.smtp import SmtpPool, failure
from monitor.core.model import Alert, Delivery
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, RetryLater
from monitor.core.render import html, subject, text
from monitor.core.render import message as view_of
from monitor.core.render.clean import line
from monitor.core.targets import EmailTarget

# What may stand before the @ without quotes (RFC 5322, section 3.4.1); the rest exists, and nobody has it.
_BOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_TOTAL_SECONDS = 45
_NAME_LIMIT = 80
_RESPONSE_LIMIT = 1024


class EmailChannel:
    """One mailbox."""

    def __init__(self, target: EmailTarget, pool: SmtpPool) -> None:
        """Take the pool of the target's relay, which the caller closes; raise `ValueError` for an unusable address."""
        self._target = target
        self._pool = pool
        self._sender = _address(target.sender)
        self._recipient = _address(target.to)

    async def deliver(self, delivery: Delivery, now: datetime) -> Outcome:  # noqa: ARG002 - the port's
        """Send the alert. Every attempt is the same message, byte for byte, so that a mailbox may know a repetition."""
        message = compose(delivery, self._target.id, self._sender, self._recipient)
        try:
            async with asyncio.timeout(_TOTAL_SECONDS):
                said = await self._pool.send(
                    self._sender.addr_spec, self._recipient.addr_spec, message
                )
        except TimeoutError as error:
            detail = line(str(error), _RESPONSE_LIMIT) or f"not sent within {_TOTAL_SECONDS} s"
            return RetryLater(reason=DeliveryReason.TIMEOUT, detail=detail)
        except (aiosmtplib.SMTPException, OSError) as error:
            return failure(error)
        return Delivered(status=250, response=line(said, _RESPONSE_LIMIT))

    async def close(self) -> None:
        """Do nothing: the pool is shared."""


def compose(delivery: Delivery, target_id: str, sender: Address, recipient: Address) -> bytes:
    """Write the message as it goes over the wire. The same delivery always gives the same bytes."""
    alert, told = delivery.alert, view_of(delivery)
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = sender, recipient
    message["Subject"] = subject(told)
    message["Date"] = format_datetime(alert.created_at)
    for name, value in _headers(delivery, target_id, sender).items():
        message[name] = value
    message.set_content(text(told), cte="quoted-printable")
    message.add_alternative(html(told), subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{_digest(delivery.id)}")  # else it is random
    return message.as_bytes()


def _headers(delivery: Delivery, target_id: str, sender: Address) -> Mapping[str, str]:
    # The articles' threads have a root that was never sent, so that any message may be the first of its thread.
    root = f"<article-{_digest(delivery.alert.article.id)}@{sender.domain}>"
    unsubscribe = quote(f"unsubscribe {line(target_id, _NAME_LIMIT)}")
    return {
        "Message-ID": f"<{_digest(delivery.id)}@{sender.domain}>",
        "In-Reply-To": root,
        "References": root,
        "List-Id": _list_id(delivery.alert, sender.domain),
        "List-Unsubscribe": f"<mailto:{sender.addr_spec}?subject={unsubscribe}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }


def _list_id(alert: Alert, domain: str) -> str:
    """Name the list after the first rule, so that a mail program can sort by it (RFC 2919)."""
    rule = alert.matches[0].rule_id if alert.matches else "alerts"
    label = "".join(c if c.isascii() and c.isalnum() else "-" for c in line(rule, _NAME_LIMIT))
    return f"<{label.strip('-') or _digest(rule)}.rules.{domain}>"


def _digest(text: str) -> str:
    """Make an id of any text fit for a header."""
    return blake2b(text.encode("utf-8", errors="replace"), digest_size=16).hexdigest()


def _address(text: str) -> Address:
    """Read 'Name <box@host>' or 'box@host'; raise `ValueError` unless it can be said in ASCII."""
    name, spec = parseaddr(text)
    box, _, domain = spec.rpartition("@")
    if not text.isprintable() or not _BOX.fullmatch(box) or not domain:
        raise ValueError(_unusable(text))
    try:
        return Address(line(name, _NAME_LIMIT), box, domain.encode("idna").decode("ascii"))
    except (ValueError, IndexError) as error:
        raise ValueError(_unusable(text)) from error


def _unusable(text: str) -> str:
    return f"{text!r} is not a mail address that can be used; write box@host, the box in ASCII"
