"""What may stand in each file, with every default; what routing reads is in `routeschema`.

A text under a field describes it in the JSON Schema and in the reference.
"""

from datetime import timedelta
from importlib import import_module
from typing import Annotated, ClassVar, Literal

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
    ArchiveUrl,
    Code,
    Duration,
    Expiry,
    FilePath,
    Header,
    HeaderName,
    HostName,
    HttpUrl,
    Id,
    IntervalOrAuto,
    LongText,
    Mailbox,
    Many,
    Network,
    OneOrMany,
    Port,
    Query,
    Rate,
    Size,
    StoreUrl,
    Text,
    Variable,
    Zone,
    between,
    lasting,
    text_as,
)
from monitor.config.values import WrongValueError, format_duration, format_size
from monitor.core.model import FullText, LimitScope, Severity
from monitor.core.retry import LEASE_MARGIN

# --- monitor.yaml ---


def _keep_one(url: str | None, url_file: str | None) -> None:
    if url and url_file:
        raise WrongValueError("both url and url_file are given", "keep one", "url_file")


class StoreSettings(Section):
    """Where articles, matches and deliveries live."""

    url: StoreUrl | None = None
    """A Redis or Valkey server, without credentials. None: the embedded server. REDIS_URL overrides it."""
    url_file: FilePath | None = None
    """A file with the address of the server, credentials included; relative to this directory."""
    directory: Text = "data"
    """Where the embedded server keeps its files; relative to the working directory. MONITOR_DATA overrides it."""
    max_memory: Annotated[Size, between(2**25, 2**40, format_size)] = 512 * 2**20
    """The memory bound of the embedded server. When it is reached, polling stops until the rest has drained."""
    partitions: Annotated[int, between(1, 1024)] = 16
    """Into how many parts the store is cut; fixed when it is created."""

    @model_validator(mode="after")
    def _one_address(self) -> "StoreSettings":
        _keep_one(self.url, self.url_file)
        return self


class ArchiveSettings(Section):
    """Whether everything seen is kept for a while, and where: for search, backtests, explanations and export.

    Without an address it is a file in the data directory, `archive.sqlite`: let one host run the `archiver` and the
    `web` service. With the address of a PostgreSQL database any number of hosts may.
    """

    enabled: bool = True
    """`false`: nothing is kept."""
    url: ArchiveUrl | None = None
    """A PostgreSQL database, such as `postgresql://db.example/monitor`, without credentials."""
    url_file: FilePath | None = None
    """A file with the address of the database, credentials included; relative to this directory."""

    @model_validator(mode="after")
    def _one_address(self) -> "ArchiveSettings":
        _keep_one(self.url, self.url_file)
        return self


class ListenSettings(Section):
    """Where health, metrics and pages are served."""

    host: Text = "127.0.0.1"
    """The address to listen on. LISTEN=host:port overrides both."""
    port: Annotated[int, between(0, 65535)] = 8080
    """The port to listen on; 0 picks a free one, which is logged. PORT overrides it."""


class WebSettings(Section):
    """How others reach this program."""

    SECRETS = {"link_key": "optional"}

    public_url: HttpUrl | None = None
    """The address at which readers and hubs reach what `listen` serves, such as `https://monitor.example.org`. Without
    it messages have no links to snooze or unsubscribe."""
    link_key_file: FilePath | None = None
    """A file with the key that signs links, 32 characters or more; the same on every host. Without it one is made and
    kept in the data directory."""
    link_key_env: Variable | None = None
    """An environment variable with that key."""


class LogSettings(Section):
    """What is logged, on the standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe event that is logged."""
    format: Literal["auto", "json", "console"] = "auto"
    """`auto` is `console` on a terminal and `json` elsewhere."""


class TracingSettings(Section):
    """Spans for OpenTelemetry: one for each hop of an article. Needs `pip install 'monitor[otel]'`."""

    endpoint: HttpUrl | None = None
    """Where spans are sent by OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; without it none are made."""
    share: Annotated[float, Field(ge=0, le=1, strict=False)] = 1.0
    """Which part of all polls is traced, with every hop that follows from them."""

    @model_validator(mode="after")
    def _can_be_sent(self) -> "TracingSettings":
        if self.endpoint and not _is_installed("opentelemetry.exporter.otlp.proto.http"):
            raise WrongValueError(
                "OpenTelemetry is not installed here",
                "run: pip install 'monitor[otel]'",
                "endpoint",
            )
        return self


def _is_installed(module: str) -> bool:
    try:
        import_module(module)
    except ImportError:
        return False
    return True


class PollSettings(Section):
    """How feeds are fetched."""

    concurrency: Annotated[int, between(1, 1000)] = 64
    """How many feeds are fetched at once."""
    per_host: Annotated[int, between(1, 16)] = 1
    """How many of them from one host."""
    timeout: Annotated[Duration, lasting("1s", "5m")] = timedelta(seconds=20)
    """How long one fetch may take, redirects included."""
    max_bytes: Annotated[Size, between(2**10, 2**28, format_size)] = 15 * 2**20
    """How large a document may be, after decompression."""
    min_interval: Annotated[Duration, lasting("100ms", "1d")] = timedelta(minutes=1)
    """The shortest `every` that a feed may ask for."""
    auto_min: Annotated[Duration, lasting("100ms", "1d")] = timedelta(minutes=5)
    """The shortest interval that is learned for a feed with `every: auto`."""
    auto_max: Annotated[Duration, lasting("100ms", "30d")] = timedelta(hours=2)
    """The longest interval that is learned."""
    domain_gap: Annotated[Duration, lasting("0s", "10m")] = timedelta(seconds=1)
    """The least time between two polls of one registrable domain (all of `*.example.co.uk`), by whatever poller."""
    canary: Annotated[Duration, lasting("10s", "1d")] | None = None
    """How often an article of our own is published, polled and routed to nobody, to measure the way: see
    `monitor_canary_seconds`. The web service serves it and must run on the same host. None: never."""
    contact: HttpUrl | None = None
    """A page that tells publishers who polls them; stands in the User-Agent."""

    @model_validator(mode="after")
    def _auto_has_room(self) -> "PollSettings":
        if self.auto_min > self.auto_max:
            raise WrongValueError(
                f"auto_min {format_duration(self.auto_min)} is longer than auto_max"
                f" {format_duration(self.auto_max)}",
                key="auto_min",
            )
        return self


class DeliverSettings(Section):
    """How alerts are sent."""

    concurrency: Annotated[int, between(1, 1000)] = 64
    """How many deliveries are attempted at once."""
    timeout: Annotated[Duration, lasting("1s", "5m")] = timedelta(seconds=15)
    """How long one attempt may take."""
    lease: Annotated[Duration, lasting("6s", "1h")] = timedelta(seconds=30)
    """After how long another process takes an attempt over; at least 5s longer than `timeout`."""

    @model_validator(mode="after")
    def _lease_outlasts_attempt(self) -> "DeliverSettings":
        least = self.timeout + LEASE_MARGIN
        if self.lease < least:
            raise WrongValueError(
                f"lease {format_duration(self.lease)} is too short for timeout {format_duration(self.timeout)}:"
                " sends would be repeated while they are under way",
                f"make it at least {format_duration(least)}",
                "lease",
            )
        return self


class BurstSettings(Section):
    """Whether it is told that a rule finds far more than it usually does at that time of day.

    The notice is a match of the rule `monitor.rule-burst`, with the label `burst_of`, and is routed like any other.
    """

    enabled: bool = True
    """`false`: nothing is counted and nobody is told."""
    stories: Annotated[int, between(2, 1000)] = 4
    """Fewer different stories within an hour are no burst, however rarely the rule finds something."""
    sources: Annotated[int, between(1, 100)] = 2
    """Stories of fewer feeds are no burst."""


class RetentionSettings(Section):
    """How long what is finished stays."""

    delivered: Annotated[Duration, lasting("1h", "365d")] = timedelta(days=7)
    """Deliveries that arrived."""
    dead: Annotated[Duration, lasting("1h", "365d")] = timedelta(days=30)
    """Deliveries that were given up."""
    matches: Annotated[Duration, lasting("1h", "365d")] = timedelta(days=3)
    """The public stream `monitor:matches`."""
    archive: Annotated[Duration, lasting("1d", "3650d")] = timedelta(days=30)
    """The archive: articles, their matches and what routing decided."""


class NetworkSettings(Section):
    """Which addresses may be connected to."""

    allow: Many[Network] = ()
    """Networks that may be reached although they are not public, for feeds and receivers of your own."""


class MonitorFile(Section):
    """The process: its store, its limits, its addresses. Changes count from the next start."""

    store: StoreSettings = Field(default_factory=StoreSettings)
    archive: ArchiveSettings = Field(default_factory=ArchiveSettings)
    listen: ListenSettings = Field(default_factory=ListenSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    tracing: TracingSettings = Field(default_factory=TracingSettings)
    poll: PollSettings = Field(default_factory=PollSettings)
    deliver: DeliverSettings = Field(default_factory=DeliverSettings)
    bursts: BurstSettings = Field(default_factory=BurstSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    web: WebSettings = Field(default_factory=WebSettings)


# --- feeds.yaml ---


class FeedSettings(Section):
    """A feed to poll: RSS, Atom or JSON Feed."""

    id: Id
    """Stands in queries (`feed:ID`), routes, metrics and logs. A new id is a new feed, whose backlog is silent."""
    url: HttpUrl
    """Where the feed is."""
    name: Text | None = None
    """For people; without it, the id."""
    enabled: bool = True
    """`false`: not polled, but remembered."""
    every: Annotated[IntervalOrAuto, lasting("100ms", "30d", but="auto")] = "auto"
    """How often to poll, less often where the server asks for it. `auto`: as often as it has news, within
    `poll.auto_min` and `poll.auto_max`."""
    hints: Literal["obey", "ignore"] = "obey"
    """Whether `ttl`, `skipHours`, `skipDays` and `sy:updatePeriod` in the document count. HTTP headers always do."""
    limits: LimitScope = Field(default=LimitScope.HOST, strict=False)
    """What "too many requests" and `Retry-After` concern: `host`, every feed of its domain; `feed`, only this one."""
    full_text: FullText = Field(default=FullText.AUTO, strict=False)
    """Whether the page of an article is read for its body: `never`; `always`; `auto`, where the feed gives no body and
    a query names `body:`."""
    since: Annotated[Duration, lasting("1s", "3650d")] | None = None
    """How old the articles may be that the first poll alerts. None: the first poll alerts nobody."""
    lang: Code | None = None
    """The language that the articles declare, whatever the feed says. Each article's own text can tell another."""
    country: Code | None = None
    """The country of the publisher."""
    category: Code | None = None
    """What the feed is about."""
    labels: dict[Id, Text] = {}
    """Names and values of your own."""


class FeedsFile(Section):
    """The feeds. Files under `feeds/` are read too."""

    feeds: Many[FeedSettings] = ()


# --- rules.yaml ---


class ExampleSettings(Section):
    """An article to try a rule on; a text alone is a title. It has no date."""

    title: Text | None = None
    """The headline, plain."""
    summary: LongText | None = None
    """The summary, plain."""
    body: LongText | None = None
    """The full text, plain."""
    lang: Code | None = None
    """The language of the article."""
    feed: Id | None = None
    """The id of its feed, for queries that ask for it."""
    country: Code | None = None
    """The country of its feed."""
    category: Code | None = None
    """The category of its feed."""


Example = Annotated[ExampleSettings, text_as("title", ExampleSettings)]


class ExamplesSettings(Section):
    """Articles that show what a rule is for; `monitor check` tries them."""

    match: Many[Example] = ()
    """The rule must find each of these."""
    no_match: Many[Example] = ()
    """The rule must find none of these."""


class RuleSettings(Section):
    """What to look for."""

    id: Id
    """Stands in routes, alerts and other queries (`@ID`)."""
    query: Query
    """What an article must say, in the query language."""
    name: Text | None = None
    """For people; without it, the id."""
    owner: Text | None = None
    """Who to ask about the rule."""
    severity: Severity = Field(default=Severity.INFO, strict=False)
    """How much a match matters: `info`, `warning` or `critical`."""
    labels: dict[Id, Text] = {}
    """Names and values for routes to ask for."""
    expires: Expiry | None = None
    """The last day on which the rule works (in UTC), or the instant at which it ends."""
    shadow: bool = False
    """Try the rule: it matches and is counted, archived and explained, and alerts nobody."""
    examples: ExamplesSettings = Field(default_factory=ExamplesSettings)
    """Articles that the rule must and must not find."""


class RulesFile(Section):
    """The rules, and lists of terms that queries can name. Files under `rules/` are read too."""

    rules: Many[RuleSettings] = ()
    lists: dict[Id, Many[Text]] = {}
    """Terms by the name of their list: `list:@ID` in a query stands for any of them."""


# --- subscribers.yaml ---


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


class SubscribersFile(Section):
    """Who is told, and of what. Files under `subscribers/` are read too; one file has the route."""

    subscribers: Many[SubscriberSettings] = ()
    route: RouteSettings | None = None
    time_intervals: Many[TimeIntervalSettings] = ()
    """Times that routes can name."""
    inhibit_rules: Many[InhibitSettings] = ()
    """What keeps what else back."""


# --- entities/*.yaml ---


class NameSettings(Section):
    """One way to write an entity; a text alone is `n`."""

    n: Text
    """The name, as it stands in articles."""
    case: Literal["any", "title", "exact"] | None = None
    """Which capitals it needs: any, those that begin its words, or exactly these (`WHO`). Without it, as the entity."""
    needs: OneOrMany[Text] = ()
    """Phrases of which one must stand in the article too."""
    not_: OneOrMany[Text] = Field(default=(), alias="not")
    """Phrases that an occurrence must not be part of or touch."""
    inflect: Literal["auto", "none"] = "auto"
    """Whether its case forms are made."""
    valid: Many[Text | None] = ()
    """The first and the last day on which it holds, for names of an office: `[2004-03-09, null]`."""


Name = Annotated[NameSettings, text_as("n", NameSettings)]


class EntitySettings(Section):
    """Someone or something to watch for: what `entity:ID` in a query finds, in any language, script and case form."""

    id: Text
    """Stands in queries (`entity:ID`)."""
    type: Literal["person", "place", "org", "body", "event", "topic"]
    """What it is."""
    label: Text | None = None
    """For people; without it, the id. It can stand in queries too."""
    qid: Text | None = None
    """Its Wikidata id. It can stand in queries too."""
    parents: OneOrMany[Text] = ()
    """Ids of what it belongs to."""
    case: Literal["any", "title", "exact"] = "any"
    """Which capitals its names need, unless one says otherwise."""
    extend: bool = False
    """Whether the names are added to those of the entry of this id that is shipped, instead of replacing it."""
    names: dict[Text, Many[Name]]
    """Its names by language."""


class EntitiesFile(Section):
    """A part of the gazetteer."""

    entities: Many[EntitySettings] = ()
