"""What may stand in `subscribers.yaml`, with every default: who is told, and by which channels.

A text under a field describes it in the JSON Schema and in the reference.
"""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from monitor.config.chat import (
    AppriseSettings,
    DiscordSettings,
    MattermostSettings,
    NtfySettings,
    TeamsSettings,
    TelegramSettings,
    TemplateSettings,
)
from monitor.config.routeschema import (
    InhibitSettings,
    PaceSettings,
    RouteSettings,
    TimeIntervalSettings,
)
from monitor.config.section import Section
from monitor.config.types import (
    FilePath,
    Header,
    HeaderName,
    HostName,
    HttpUrl,
    Id,
    Mailbox,
    Many,
    Port,
    Rate,
    Text,
    Variable,
    Zone,
)
from monitor.config.values import WrongValueError


class ConsoleSettings(Section):
    """Prints on the standard output of the process that delivers."""


class SlackSettings(Section):
    """A Slack channel, by an incoming webhook, or by the token of a bot, which keeps each story in a thread."""

    SECRETS = {"webhook_url": "optional", "token": "optional"}

    webhook_url_file: FilePath | None = None
    """A file with the address of the webhook; relative to this directory."""
    webhook_url_env: Variable | None = None
    """An environment variable with the address of the webhook."""
    token_file: FilePath | None = None
    """A file with the token of the bot (`xoxb-…`); relative to this directory."""
    token_env: Variable | None = None
    """An environment variable with the token of the bot."""
    channel: Text | None = None
    """Where the bot posts: the id of a channel that it is in, such as `C024BE91L`."""
    api: HttpUrl = "https://slack.com/api"
    """Where the Web API is."""

    @model_validator(mode="after")
    def _webhook_or_bot(self) -> "SlackSettings":
        webhook = self.webhook_url_file or self.webhook_url_env
        token = self.token_file or self.token_env
        if not webhook and not token:
            hint = "or 'token_file' and 'channel' for a bot"
            raise WrongValueError("missing key 'webhook_url_file' or 'webhook_url_env'", hint)
        if webhook and token:
            raise WrongValueError("both a webhook and a bot's token are given", "keep one")
        if token and not self.channel:
            raise WrongValueError("missing key 'channel': a bot must be told where to post")
        if webhook and self.channel:
            hint = "a webhook posts where it was made for; remove this, or use a bot's token"
            raise WrongValueError("a channel beside a webhook", hint, "channel")
        return self


class SmtpSettings(Section):
    """The mail server that takes the messages."""

    SECRETS = {"password": "optional"}

    host: Text
    """Its name or address."""
    port: Port | None = None
    """Without it: 25, or 587 with `starttls`, or 465 with `implicit`."""
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    """`starttls` and `implicit` fail without TLS; they never fall back."""
    verify: bool = True
    """Whether the certificate of the server must be valid."""
    username: Text | None = None
    """Who logs in; without it, nobody does."""
    password_file: FilePath | None = None
    """A file with the password; relative to this directory."""
    password_env: Variable | None = None
    """An environment variable with the password."""

    @model_validator(mode="after")
    def _complete_login(self) -> "SmtpSettings":
        password = self.password_file or self.password_env
        if self.username and not password:
            raise WrongValueError(
                "a username without 'password_file' or 'password_env'", key="username"
            )
        if password and not self.username:
            raise WrongValueError("a password without 'username'")
        if password and self.tls == "none":
            raise WrongValueError(
                "the password would travel in clear", "set tls to starttls or implicit", "tls"
            )
        return self


class EmailSettings(Section):
    """One mailbox."""

    to: Mailbox
    """Who receives the alerts."""
    sender: Mailbox = Field(alias="from")
    """Who the alerts come from."""
    from_name: Text | None = None
    """The name that is shown for the sender."""
    smtp: SmtpSettings


class WebhookSettings(Section):
    """An HTTP address that takes signed POST requests."""

    SECRETS = {"secret": "optional", "previous_secret": "optional", "authorization": "optional"}

    url: HttpUrl
    """Where to send."""
    secret_file: FilePath | None = None
    """A file with the secret that signs; relative to this directory. Without a secret: unsigned."""
    secret_env: Variable | None = None
    """An environment variable with the secret that signs."""
    previous_secret_file: FilePath | None = None
    """A file with the secret before this one: while a secret is changed, both sign."""
    previous_secret_env: Variable | None = None
    """An environment variable with the secret before this one."""
    authorization_file: FilePath | None = None
    """A file with the value of the header `Authorization`."""
    authorization_env: Variable | None = None
    """An environment variable with the value of the header `Authorization`."""
    headers: dict[HeaderName, Header] = {}
    """Headers to send along; none of them a secret."""
    origin: HostName | None = None
    """The name under which the receiver is asked (`OPTIONS`, `WebHook-Request-Origin`) whether it takes what comes from
    here, before the first alert and every week. None: it is not asked."""
    ordered: bool = False
    """`true`: one alert at a time, by their numbers; one that has to be tried again holds up what comes after it."""

    @model_validator(mode="after")
    def _rotation_has_two(self) -> "WebhookSettings":
        previous = self.previous_secret_file or self.previous_secret_env
        if previous and not (self.secret_file or self.secret_env):
            raise WrongValueError(
                "a previous secret without a present one", "name it secret_file or secret_env"
            )
        return self


class TargetSettings(PaceSettings):
    """One way to reach a subscriber: exactly one of the kinds."""

    KINDS: ClassVar = (
        *("console", "slack", "email", "webhook", "teams", "discord", "mattermost", "telegram"),
        *("ntfy", "apprise"),
    )

    name: Id | None = None
    """Tells two targets of a subscriber apart: the id of a target is SUBSCRIBER/NAME, or SUBSCRIBER/KIND without it."""
    enabled: bool = True
    """`false`: not used, and its secrets need not exist."""
    rate: Rate | None = None
    """How many messages it gets, such as `10/s`, `30/m` or `100/h`; after a rest those of a second at once. None: what
    its service documents, or `10/s`."""
    console: ConsoleSettings | None = None
    slack: SlackSettings | None = None
    email: EmailSettings | None = None
    webhook: WebhookSettings | None = None
    teams: TeamsSettings | None = None
    discord: DiscordSettings | None = None
    mattermost: MattermostSettings | None = None
    telegram: TelegramSettings | None = None
    ntfy: NtfySettings | None = None
    apprise: AppriseSettings | None = None
    template: TemplateSettings | None = None
    """What its messages say, instead of our words."""

    @property
    def kind(self) -> str:
        """The kind that is given."""
        return next(kind for kind in self.KINDS if getattr(self, kind) is not None)

    @model_validator(mode="after")
    def _one_kind(self) -> "TargetSettings":
        given = [kind for kind in self.KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            what = " and ".join(given) if given else "none"
            raise WrongValueError(
                f"a target is one of {', '.join(self.KINDS)}; here is {what}",
                "write a target for each" if given else "console needs braces: `console: {}`",
            )
        return self


class SubscriberSettings(PaceSettings):
    """A party that receives alerts."""

    name: Id
    """Stands in routes."""
    enabled: bool = True
    """`false`: routes may lead here, nothing is sent, and its secrets need not exist."""
    timezone: Zone = "UTC"
    """Where its clocks are: quiet hours, digests, the hours of the budget and the times in messages are local."""
    targets: Many[TargetSettings] = ()
    """The ways to reach it; each alert goes to all of them."""


class AddedSettings(SubscriberSettings):
    """A subscriber that is added while the system runs."""

    route: RouteSettings
    """Which matches it is told of, and how: without conditions all of them. It and its children name no subscriber."""


class SubscribersFile(Section):
    """Who is told, and of what. Files under `subscribers/` are read too; one file has the route."""

    subscribers: Many[SubscriberSettings] = ()
    route: RouteSettings | None = None
    time_intervals: Many[TimeIntervalSettings] = ()
    """Times that routes can name."""
    inhibit_rules: Many[InhibitSettings] = ()
    """What keeps what else back."""
