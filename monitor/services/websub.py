"""Subscribes feeds at their hubs, renews in time, leaves when they go, and takes what hubs push.

The registry has the state, for all processes.
"""

import heapq
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

import structlog

from monitor.core.feed import Document
from monitor.core.model import Feed, FeedState
from monitor.core.schedule import PollNext
from monitor.core.websub import (
    HubLinks,
    HubState,
    HubSubscription,
    after_poll,
    after_push,
    asked_for,
    asking,
    hub_links,
    is_signed,
    known_by,
    leaving,
    refused_by_hub,
    verify,
    with_hub,
)
from monitor.errors import CodecError
from monitor.ports import (
    Clock,
    Draft,
    FeedStore,
    Fetcher,
    HubClient,
    PollRecorded,
    RecordKind,
    Registry,
)
from monitor.registry import HUB_SUBSCRIPTIONS, Roster
from monitor.services.poller import PollerService
from monitor.services.service import PeriodicService
from monitor.services.slots import Slots
from monitor.telemetry import Metrics

_KIND = RecordKind.HUB_SUBSCRIPTION
_AT_ONCE = 8
_LEASE = timedelta(minutes=1)
_ACCEPTED, _NOT_FOUND, _GONE, _TRY_AGAIN = 202, 404, 410, 503

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Capability:
    """What makes our address for a feed ours: its part that nobody guesses, and the secret that signs what comes."""

    new_token: Callable[[], str]
    callback: Callable[[str, str], str]  # feed id, token
    secret: Callable[[str], str]  # token


class HubService(PeriodicService):
    """Follows the subscriptions, and asks hubs when it is time. Several at once ask once: who writes first asks."""

    name: ClassVar = (
        "poller"  # it has no life of its own: where feeds are polled, they are subscribed to
    )
    every = timedelta(seconds=2)

    def __init__(
        self,
        registry: Registry,
        store: FeedStore,
        client: HubClient,
        capability: Capability,
        is_listed: Callable[[str], bool],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """Ask hubs by `client` to push feeds that are listed, and to push no more those that were."""
        super().__init__(metrics)
        self._registry = registry
        self._store = store
        self._client = client
        self._capability = capability
        self._is_listed = is_listed
        self._clock = clock
        self._roster = Roster(registry, HUB_SUBSCRIPTIONS)
        self._plan: list[tuple[datetime, str]] = []
        self._found: dict[str, HubLinks] = {}

    def put_off(self, feed_id: str, following: PollNext, now: datetime) -> PollNext:
        """Return when to poll a feed that a hub may push."""
        return with_hub(following, self._roster.values.get(feed_id), now)

    def watching(self, fetcher: Fetcher) -> Fetcher:
        """Return a fetcher that does the same, and notes which documents name a hub."""
        return _Watching(fetcher, self._found)

    async def polled(self, feed: Feed, *, found_news: bool) -> None:
        """Learn from a poll: of a hub that is named, and of news that were not pushed."""
        now, known = self._clock.now(), self._roster.values.get(feed.id)
        links = self._found.pop(feed.id, None)
        if links is not None and await self._want(feed.id, links, known, now):
            return
        if known is not None:
            after = after_poll(known, found_news=found_news, now=now)
            if after != known:
                log.warning("hub_missed_news", feed=feed.id, hub=known.hub)
                await write(self._registry, after, now)

    async def _want(
        self, feed_id: str, links: HubLinks, known: HubSubscription | None, now: datetime
    ) -> bool:
        """Write down what a document calls for; tell whether that is a change of what is `known`."""
        token = self._capability.new_token()
        if asked_for(feed_id, links, token, now, known) is None:
            return False
        current, version = await subscription_of(self._registry, feed_id)
        wanted = asked_for(feed_id, links, token, now, current)
        if wanted is not None:
            await write(self._registry, wanted, now, expected=version)
        return True

    async def step(self) -> int:
        """Ask the hubs whose time has come; return how many."""
        change = await self._roster.refresh()
        for feed_id in change.changed:
            heapq.heappush(self._plan, (self._roster.values[feed_id].due_at, feed_id))
        due = await self._ours([*self._ripe(self._clock.now()), *self._unlisted()])
        async with Slots(_AT_ONCE) as slots:
            for subscription in due:
                while not slots.free:
                    await slots.changed(1.0)
                slots.start(self._ask(subscription))
        return len(due)

    def _ripe(self, now: datetime) -> Iterator[HubSubscription]:
        while self._plan and self._plan[0][0] <= now:
            due_at, feed_id = heapq.heappop(self._plan)
            subscription = self._roster.values.get(feed_id)
            if subscription is not None and subscription.due_at == due_at:
                yield subscription

    def _unlisted(self) -> Iterator[HubSubscription]:
        """Return what belongs to feeds that have gone since the last turn."""
        for subscription in self._roster.values.values():
            is_left = subscription.state is HubState.LEAVING
            if not is_left and not self._is_listed(subscription.feed_id):
                yield subscription

    async def _ours(self, due: Sequence[HubSubscription]) -> Sequence[HubSubscription]:
        """Leave to other processes what belongs to feeds that they alone list."""
        unlisted = [each.feed_id for each in due if not self._is_listed(each.feed_id)]
        theirs = await self._store.scheduled(unlisted) if unlisted else frozenset()
        return [each for each in due if each.feed_id not in theirs]

    async def _ask(self, planned: HubSubscription) -> None:
        """Ask one hub. Written down before, so that a crash here asks again later, and no other process asks too."""
        now = self._clock.now()
        record = await self._registry.get(_KIND, planned.feed_id)
        if record is None or HUB_SUBSCRIPTIONS.decode(record.value) != planned:
            return
        former = planned.former
        if former and former.state is HubState.LEAVING and former.act_at <= now:
            await self._leave_former(planned, former, record.version)
            return
        if not self._is_listed(planned.feed_id):
            await self._leave(planned, record.version)
            return
        asked = asking(planned, now)
        if not await write(self._registry, asked, now, expected=record.version):
            return
        callback = self._capability.callback(asked.feed_id, asked.token)
        secret = self._capability.secret(asked.token)
        problem = await self._client.subscribe(asked.hub, asked.topic, callback, secret)
        if problem:
            now = self._clock.now()
            log.warning("hub_refused", feed=asked.feed_id, hub=asked.hub, why=problem)
            current, version = await subscription_of(self._registry, asked.feed_id)
            if current == asked:  # else the hub has verified it meanwhile
                refused = refused_by_hub(asked, problem, now)
                await write(self._registry, refused, now, expected=version)
        else:
            log.info("hub_asked", feed=asked.feed_id, hub=asked.hub)

    async def _leave(self, planned: HubSubscription, version: int) -> None:
        """Ask the hub to push no more. It is forgotten when the hub has verified that, or was asked often enough."""
        now = self._clock.now()
        asked = leaving(planned, now, "its feed was removed")
        if asked is None:
            await self._registry.remove(_KIND, planned.feed_id, now, version)
        elif await write(self._registry, asked, now, expected=version):
            await self._say_farewell(asked)

    async def _leave_former(
        self, planned: HubSubscription, former: HubSubscription, version: int
    ) -> None:
        """Ask the hub that a feed named before to push no more, as `_leave` does."""
        now = self._clock.now()
        asked = leaving(former, now, "its feed names another hub")
        after = replace(planned, former=asked)
        if await write(self._registry, after, now, expected=version) and asked:
            await self._say_farewell(asked)

    async def _say_farewell(self, asked: HubSubscription) -> None:
        callback = self._capability.callback(asked.feed_id, asked.token)
        problem = await self._client.unsubscribe(asked.hub, asked.topic, callback)
        log.info("hub_left", feed=asked.feed_id, hub=asked.hub, problem=problem)


class _Watching:
    """A fetcher that notes which documents name a hub."""

    def __init__(self, inner: Fetcher, found: dict[str, HubLinks]) -> None:
        self._inner = inner
        self._found = found

    async def fetch(self, feed: Feed, state: FeedState) -> Document:
        self._found.pop(feed.id, None)
        document = await self._inner.fetch(feed, state)
        links = hub_links(document)
        if links is not None:
            self._found[feed.id] = links
        return document


class HubCallback:
    """What hubs ask and push, whoever serves it."""

    def __init__(
        self,
        registry: Registry,
        store: FeedStore,
        poller: PollerService,
        find: Callable[[str], Awaitable[Feed | None]],
        secret: Callable[[str], str],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """Hand what is pushed for the feeds that `find` knows to `poller`."""
        self._registry = registry
        self._store = store
        self._poller = poller
        self._find = find
        self._secret = secret
        self._clock = clock
        self._metrics = metrics

    async def verify(self, feed_id: str, token: str, query: Mapping[str, str]) -> str | None:
        """Return what to echo to a hub that asks whether we want a subscription; None: we do not."""
        now = self._clock.now()
        while True:
            subscription, version = await subscription_of(self._registry, feed_id)
            answer = verify(subscription, token, query, now)
            if answer.ends:
                await self._registry.remove(_KIND, feed_id, now, version)
                log.info("hub_forgotten", feed=feed_id)
            if answer.after is None:
                return answer.challenge
            if await write(self._registry, answer.after, now, expected=version):
                log.info("hub_answered", feed=feed_id, state=answer.after.state)
                return answer.challenge

    async def expects(self, feed_id: str, token: str) -> int:
        """Return 202 when a push to this address is worth reading, else the status to refuse it with."""
        subscription, _ = await subscription_of(self._registry, feed_id)
        if subscription is None or subscription.state is HubState.LEAVING:
            return _GONE
        asked = known_by(subscription, token)
        if asked is None:
            return _NOT_FOUND
        return _GONE if asked.state is HubState.LEAVING else _ACCEPTED

    async def pushed(
        self, feed_id: str, token: str, signature: str, content_type: str, body: bytes
    ) -> int:
        """Take what was pushed to an address that `expects` it; return the status to answer with.

        A wrong signature is answered as a right one is, so that nobody can try. What cannot be recorded now is
        refused, so that the hub brings it again.
        """
        now = self._clock.now()
        subscription, version = await subscription_of(self._registry, feed_id)
        feed = await self._find(feed_id)
        asked = known_by(subscription, token) if subscription else None
        if subscription is None or asked is None or feed is None:
            return _GONE
        if not is_signed(signature, body, self._secret(token)):
            self._metrics.hub_pushes.labels("unsigned").inc()
            log.warning("push_not_signed", feed=feed_id, hub=asked.hub)
            return _ACCEPTED
        lease = await self._store.take(feed_id, now, _LEASE)
        if lease is None:
            return _GONE
        document = Document(
            url=lease.state.url or asked.topic,
            status=226,
            body=body,
            headers={"content-type": content_type},
        )
        is_read, recorded = await self._poller.push(feed, lease, document)
        if recorded is not PollRecorded.DONE:
            self._metrics.hub_pushes.labels("refused").inc()
            return _TRY_AGAIN
        self._metrics.hub_pushes.labels("taken" if is_read else "unreadable").inc()
        await write(self._registry, after_push(subscription, token, now), now, expected=version)
        return _ACCEPTED


async def subscription_of(registry: Registry, feed_id: str) -> tuple[HubSubscription | None, int]:
    """Return what is subscribed to for a feed, and its version. One that cannot be read is none."""
    record = await registry.get(_KIND, feed_id)
    if record is None:
        return None, 0
    try:
        return HUB_SUBSCRIPTIONS.decode(record.value), record.version
    except CodecError as error:
        log.warning("record_not_read", kind=_KIND, record=feed_id, error=str(error))
        return None, record.version


async def write(
    registry: Registry, subscription: HubSubscription, now: datetime, expected: int | None = None
) -> bool:
    """Write a subscription; False when it is not the expected version any more."""
    draft = Draft(
        id=subscription.feed_id,
        value=HUB_SUBSCRIPTIONS.encode(subscription),
        expected=expected,
    )
    return (await registry.put(_KIND, draft, now)).refusal is None
