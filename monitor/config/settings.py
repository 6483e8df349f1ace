"""What loading gives: everything the process needs to know, checked, with its secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monitor.config.rulebase import Rulebase
from monitor.config.schema import (
    DeliverSettings,
    ListenSettings,
    LogSettings,
    NetworkSettings,
    PollSettings,
    RetentionSettings,
    StoreSettings,
    TracingSettings,
)
from monitor.config.secrets import SecretSource
from monitor.core.engine import RuleSet
from monitor.core.intervals import TimeInterval
from monitor.core.model import Feed, Rule
from monitor.core.routing import Route
from monitor.core.secret import Secret
from monitor.core.targets import Subscriber, Target, secrets_of
from monitor.core.telling import RoutingTable

ARCHIVE_FILE = "archive.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where the store is: `url` of a server, or the embedded one in `directory`."""

    url: Secret | None = None
    directory: Path = Path(StoreSettings().directory)
    max_memory: int = StoreSettings().max_memory
    partitions: int = StoreSettings().partitions


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePlace:
    """Whether there is an archive, and where: the `url` of a database, or a file."""

    enabled: bool = True
    url: Secret | None = None
    path: Path = Path(StoreSettings().directory) / ARCHIVE_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """How readers reach the web endpoint, if they do, and the key that signs their links, if it is configured."""

    public_url: str | None = None
    link_key: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One configuration, complete and consistent; without arguments, what holds when there is no file at all.

    `feeds` are those switched on. `intervals` are the times that routes can name, and `secret_source` is where
    secrets come from, for subscribers that are added while it runs.
    """

    store: Store = field(default_factory=Store)
    archive: ArchivePlace = field(default_factory=ArchivePlace)
    listen: ListenSettings = field(default_factory=ListenSettings)
    log: LogSettings = field(default_factory=LogSettings)
    tracing: TracingSettings = field(default_factory=TracingSettings)
    poll: PollSettings = field(default_factory=PollSettings)
    deliver: DeliverSettings = field(default_factory=DeliverSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    web: Web = field(default_factory=Web)
    feeds: tuple[Feed, ...] = ()
    rulebase: Rulebase = field(default_factory=Rulebase)
    subscribers: tuple[Subscriber, ...] = ()
    routing: RoutingTable = field(default_factory=RoutingTable)
    intervals: Mapping[str, TimeInterval] = field(default_factory=dict)
    secret_source: SecretSource = field(default_factory=lambda: SecretSource(Path(), {}))

    @property
    def route(self) -> Route:
        """The tree of routes."""
        return self.routing.tree

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, in the order of the files."""
        return tuple(self.rulebase.rules.values())

    @property
    def rule_set(self) -> RuleSet:
        """The rules ready to match."""
        return self.rulebase.rule_set

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every target that is switched on."""
        return tuple(target for subscriber in self.subscribers for target in subscriber.targets)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret, for whoever keeps them out of logs."""
        ours = (self.store.url, self.archive.url, self.web.link_key)
        theirs = (secret for target in self.targets for secret in secrets_of(target))
        return (*(each for each in ours if each), *theirs)
