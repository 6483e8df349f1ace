"""What may stand in each file, with every default; that of subscribers is in `subscriberschema`.

A text under a field describes it in the JSON Schema and in the reference.
"""

from datetime import timedelta
from importlib import import_module
from typing import Annotated, Literal

from pydantic import Field, model_validator

from monitor.config.section import Section
from monitor.config.types import (
    ArchiveUrl,
    Code,
    Duration,
    Expiry,
    FilePath,
    HttpUrl,
    Id,
    IntervalOrAuto,
    LongText,
    Many,
    Network,
    OneOrMany,
    Query,
    Size,
    StoreUrl,
    Text,
    Variable,
    between,
    lasting,
    text_as,
)
from monitor.config.values import WrongValueError, format_size
from monitor.core.model import FullText, LimitScope, Severity
from monitor.core.retry import LEASE_MARGIN
from monitor.core.wording import format_duration

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
