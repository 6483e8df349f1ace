"""Where a delivery goes: one record for each kind of target, complete with its secrets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from typing import Literal

from monitor.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What an operator wrote in place of our words; a part that is empty stays ours. See `render.template`."""

    subject: str = ""
    text: str = ""
    body: str = ""


NO_TEMPLATE = Template()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What every target has.

    `gap` is the time between two messages, on average; None: what its kind usually takes. `zone` is where the clocks of
    its readers are; programs are told instants in UTC.
    """

    id: str
    subscriber: str
    template: Template = NO_TEMPLATE
    gap: timedelta | None = None
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleTarget(_Target):
    """The standard output of the process that delivers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackTarget(_Target):
    """A Slack incoming webhook. Its address is the credential, so it is a secret."""

    webhook_url: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackBotTarget(_Target):
    """A channel of Slack, by the token of a bot that is in it: an id such as `C024BE91L`, or `#name`."""

    token: Secret
    channel: str
    api: str = "https://slack.com/api"


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
class EmailTarget(_Target):
    """One mailbox, and the relay that leads there. `sender_name` is how people see the sender."""

    to: str
    sender: str
    smtp: SmtpRelay
    sender_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget(_Target):
    """An HTTP address that takes signed POST requests. `secrets` are newest first; none: unsigned.

    `ordered`: by their numbers, one after the other. With an `origin` the receiver is asked first whether it takes
    what that sends. `headers` may hold a credential, so `repr` leaves them out.
    """

    url: str
    secrets: tuple[Secret, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ordered: bool = False
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsTarget(_Target):
    """A workflow of Teams that posts adaptive cards. Its address is the credential."""

    webhook_url: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordTarget(_Target):
    """A webhook of Discord. Its address is the credential."""

    webhook_url: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class MattermostTarget(_Target):
    """An incoming webhook of Mattermost. Its address is the credential."""

    webhook_url: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramTarget(_Target):
    """A chat of Telegram, by the token of a bot that may write there."""

    token: Secret
    chat: str
    api: str = "https://api.telegram.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class NtfyTarget(_Target):
    """A topic of ntfy; its name is like a password. `token` is for topics that need one."""

    topic: Secret
    url: str = "https://ntfy.sh"
    token: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppriseTarget(_Target):
    """Whatever Apprise reaches by this address, which holds its credentials."""

    url: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadyTarget(_Target):
    """A target that cannot be reached now, because something that it needs of this machine is not there: `why`.

    Only one that was added while the system runs can be such: what is told to it waits, as for one that is down.
    """

    why: str


Target = (
    ConsoleTarget
    | SlackTarget
    | SlackBotTarget
    | EmailTarget
    | WebhookTarget
    | TeamsTarget
    | DiscordTarget
    | MattermostTarget
    | TelegramTarget
    | NtfyTarget
    | AppriseTarget
    | UnreadyTarget
)


def kind_of(target: Target) -> str:
    """Return the kind of a target as the configuration writes it."""
    return type(target).__name__.removesuffix("Target").lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A party that receives alerts, with its targets that are switched on; none if it is switched off itself."""

    name: str
    targets: tuple[Target, ...] = ()


def secrets_of(target: Target) -> Iterator[Secret]:
    """Yield every secret of a target, for whoever keeps them out of what is shown."""
    match target:
        case SlackTarget() | TeamsTarget() | DiscordTarget() | MattermostTarget():
            yield target.webhook_url
        case SlackBotTarget() | TelegramTarget():
            yield target.token
        case NtfyTarget():
            yield target.topic
            yield from [target.token] if target.token else []
        case AppriseTarget():
            yield target.url
        case EmailTarget():
            yield from [target.smtp.password] if target.smtp.password else []
        case WebhookTarget():
            yield from target.secrets
            if "authorization" in target.headers:
                yield Secret(target.headers["authorization"])
        case ConsoleTarget() | UnreadyTarget():
            return
