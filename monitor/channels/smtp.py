"""Connections to a mail relay, kept while they are of use, and what its answers mean."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiosmtplib
from aiosmtplib import SMTP

from monitor.core.outcome import DeliveryReason, Rejected, RetryLater
from monitor.core.render.clean import line
from monitor.core.targets import SmtpRelay

_CONNECTIONS = 4
_MESSAGES_EACH = 100  # relays commonly close a session after so many
_IDLE_SECONDS = 60.0
_FRESH_SECONDS = (
    2.0  # no relay closes a connection so soon; asking would cost a round trip a message
)
_COMMAND_SECONDS = 15.0
_DETAIL_LIMIT = 300
_MAILBOX_FULL = "5.2.2"
_PERMANENT = 5  # the first digit of an answer that will not change


@dataclass(slots=True)
class _Kept:
    """A connection with what it has been used for."""

    smtp: SMTP
    messages: int = 0
    used_at: float = 0.0


class SmtpPool:
    """A few connections to one relay. Safe for concurrent use in one event loop."""

    def __init__(self, relay: SmtpRelay) -> None:
        """Connect to nothing yet."""
        self._relay = relay
        self._idle: list[_Kept] = []
        self._slots = asyncio.Semaphore(_CONNECTIONS)

    async def send(self, sender: str, recipient: str, message: bytes) -> str:
        """Send one message to one recipient and return what the relay said; raise `SMTPException`."""
        async with self._connection() as smtp:
            _, said = await smtp.sendmail(sender, [recipient], message)
        return said

    async def greet(self) -> str:
        """Connect and log in, and return what the relay said; raise as `send` does."""
        async with self._connection() as smtp:
            return (await smtp.noop()).message

    async def close(self) -> None:
        """End every connection that is not in use."""
        while self._idle:
            await _quit(self._idle.pop())

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[SMTP]:
        clock = asyncio.get_running_loop().time
        async with self._slots:
            kept = await self._usable(clock()) or _Kept(await self._connect())
            try:
                yield kept.smtp
            except BaseException as error:
                # After an answer the session is in order, aiosmtplib has reset it; after anything else it is not.
                if not isinstance(error, _ANSWERED) or not kept.smtp.is_connected:
                    kept.smtp.close()
                    raise
                self._keep(kept, clock())
                raise
            self._keep(kept, clock())

    def _keep(self, kept: _Kept, now: float) -> None:
        kept.messages += 1
        kept.used_at = now
        if kept.messages < _MESSAGES_EACH:
            self._idle.append(kept)
        else:
            kept.smtp.close()

    async def _usable(self, now: float) -> _Kept | None:
        """Return a kept connection that still answers, or None."""
        while self._idle:
            kept = self._idle.pop()
            if now - kept.used_at > _IDLE_SECONDS or not kept.smtp.is_connected:
                kept.smtp.close()
                continue
            if now - kept.used_at < _FRESH_SECONDS:
                return kept
            try:
                await kept.smtp.noop()
            except (aiosmtplib.SMTPException, OSError):
                kept.smtp.close()
                continue
            return kept
        return None

    async def _connect(self) -> SMTP:
        relay = self._relay
        smtp = SMTP(
            hostname=relay.host,
            port=relay.port,
            username=relay.username,
            password=relay.password.reveal() if relay.password else None,
            timeout=_COMMAND_SECONDS,
            use_tls=relay.security == "implicit",
            start_tls=relay.security == "starttls",
            validate_certs=relay.verify,
            local_hostname="localhost",  # else aiosmtplib asks DNS, and blocks meanwhile
        )
        try:
            await smtp.connect()
        except BaseException:
            smtp.close()
            raise
        return smtp


_ANSWERED = (aiosmtplib.SMTPResponseException, aiosmtplib.SMTPRecipientsRefused)


async def _quit(kept: _Kept) -> None:
    with suppress(aiosmtplib.SMTPException, OSError):
        await kept.smtp.quit(timeout=1)
    kept.smtp.close()


# --- what went wrong, as an outcome ---


_OF_THE_TARGET = frozenset({DeliveryReason.ADDRESS_REFUSED, DeliveryReason.UNAUTHORIZED})


def failure(error: aiosmtplib.SMTPException | OSError) -> RetryLater | Rejected:
    """Turn an error of a send into an outcome.

    A connection lost after the message was handed over is ambiguous: the message may have been taken.
    """
    detail = line(str(error), _DETAIL_LIMIT) or type(error).__name__
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return answered(error.recipients[0].code, error.recipients[0].message, "RCPT")
        case aiosmtplib.SMTPAuthenticationError():
            return _relay_refuses(DeliveryReason.UNAUTHORIZED, detail, error.code)
        case aiosmtplib.SMTPConnectResponseError() | aiosmtplib.SMTPHeloError():
            return _relay_refuses(DeliveryReason.SERVER_ERROR, detail, error.code)
        case aiosmtplib.SMTPResponseException():
            data = isinstance(error, aiosmtplib.SMTPDataError)
            return answered(error.code, error.message, "DATA" if data else "MAIL")
        case OSError():  # all that aiosmtplib says of the line are
            return RetryLater(reason=_network_reason(error), detail=detail)
        case _:  # no STARTTLS where we insist on it, or no AUTH
            tls = "STARTTLS" in detail
            reason = DeliveryReason.TLS if tls else DeliveryReason.UNAUTHORIZED
            return _relay_refuses(reason, detail, None)


def answered(code: int, message: str, command: str) -> RetryLater | Rejected:
    """Say what a negative answer to a command means (RFC 5321, section 4.2; RFC 3463)."""
    status, detail = _enhanced(message), line(f"{command}: {code} {message}", _DETAIL_LIMIT)
    if code // 100 != _PERMANENT:
        busy = code == 421 or status.startswith("4.7")  # noqa: PLR2004 - "closing transmission channel"
        reason = DeliveryReason.RATE_LIMITED if busy else DeliveryReason.SERVER_ERROR
        return RetryLater(reason=reason, detail=detail, lane=busy, status=code)
    if status == _MAILBOX_FULL:  # people empty it
        return RetryLater(reason=DeliveryReason.SERVER_ERROR, detail=detail, status=code)
    reason = _permanent(code, status, command)
    return Rejected(reason=reason, detail=detail, target=reason in _OF_THE_TARGET, status=code)


def _permanent(code: int, status: str, command: str) -> DeliveryReason:
    if code == 552 or status in {"5.3.4", "5.2.3"}:  # noqa: PLR2004 - the message is too large
        return DeliveryReason.PAYLOAD_REFUSED
    if command == "DATA":
        return DeliveryReason.CONTENT_REFUSED
    if status.startswith("5.7") or code == 530:  # noqa: PLR2004 - the relay wants a login
        return DeliveryReason.UNAUTHORIZED
    return DeliveryReason.ADDRESS_REFUSED if command == "RCPT" else DeliveryReason.CLIENT_ERROR


def _relay_refuses(reason: DeliveryReason, detail: str, code: int | None) -> RetryLater:
    """Hold back all of the target's mail: none gets through until the relay or the password is put right."""
    return RetryLater(reason=reason, detail=detail, lane=True, status=code)


def _enhanced(message: str) -> str:
    """Return the enhanced status code, such as 5.1.1, that begins the message, if one does."""
    first = message.split(maxsplit=1)[:1]
    return first[0] if first and first[0].replace(".", "").isdigit() else ""


_NETWORK_REASONS: Sequence[tuple[type[BaseException], DeliveryReason]] = (
    (ssl.SSLError, DeliveryReason.TLS),
    (socket.gaierror, DeliveryReason.DNS),
    (TimeoutError, DeliveryReason.TIMEOUT),
    (aiosmtplib.SMTPServerDisconnected, DeliveryReason.RESET),
    (ConnectionResetError, DeliveryReason.RESET),
)


def _network_reason(error: BaseException) -> DeliveryReason:
    cause: BaseException | None = error
    while cause is not None:
        for kind, reason in _NETWORK_REASONS:
            if isinstance(cause, kind):
                return reason
        cause = cause.__cause__
    return DeliveryReason.CONNECT
