"""What loading gives: everything the process needs to know, checked, with its secrets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monitor.config.schema import (
    DeliverSettings,
    ListenSettings,
    LogSettings,
    NetworkSettings,
    PollSettings,
    RetentionSettings,
)
from monitor.core.model import Article, Feed, Rule
from monitor.core.routing import Route
from monitor.core.secret import Secret
from monitor.core.targets import EmailTarget, SlackTarget, Subscriber, Target, WebhookTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where the store is: `url` of a server, or the embedded one in `directory`."""

    url: Secret | None
    directory: Path
    max_memory: int
    partitions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Articles that a rule must find, and articles that it must not."""

    match: tuple[Article, ...] = ()
    no_match: tuple[Article, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One configuration, complete and consistent.

    `feeds` are those switched on, `rules` in the order of the files, `entities` the gazetteer's records as written;
    `examples` are by rule id.
    """

    store: Store
    listen: ListenSettings
    log: LogSettings
    poll: PollSettings
    deliver: DeliverSettings
    retention: RetentionSettings
    network: NetworkSettings
    public_url: str | None = None
    feeds: tuple[Feed, ...] = ()
    rules: tuple[Rule, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    examples: Mapping[str, Examples] = field(default_factory=dict)
    entities: tuple[Mapping[str, object], ...] = ()
    subscribers: tuple[Subscriber, ...] = ()
    route: Route = Route()  # noqa: RUF009 - a frozen value

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every target that is switched on."""
        return tuple(target for subscriber in self.subscribers for target in subscriber.targets)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret, for whoever keeps them out of logs."""
        return (*((self.store.url,) if self.store.url else ()), *_secrets(self.targets))


def _secrets(targets: tuple[Target, ...]) -> Iterator[Secret]:
    for target in targets:
        if isinstance(target, SlackTarget):
            yield target.webhook_url
        elif isinstance(target, EmailTarget) and target.smtp.password:
            yield target.smtp.password
        elif isinstance(target, WebhookTarget):
            yield from target.secrets
            if "authorization" in target.headers:
                yield Secret(target.headers["authorization"])
