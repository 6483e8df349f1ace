"""Alerts by mail, through a relay."""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from urllib.parse import quote

import aiosmtplib

from monitor.channels.mailpress import Draft, MailPress, digest_of
from monitor.channels.post import noted
from monitor.channels.smtp import SmtpPool, failure
from monitor.core.model import Delivery
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.render.clean import line
from monitor.core.render.template import Composer
from monitor.core.targets import EmailTarget

# What may stand before the @ without quotes (RFC 5322, section 3.4.1); the rest exists, and nobody has it.
_BOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_TOTAL_SECONDS = 45
_NAME_LIMIT = 80
_RESPONSE_LIMIT = 1024
_LONGEST_LINK = 900  # a line of a mail has at most 998 characters, and an address is not folded


class EmailChannel:
    """One mailbox."""

    def __init__(
        self,
        target: EmailTarget,
        pool: SmtpPool,
        composer: Composer | None = None,
        press: MailPress | None = None,
    ) -> None:
        """Take the pool of the target's relay, which the caller closes; raise `ValueError` for an unusable address.

        Channels with one press share what they print.
        """
        self._target = target
        self._pool = pool
        self._composer = composer or Composer(target)
        self._press = press or MailPress()
        self._sender = address(target.sender, target.sender_name)
        self._recipient = address(target.to)
        self._who = _header_lines({"From": self._sender, "To": self._recipient})

    async def deliver(self, delivery: Delivery, now: datetime) -> Outcome:  # noqa: ARG002 - the port's
        """Send the alert. Every attempt is the same message, byte for byte, so that a mailbox may know a repetition.

        A relay that finds it too large gets it once more, in a few lines.
        """
        draft = Draft(delivery, self._composer)
        outcome = await self._send(self.message(draft))
        if isinstance(outcome, Rejected) and outcome.reason is DeliveryReason.PAYLOAD_REFUSED:
            smaller = await self._send(self.message(draft, short=True))
            outcome = outcome if isinstance(smaller, Rejected) else smaller
        return noted(outcome, draft.told) if self._composer.has_template else outcome

    async def close(self) -> None:
        """Do nothing: the pool is shared."""

    def message(self, draft: Draft, *, short: bool = False) -> bytes:
        """Write the message as it goes over the wire. The same delivery always gives the same bytes."""
        domain = self._sender.domain
        rest = self._press.short(draft, domain) if short else self._press.printed(draft, domain)
        return b"".join((self._who, self._own_lines(draft), rest))

    async def _send(self, message: bytes) -> Outcome:
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

    def _own_lines(self, draft: Draft) -> bytes:
        """Write the headers that only this recipient has. What stands in them is ASCII, whatever the names are."""
        box = quote(self._sender.addr_spec, safe="@")
        words = quote(f"unsubscribe {line(self._target.id, _NAME_LIMIT)}")
        unsubscribe = draft.links.unsubscribe
        link = unsubscribe if len(unsubscribe) <= _LONGEST_LINK else ""
        ways = [f"<{link}>"] if link else []
        ways.append(f"<mailto:{box}?subject={words}>")
        lines = [
            f"Message-ID: <{digest_of(draft.delivery.id)}@{self._sender.domain}>",
            f"List-Unsubscribe: {f',{_NEXT_LINE}'.join(ways)}",
        ]
        if link:
            lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")  # RFC 8058
        return "".join(f"{each}\r\n" for each in lines).encode("ascii")


_NEXT_LINE = "\r\n "


def _header_lines(headers: Mapping[str, Address]) -> bytes:
    message = EmailMessage(policy=SMTP)
    for name, value in headers.items():
        message[name] = value
    return message.as_bytes().removesuffix(b"\r\n")


def address(text: str, name: str = "") -> Address:
    """Read 'Name <box@host>' or 'box@host'; raise `ValueError` unless it can be said in ASCII."""
    written, spec = parseaddr(text)
    box, _, domain = spec.rpartition("@")
    if not text.isprintable() or not _BOX.fullmatch(box) or not domain:
        raise ValueError(_unusable(text))
    try:
        shown = line(name or written, _NAME_LIMIT)
        return Address(shown, box, domain.encode("idna").decode("ascii"))
    except (ValueError, IndexError) as error:
        raise ValueError(_unusable(text)) from error


def _unusable(text: str) -> str:
    return f"{text!r} is not a mail address that can be used; write box@host, the box in ASCII"
