"""The services that were chosen, over open parts."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import structlog

from monitor.app.lanes import Lanes
from monitor.app.parts import Outside, StoreParts
from monitor.app.reading import page_reading, rules_read_body
from monitor.config.added import NOBODY, Added, join, with_added
from monitor.config.made import merge
from monitor.config.rulebase import Rulebase
from monitor.config.settings import Settings
from monitor.core.made import LeftOut, Made
from monitor.core.model import Feed
from monitor.core.routing import Route
from monitor.core.targets import Target
from monitor.ports import Archive, RecordKind
from monitor.registry import FEEDS, RULES, SUBSCRIBERS, Roster
from monitor.services.archiver import ArchiverService
from monitor.services.deliverer import DelivererService
from monitor.services.following import FollowingService
from monitor.services.housekeeper import HousekeeperService
from monitor.services.listing import ListingService
from monitor.services.matcher import MatcherService
from monitor.services.poller import PollerService
from monitor.services.router import RouterService
from monitor.services.supervisor import supervise
from monitor.services.websub import Capability, HubCallback, HubService
from monitor.services.wishes import Wishes
from monitor.telemetry import Metrics, Redactor

SERVICES = ("poller", "matcher", "router", "deliverer", "archiver", "housekeeper", "web")
GRACE = timedelta(seconds=10)
_POLL_LEASE = timedelta(minutes=5)  # a poll may wait for its turn at a busy host

log = structlog.get_logger()


class Program:
    """The services that were chosen, over open parts. Takes new settings while it runs, all or nothing.

    `files` are the settings as files say them, `settings` the same with what people made while it runs.
    """

    def __init__(
        self,
        settings: Settings,
        parts: StoreParts,
        outside: Outside,
        metrics: Metrics,
        only: frozenset[str] = frozenset(SERVICES),
        archive: Archive | None = None,
        capability: Capability | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        """Build every service; nothing runs yet.

        Without an `archive` nothing is archived here, without a `capability` no hub is asked to push. A `redactor` is
        told the secrets of whatever is put in force, before that.
        """
        self._parts = parts
        self._redactor = redactor
        self.files = self.settings = settings
        self.added = NOBODY
        self._turn = asyncio.Lock()
        self._rules = Roster(parts.registry, RULES)
        self._subscribers = Roster(parts.registry, SUBSCRIBERS)
        feeds = Roster(parts.registry, FEEDS, self._within_bounds)
        # Where feeds are polled the listing follows them, and schedules what changes.
        known = () if "poller" in only else (feeds,)
        made = (self._rules, self._subscribers)
        self.following = FollowingService(made, self._follow, metrics, known=known)
        self._lanes = Lanes(outside.channel, settings.deliver.timeout)
        clock = parts.clock
        self.listing = ListingService(
            parts.feeds,
            feeds,
            _by_id(settings),
            clock,
            metrics,
        )
        self.hubs: HubService | None = None
        if capability and outside.hubs:
            self.hubs = HubService(
                parts.registry,
                parts.feeds,
                outside.hubs,
                capability,
                lambda feed_id: feed_id in self.listing.feeds,
                clock,
                metrics,
            )
        self._reading = page_reading(settings, outside, parts.feeds, clock, metrics)
        self.poller = PollerService(
            parts.feeds,
            self.hubs.watching(outside.fetcher) if self.hubs else outside.fetcher,
            outside.parser,
            {},
            clock,
            metrics,
            linguist=outside.linguist,
            concurrency=settings.poll.concurrency,
            lease=_POLL_LEASE,
            new_trace=lambda: uuid.uuid4().hex[:16],
            reading=self._reading,
        )
        self.poller.use(self.listing.feeds, self.listing.addresses)
        if self.hubs:
            self.poller.follow(self.hubs)
        self.callback: HubCallback | None = None
        if capability:
            self.callback = HubCallback(
                parts.registry,
                parts.feeds,
                self.poller,
                self._find,
                capability.secret,
                clock,
                metrics,
            )
        self.matcher = MatcherService(parts.articles, settings.rule_set, clock, metrics)
        self.router = RouterService(
            parts.matches,
            parts.public,
            parts.ledger,
            parts.registry,
            parts.habits,
            settings.routing,
            clock,
            metrics,
        )
        self.deliverer = DelivererService(
            parts.ledger,
            self._lanes.change(settings.targets, settings.routing),
            clock,
            metrics,
            concurrency=settings.deliver.concurrency,
            lease=settings.deliver.lease,
            wishes=Wishes(parts.registry),
        )
        self.housekeeper = HousekeeperService(parts.health, clock, metrics)
        self.archiver = archive and ArchiverService(
            parts.chapters,
            archive,
            clock,
            metrics,
            linguist=outside.linguist,
            keep=settings.retention.archive,
        )
        every = (
            self.listing,
            self.hubs,
            self.poller,
            self.matcher,
            self.router,
            self.deliverer,
            self.archiver,
            self.housekeeper,
        )
        self.services = (self.following, *(one for one in every if one and one.name in only))

    async def use(self, settings: Settings) -> None:
        """Put new settings in force: everything is built first, then swapped at once, then feeds are rescheduled.

        Rules are changed in a thread, and only those that differ.
        """
        async with self._turn:
            feeds = _by_id(settings)
            is_change = settings.rulebase.revision is not None
            base = self.settings.rulebase if is_change else settings.rulebase
            await self._put_in_force(settings, base, NOBODY)
            self.listing.use(feeds)
            self.poller.use(self.listing.feeds, self.listing.addresses)
        await self._schedule()

    async def _follow(self) -> None:
        """Put in force what people made; the files are as they were."""
        async with self._turn:
            rules, added = self.settings.rulebase, self.added
            await self._put_in_force(self.files, rules, added)
        if self.settings.rulebase.rules != rules.rules:
            rules = self.settings.rulebase
            log.info("rules_changed", made=len(rules.made), left_out=len(rules.left_out))
        if self.added != added:
            added = self.added
            log.info("subscribers_changed", added=len(added.in_force), left_out=len(added.left_out))

    async def _put_in_force(self, files: Settings, base: Rulebase, standing: Added) -> None:
        """Put rules and subscribers of files and of the registry in force, as a change of `base` and `standing`."""
        rules, subscribers = dict(self._rules.values), dict(self._subscribers.values)
        before, added_before = self.settings.rulebase, self.added
        rulebase = await asyncio.to_thread(_merged, files.rulebase, rules, base)
        added = await asyncio.to_thread(join, files, subscribers, standing)
        routing = replace(files.routing, shadow=rulebase.shadow)
        settings = with_added(replace(files, rulebase=rulebase, routing=routing), added)
        if self._redactor and settings.secrets != self.settings.secrets:
            self._redactor.hide(secret.reveal() for secret in settings.secrets)
        self.matcher.use(settings.rule_set)
        if _reached(settings) != _reached(self.settings):
            self.deliverer.use(self._lanes.change(settings.targets, settings.routing))
        self.router.use(settings.routing)
        self._reading.use(rules_read_body=rules_read_body(settings))
        said = replace(files.rulebase, rule_set=rulebase.rule_set, revision=None)
        self.files = replace(files, rulebase=said)
        self.settings, self.added = settings, added
        _log_left_out(before.left_out, rulebase.left_out)
        _log_new("subscriber_left_out", added_before.left_out, added.left_out)
        _log_new("subscriber_not_ready", added_before.unready, added.unready)

    async def _find(self, feed_id: str) -> Feed | None:
        """Return a feed, in a process that does not poll too."""
        if feed_id in self.listing.feeds:
            return self.listing.feeds[feed_id]
        record = await self._parts.registry.get(RecordKind.FEED, feed_id)
        return None if record is None else self._within_bounds(FEEDS.decode(record.value))

    def _within_bounds(self, feed: Feed) -> Feed:
        """Return a feed of the registry with the intervals that the settings allow now."""
        poll = self.settings.poll
        every = None if feed.every is None else max(feed.every, poll.min_interval)
        return replace(feed, every=every, shortest=poll.auto_min, longest=poll.auto_max)

    async def catch_up(self) -> None:
        """Put in force what people made, without waiting for the next turn; other processes have it within a second."""
        await self.following.step()
        if self.listing in self.services:
            await self.listing.step()

    async def run(self, stop: asyncio.Event) -> None:
        """Schedule the feeds and run the services until `stop` is set.

        What people made is in force before the first article is read.
        """
        try:
            await self.following.step()
            await self._schedule()
            await supervise(self.services, stop, GRACE)
        finally:
            await self._lanes.close()

    async def _schedule(self) -> None:
        """Make the store's schedule that of the feeds there are; only a poller's process has a say in it."""
        if self.listing in self.services:
            await self.listing.sync()


def _reached(settings: Settings) -> tuple[tuple[Target, ...], Route]:
    """Return what lanes are made of, so that a change of rules alone leaves them as they are."""
    return settings.targets, settings.route


def _by_id(settings: Settings) -> dict[str, Feed]:
    return {feed.id: feed for feed in settings.feeds}


def _merged(files: Rulebase, made: Mapping[str, Made], base: Rulebase) -> Rulebase:
    return merge(files, made, base).carried_out()


def _log_left_out(before: Mapping[str, LeftOut], after: Mapping[str, LeftOut]) -> None:
    """Say what is left out that was not before, or for another reason."""
    for id_, each in after.items():
        if before.get(id_) != each:
            log.warning("rule_left_out", rule=id_, reason=each.why)


def _log_new(event: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Say what is wrong with subscribers that was not before."""
    for name, why in after.items():
        if before.get(name) != why:
            log.warning(event, subscriber=name, reason=why)
