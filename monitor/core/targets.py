"""Where a delivery goes: one record for each kind of target, complete with its secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from monitor.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleTarget:
    """The standard output of the process that delivers."""

    id: str
    subscriber: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackTarget:
    """A Slack incoming webhook. Its address is the credential, so it is a secret."""

    id: str
    subscriber: str
    webhook_url: Secret


Security = Literal["none", "starttls", "implicit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpRelay:
    """The mail server that takes our messages.

    `username` and `password` are both present or both absent. `verify` is about the server's certificate and
    means nothing without TLS.
    """

    host: str
    port: int
    security: Security = "starttls"
    username: str | None = None
    password: Secret | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailTarget:
    """One mailbox, and the relay that leads there."""

    id: str
    subscriber: str
    to: str
    sender: str
    smtp: SmtpRelay


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """An HTTP address that takes signed POST requests. `secrets` are newest first; none: unsigned.

    `headers` may hold a credential, so `repr` leaves them out.
    """

    id: str
    subscriber: str
    url: str
    secrets: tuple[Secret, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


Target = ConsoleTarget | SlackTarget | EmailTarget | WebhookTarget


def kind_of(target: Target) -> str:
    """Return the kind of a target as the configuration writes it."""
    return type(target).__name__.removesuffix("Target").lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A party that receives alerts, with its targets that are switched on; none if it is switched off itself."""

    name: str
    targets: tuple[Target, ...] = ()
