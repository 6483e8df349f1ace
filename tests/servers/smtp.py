"""Mail relays: one that takes mail or refuses it as told, and a raw one that drops the line when told."""

import asyncio
import ssl
import warnings
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from monitor.core.secret import Secret
from monitor.core.targets import Security, SmtpRelay
from tests.servers.hooks import raw_server
from tests.servers.tls import certificate

USER, PASSWORD = "monitor", "correct horse"


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A message as the relay took it."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    connection: int
    encrypted: bool


@dataclass
class MailServer:
    """A relay on 127.0.0.1. `mail` is what it took.

    The answers in `refusals` are given first, one a transaction, at the command they name: MAIL, RCPT or DATA.
    """

    security: Security = "none"
    login: bool = False
    mail: list[Mail] = field(default_factory=list)
    refusals: deque[tuple[str, str]] = field(default_factory=deque)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        tls = certificate().server_context() if self.security != "none" else None
        self._server = await asyncio.get_running_loop().create_server(
            self._protocol, "127.0.0.1", 0, ssl=tls if self.security == "implicit" else None
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()

    def relay(self, **changes: Any) -> SmtpRelay:
        """Return the settings with which a client reaches this server."""
        settings: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "security": self.security,
            "verify": False,
        }
        if self.login:
            settings |= {"username": USER, "password": Secret(PASSWORD)}
        return SmtpRelay(**settings | changes)

    def refuse(self, command: str, answer: str) -> None:
        """Give this answer to the next such command."""
        self.refusals.append((command, answer))

    def _protocol(self) -> SMTP:
        self.connections += 1
        starttls = self.security == "starttls"
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of a login in clear, which is what some tests are about
            return SMTP(
                self,
                hostname="relay.example",
                tls_context=certificate().server_context() if starttls else None,
                require_starttls=starttls,
                auth_required=self.login,
                auth_require_tls=False,
                authenticator=self._authenticate,
            )

    def _refusal(self, command: str) -> str | None:
        if self.refusals and self.refusals[0][0] == command:
            return self.refusals.popleft()[1]
        return None

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _kind: str, given: Any
    ) -> AuthResult:
        expected = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=given == expected, handled=False)

    # --- what aiosmtpd calls, by these names ---

    async def handle_MAIL(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        refusal = self._refusal("MAIL")
        if refusal:
            return refusal
        envelope.mail_from = address
        return "250 2.1.0 ok"

    async def handle_RCPT(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        refusal = self._refusal("RCPT")
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        refusal = self._refusal("DATA")
        if refusal:
            return refusal
        assert isinstance(envelope.content, bytes)
        self.mail.append(
            Mail(
                sender=str(envelope.mail_from),
                recipients=tuple(envelope.rcpt_tos),
                content=envelope.content,
                connection=self.connections,
                encrypted=isinstance(session.ssl, dict) or self.security == "implicit",
            )
        )
        return "250 2.0.0 queued as 1A2B3C"


@dataclass
class RawRelay:
    """A relay that speaks the least there is of SMTP, and hangs up where told.

    `drop_at` is the command at which the line goes dead: a command, GREETING or BODY, which is after the whole
    message was read. `answers` replace the usual ones.
    """

    drop_at: str | None = None
    answers: dict[str, str] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    port: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one session."""
        if self.drop_at == "GREETING":
            return
        writer.write(f"{self.answers.get('GREETING', '220 ready')}\r\n".encode())
        while line := await reader.readline():
            command = line.split()[0].decode().upper()
            if command == self.drop_at:
                return
            usual = {"DATA": "354 go on", "QUIT": "221 bye"}.get(command, "250 ok")
            answer = self.answers.get(command, usual)
            writer.write(f"{answer}\r\n".encode())
            if command == "DATA" and answer.startswith("354"):
                self.bodies.append(await reader.readuntil(b"\r\n.\r\n"))
                if self.drop_at == "BODY":
                    return
                writer.write(f"{self.answers.get('BODY', '250 queued')}\r\n".encode())


@asynccontextmanager
async def raw_relay(
    drop_at: str | None = None,
    answers: dict[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[RawRelay]:
    """Run a raw relay."""
    relay = RawRelay(drop_at=drop_at, answers=answers or {})
    async with raw_server(relay.talk, tls) as address:
        relay.port = int(address.rpartition(":")[2])
        yield relay
