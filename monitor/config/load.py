"""Reads a configuration directory and the environment: settings, or every problem at once."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from monitor.config import environment, records, routerecords
from monitor.config.checks import disagreements
from monitor.config.files import Files, Item, Source, read_all
from monitor.config.rulebase import Rulebase, compile_rulebase
from monitor.config.schema import BurstSettings, ListenSettings
from monitor.config.secrets import (
    SecretSource,
    check_link_key,
    check_store_address,
)
from monitor.config.settings import ARCHIVE_FILE, ArchivePlace, Settings, Store, Web
from monitor.config.subscriberschema import SubscribersFile
from monitor.config.targets import targets_of
from monitor.config.values import WrongValueError, database
from monitor.core.burst import Least
from monitor.core.canary import canary_feed
from monitor.core.model import Feed
from monitor.core.routing import Route
from monitor.core.secret import Secret
from monitor.core.targets import Subscriber
from monitor.core.telling import RoutingTable
from monitor.errors import ConfigError, Problem


def load(directory: Path, environ: Mapping[str, str], standing: Rulebase | None = None) -> Settings:
    """Return the settings, or raise `ConfigError` with all problems in the order of files and places.

    With the `standing` rules, those that are in force, only what differs from them is compiled.
    """
    problems: list[Problem] = []
    files = read_all(directory, problems)
    problems += disagreements(files)
    settings = _settings(files, directory, environ, problems, standing)
    if problems:
        raise ConfigError(tuple(sorted(set(problems))))
    return settings


def _settings(
    files: Files,
    directory: Path,
    environ: Mapping[str, str],
    problems: list[Problem],
    standing: Rulebase | None,
) -> Settings:
    """Build the settings as far as the files allow; what is left out has its problem."""
    process = files.process.settings
    secrets = SecretSource(directory, environ)
    listen = environment.listen(process.listen, environ, problems)
    rulebase = compile_rulebase(files.rules, files.entities, problems, standing)
    intervals = _intervals(files.subscribers)
    return Settings(
        store=_store(files, environ, secrets, problems),
        archive=_archive(files, environ, secrets, problems),
        listen=listen,
        log=process.log,
        tracing=process.tracing,
        poll=process.poll,
        deliver=process.deliver,
        retention=process.retention,
        network=process.network,
        web=_web(files, secrets, problems),
        feeds=(
            *(
                records.feed(feed, process.poll)
                for source in files.feeds
                for feed in source.settings.feeds
                if feed.enabled
            ),
            *_canary(files, listen, problems),
        ),
        rulebase=rulebase,
        subscribers=tuple(
            Subscriber(
                name=item.settings.name,
                targets=tuple(targets_of(item, secrets, directory, problems)),
            )
            for source in files.subscribers
            for item in source.items("subscribers", source.settings.subscribers)
        ),
        routing=_routing(files.subscribers, intervals, rulebase, process.bursts),
        intervals=intervals,
        secret_source=secrets,
    )


def _canary(files: Files, listen: ListenSettings, problems: list[Problem]) -> Iterator[Feed]:
    every = files.process.settings.poll.canary
    if every is None:
        return
    if not listen.port:
        poll = files.process.root.find(("poll",))
        item = Item(files.process.settings.poll, poll, files.process.document)
        problems.append(
            item.problem(
                ("canary",), "the canary needs a port that is known", "give listen.port a number"
            )
        )
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104 - what others wrote
    base = f"http://{f'[{host}]' if ':' in host else host}:{listen.port}"
    yield canary_feed(base, every)


def _intervals(sources: tuple[Source[SubscribersFile], ...]) -> routerecords.Intervals:
    return {
        each.name: routerecords.interval(each)
        for source in sources
        for each in source.settings.time_intervals
    }


def _routing(
    sources: tuple[Source[SubscribersFile], ...],
    intervals: routerecords.Intervals,
    rulebase: Rulebase,
    bursts: BurstSettings,
) -> RoutingTable:
    trees = [source.settings.route for source in sources if source.settings.route]
    return RoutingTable(
        tree=routerecords.route(trees[0], intervals) if trees else Route(),
        desks={
            each.name: routerecords.desk(each)
            for source in sources
            for each in source.settings.subscribers
        },
        inhibit=tuple(
            routerecords.inhibit_rule(each)
            for source in sources
            for each in source.settings.inhibit_rules
        ),
        shadow=rulebase.shadow,
        bursts=Least(bursts.stories, bursts.sources) if bursts.enabled else None,
    )


def _store(
    files: Files, environ: Mapping[str, str], secrets: SecretSource, problems: list[Problem]
) -> Store:
    settings = files.process.settings.store
    url = environment.store_address(environ, problems)
    if url is None and settings.url:
        url = Secret(settings.url)
    if url is None:
        url = _secret(files, "store", "url", check_store_address, secrets, problems)
    return Store(
        url=url,
        directory=_directory(files, environ),
        max_memory=settings.max_memory,
        partitions=settings.partitions,
    )


def _directory(files: Files, environ: Mapping[str, str]) -> Path:
    named = environment.data_directory(environ)
    return Path(named or files.process.settings.store.directory)


def _archive(
    files: Files, environ: Mapping[str, str], secrets: SecretSource, problems: list[Problem]
) -> ArchivePlace:
    settings = files.process.settings.archive
    url = Secret(settings.url) if settings.url else None
    if url is None:
        url = _secret(files, "archive", "url", database, secrets, problems)
    return ArchivePlace(
        enabled=settings.enabled, url=url, path=_directory(files, environ) / ARCHIVE_FILE
    )


def _web(files: Files, secrets: SecretSource, problems: list[Problem]) -> Web:
    settings = files.process.settings.web
    key = _secret(files, "web", "link_key", check_link_key, secrets, problems)
    return Web(public_url=settings.public_url, link_key=key)


def _secret(
    files: Files,
    part: str,
    name: str,
    check: Callable[[str], object],
    secrets: SecretSource,
    problems: list[Problem],
) -> Secret | None:
    """Return a secret of a part of the process's file, if one is given."""
    section = getattr(files.process.settings, part)
    try:
        return secrets.get(section, name, check)
    except WrongValueError as error:
        item = Item(section, files.process.root.find((part,)), files.process.document)
        problems.append(item.problem((error.key,), error.message, error.hint))
        return None
