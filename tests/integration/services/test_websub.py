"""Feeds that are pushed, against a hub and a publisher on real sockets."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from monitor.app.hubs import capability
from monitor.core.model import Article, Feed
from monitor.core.secret import Secret
from monitor.core.websub import LEASE, SAFETY_NET, HubState, HubSubscription
from monitor.feeds.fetch import HttpFetcher
from monitor.feeds.hub import HttpHubClient
from monitor.feeds.linguist import ModelLinguist
from monitor.feeds.process import ProcessParser
from monitor.ports import Draft, RecordKind
from monitor.services.poller import PollerService
from monitor.services.websub import HubCallback, HubService, subscription_of
from monitor.streams.instants import from_ms, to_ms
from monitor.streams.memory import MemoryArticleLog, MemoryFeedStore, MemoryRegistry, MemoryStore
from monitor.telemetry import Metrics
from monitor.web.app import serve
from monitor.web.websub import HubPages
from tests.clock import StandingClock
from tests.factories import feed
from tests.servers.feeds import (
    FeedServer,
    document,
    feed_server,
    item,
    open_test_session,
    redirect,
    rss,
)
from tests.servers.hub import Hub
from tests.wait import wait_until

MAX_BYTES = 50_000
MINUTE = timedelta(minutes=1)
KEY = Secret("k" * 40)


class Bench:
    """A poller that follows hubs, over a store in memory; `open` is what a start of the process does."""

    def __init__(self, publisher: FeedServer, hub: Hub, parser: ProcessParser) -> None:
        self.publisher = publisher
        self.hub = hub
        self.parser = parser
        self.store = MemoryStore()
        self.registry = MemoryRegistry(self.store)
        self.feeds = MemoryFeedStore(self.store)
        self.log = MemoryArticleLog(self.store)
        self.clock = StandingClock()
        self.metrics = Metrics()
        self.is_listed = True
        self.feed = feed(id="one", url=publisher.base + "/rss", every=timedelta(minutes=15))

    async def open(self, stack: AsyncExitStack, session: aiohttp.ClientSession) -> None:
        """Start everything that a process has; what was there before is forgotten."""
        app = web.Application()
        base = await stack.enter_async_context(serve(app_of(self, app), "127.0.0.1", 0))
        capable = capability(base, KEY)
        self.hubs = HubService(
            self.registry,
            self.feeds,
            HttpHubClient(session),
            capable,
            lambda _: self.is_listed,
            self.clock,
            self.metrics,
        )
        self.poller = PollerService(
            self.feeds,
            self.hubs.watching(HttpFetcher(session)),
            self.parser,
            {self.feed.id: self.feed},
            self.clock,
            self.metrics,
            linguist=ModelLinguist(),
            concurrency=4,
            lease=MINUTE,
            new_trace=lambda: "trace",
        )
        self.poller.follow(self.hubs)
        self.callback = HubCallback(
            self.registry,
            self.feeds,
            self.poller,
            self.find,
            capable.secret,
            self.clock,
            self.metrics,
        )
        await self.feeds.sync([self.feed], self.clock.now(), timedelta())

    async def find(self, feed_id: str) -> Feed | None:
        return self.feed if feed_id == self.feed.id else None

    # What HubPages asks; the callback is made after its address is known.
    async def verify(self, *arguments: Any) -> str | None:
        return await self.callback.verify(*arguments)

    async def expects(self, *arguments: Any) -> int:
        return await self.callback.expects(*arguments)

    async def pushed(self, *arguments: Any) -> int:
        return await self.callback.pushed(*arguments)

    def publish(self, *items: str) -> str:
        """Put a document at the publisher's address; it names the hub."""
        text = rss(*items)
        links = f'<{self.hub.url}>; rel="hub", <{self.feed.url}>; rel="self"'
        self.publisher.script("/rss", document(text, headers={"Link": links}))
        return text

    async def poll(self) -> list[Article]:
        await self.poller.step()
        return await self.told()

    async def told(self) -> list[Article]:
        entries = await self.log.read(100, timedelta())
        for entry in entries:
            await self.log.forward(entry, ())
        return [entry.value for entry in entries]

    async def subscribe(self) -> None:
        """Poll, ask the hub, and wait until it has verified."""
        self.publish(item(1))
        await self.poll()
        assert await self.hubs.step() == 1
        await wait_until(self.is_subscribed, "the hub has verified")
        await self.hubs.step()

    async def is_active(self) -> bool:
        return (await self.subscription()).state is HubState.ACTIVE

    async def is_subscribed(self) -> bool:
        """Tell whether the hub has heard our answer too, and pushes."""
        return await self.is_active() and self.feed.url in self.hub.subscribers

    async def subscription(self) -> HubSubscription:
        kept, _ = await subscription_of(self.registry, "one")
        assert kept
        return kept

    async def unlist(self) -> None:
        """Take the feed out of what is polled."""
        self.is_listed = False
        await self.feeds.sync([], self.clock.now(), timedelta())

    async def is_forgotten(self) -> bool:
        return await self.registry.get(RecordKind.HUB_SUBSCRIPTION, "one") is None

    async def due_in(self) -> timedelta:
        due = await self.feeds.next_due()
        assert due
        return due - self.clock.now()


def app_of(bench: Bench, app: web.Application) -> web.Application:
    HubPages(bench, MAX_BYTES).add_to(app)
    return app


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    hub = Hub()
    async with (
        AsyncExitStack() as stack,
        feed_server() as publisher,
        hub.running(),
        open_test_session() as session,
        ProcessParser(workers=1) as parser,
    ):
        bench = Bench(publisher, hub, parser)
        await bench.open(stack, session)
        yield bench


async def test_27_a_feed_that_names_a_hub_is_subscribed_to_and_polled_rarely(bench: Bench) -> None:
    bench.publish(item(1))
    await bench.poll()
    assert await bench.due_in() <= timedelta(minutes=15)
    await bench.hubs.step()
    await wait_until(bench.is_active, "the hub has verified")
    [asked] = bench.hub.asked
    assert asked["hub.topic"] == bench.feed.url
    assert asked["hub.lease_seconds"] == str(int(LEASE.total_seconds()))
    assert len(asked["hub.secret"]) == 64
    await bench.hubs.step()
    bench.clock.advance(timedelta(minutes=15))
    await bench.poll()
    assert await bench.due_in() == timedelta(hours=1) - timedelta(minutes=15)  # as long as promised


async def test_what_is_pushed_is_told_once_whatever_a_poll_finds_later(bench: Bench) -> None:
    await bench.subscribe()
    text = bench.publish(item(2, title="Pushed"), item(1))
    assert await bench.hub.publish(bench.feed.url, text) == 202
    assert [article.title for article in await bench.told()] == ["Pushed"]
    assert await bench.hub.publish(bench.feed.url, text) == 202
    bench.clock.advance(SAFETY_NET)
    assert await bench.poll() == []
    assert (await bench.subscription()).missed_at is None


async def test_a_push_leaves_validators_and_the_next_poll_as_they_were(bench: Bench) -> None:
    await bench.subscribe()
    before = (await bench.feeds.states(["one"]))["one"]
    bench.clock.advance(MINUTE)
    await bench.hub.publish(bench.feed.url, rss(item(2)))
    after = (await bench.feeds.states(["one"]))["one"]
    assert (after.body_hash, after.etag, after.next_poll_at) == (
        before.body_hash,
        before.etag,
        before.next_poll_at,
    )
    assert before.next_poll_at
    assert await bench.due_in() == from_ms(to_ms(before.next_poll_at)) - bench.clock.now()
    assert after.changed_at == bench.clock.now()


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
async def test_every_method_of_the_recommendation_is_understood(bench: Bench, method: str) -> None:
    await bench.subscribe()
    assert await bench.hub.publish(bench.feed.url, rss(item(2)), method) == 202
    assert len(await bench.told()) == 1


async def test_27_a_wrong_signature_is_answered_well_and_its_body_dropped(bench: Bench) -> None:
    await bench.subscribe()
    for method, secret in (("sha256", "wrong"), ("md5", None)):
        assert await bench.hub.publish(bench.feed.url, rss(item(2)), method, secret) == 202
    callback = bench.hub.subscribers[bench.feed.url].callback
    assert await bench.hub.post(callback, rss(item(3)).encode(), {}) == 202
    assert await bench.told() == []
    assert bench.metrics.hub_pushes.labels("unsigned")._value.get() == 3


async def test_27_only_what_we_asked_for_is_verified(bench: Bench) -> None:
    bench.publish(item(1))
    await bench.poll()
    bench.hub.verifies = False
    await bench.hubs.step()
    [asked] = bench.hub.asked
    for changes in (
        {"hub.topic": "http://other.example/"},
        {"hub.mode": "unsubscribe"},
        {"hub.challenge": "<script>" + "x" * 2000},
        {"hub.challenge": "two words"},
        {"hub.lease_seconds": "0"},
        {"hub.lease_seconds": "forever"},
    ):
        status, _ = await bench.hub.verify(asked, **changes)
        assert status == 404, changes
    for path in ("/nobody/" + asked["hub.callback"].rsplit("/", 1)[1], "/one/guessed"):
        other = asked["hub.callback"].rsplit("/", 2)[0] + path
        assert (await bench.hub.verify(asked | {"hub.callback": other}))[0] == 404
    assert not await bench.is_active()
    assert (await bench.hub.verify(asked))[0] == 200
    assert await bench.is_active()


async def test_27_a_subscription_is_renewed_before_it_ends(bench: Bench) -> None:
    await bench.subscribe()
    bench.clock.advance(timedelta(minutes=55))
    assert await bench.hubs.step() == 1
    expected = bench.clock.now() + timedelta(hours=1)

    async def is_renewed() -> bool:
        return (await bench.subscription()).expires_at == expected

    await wait_until(is_renewed, "the hub has verified again")
    assert len(bench.hub.asked) == 2


async def test_a_hub_that_is_gone_leaves_the_feed_to_polling(bench: Bench) -> None:
    await bench.subscribe()
    bench.hub.refuse_with = 503
    bench.clock.advance(timedelta(minutes=55))
    await bench.hubs.step()
    await bench.hubs.step()
    assert (await bench.subscription()).detail == "HTTP 503 no"
    bench.clock.advance(timedelta(minutes=5))  # the lease is over
    await bench.poll()
    assert await bench.due_in() == timedelta(minutes=15)
    bench.hub.refuse_with = 0
    bench.clock.advance(timedelta(hours=1))
    await bench.hubs.step()
    await wait_until(bench.is_active, "the hub has verified again")


async def test_a_hub_that_dies_before_it_verifies_is_asked_again_when_it_is_back(
    bench: Bench,
) -> None:
    hub = bench.hub = Hub()
    async with hub.running() as url:
        hub.verifies = False
        bench.publish(item(1))
        await bench.poll()
        await bench.hubs.step()
        assert (await bench.subscription()).state is HubState.ASKED
    await bench.hubs.step()
    bench.clock.advance(timedelta(minutes=10))
    await bench.hubs.step()
    assert (await bench.subscription()).state is HubState.FAILED
    bench.clock.advance(timedelta(minutes=5))
    bench.publish(item(2), item(1))
    assert len(await bench.poll()) == 1
    assert await bench.due_in() == timedelta(minutes=15)
    hub.verifies = True
    async with hub.running(urlsplit(url).port or 0):
        bench.clock.advance(timedelta(hours=1))
        await bench.hubs.step()
        await wait_until(bench.is_subscribed, "the hub has verified")
        assert await hub.publish(bench.feed.url, rss(item(3))) == 202
        assert len(await bench.told()) == 1


async def test_a_hub_that_dies_while_it_pushes_is_polled_instead_and_pushes_again_once_it_is_back(
    bench: Bench,
) -> None:
    hub = bench.hub = Hub()
    async with hub.running() as url:
        await bench.subscribe()
    bench.clock.advance(timedelta(minutes=55))
    bench.publish(item(2), item(1))
    assert len(await bench.poll()) == 1
    await bench.hubs.step()
    bench.clock.advance(timedelta(minutes=15))
    bench.publish(item(3), item(2))
    assert len(await bench.poll()) == 1
    assert await bench.due_in() == timedelta(minutes=15)
    async with hub.running(urlsplit(url).port or 0):
        bench.clock.advance(timedelta(hours=1))
        await bench.hubs.step()
        await wait_until(bench.is_active, "the hub has verified again")
        assert await hub.publish(bench.feed.url, rss(item(4), item(3))) == 202
        assert len(await bench.told()) == 1


async def test_27_news_that_was_not_pushed_brings_polling_back_until_the_next_push(
    bench: Bench,
) -> None:
    bench.hub.lease_seconds = 10 * 86400
    await bench.subscribe()
    bench.clock.advance(timedelta(minutes=15))
    await bench.poll()
    assert await bench.due_in() == SAFETY_NET
    bench.publish(item(2), item(1))
    bench.clock.advance(SAFETY_NET)
    assert len(await bench.poll()) == 1
    await bench.hubs.step()
    bench.clock.advance(SAFETY_NET)
    await bench.poll()
    assert await bench.due_in() == timedelta(minutes=15)
    await bench.hub.publish(bench.feed.url, rss(item(3)))
    await bench.hubs.step()
    bench.clock.advance(timedelta(minutes=15))
    await bench.poll()
    assert await bench.due_in() == SAFETY_NET


async def test_a_denial_ends_it_and_is_not_asked_again_for_days(bench: Bench) -> None:
    await bench.subscribe()
    [asked] = bench.hub.asked
    denial = {"hub.mode": "denied", "hub.reason": "no room"}
    assert (await bench.hub.verify(asked, **denial))[0] == 200
    assert (await bench.subscription()).detail == "denied by the hub: no room"
    await bench.hubs.step()
    bench.clock.advance(timedelta(days=6))
    assert await bench.hubs.step() == 0
    bench.clock.advance(timedelta(days=1))
    assert await bench.hubs.step() == 1


async def test_a_push_that_cannot_be_read_makes_the_feed_due(bench: Bench) -> None:
    await bench.subscribe()
    assert await bench.hub.publish(bench.feed.url, "<html>no feed</html>") == 202
    assert await bench.due_in() == timedelta()


async def test_what_is_too_large_or_nobodys_is_refused(bench: Bench) -> None:
    await bench.subscribe()
    assert await bench.hub.publish(bench.feed.url, b"x" * (MAX_BYTES + 1)) == 413
    callback = bench.hub.subscribers[bench.feed.url].callback
    assert await bench.hub.post(callback + "x", b"", {}) == 404
    await bench.registry.remove(RecordKind.HUB_SUBSCRIPTION, "one", bench.clock.now())
    assert await bench.hub.publish(bench.feed.url, rss(item(2))) == 410


async def test_a_full_log_has_the_hub_bring_it_again(bench: Bench) -> None:
    await bench.subscribe()
    bench.store.high_water = 0
    assert await bench.hub.publish(bench.feed.url, rss(item(2))) == 503
    bench.store.high_water = 10
    assert await bench.hub.publish(bench.feed.url, rss(item(2))) == 202
    assert len(await bench.told()) == 1


async def test_two_processes_ask_a_hub_once(bench: Bench) -> None:
    bench.publish(item(1))
    await bench.poll()
    bench.hub.verifies = False
    async with open_test_session() as session:
        other = HubService(
            bench.registry,
            bench.feeds,
            HttpHubClient(session),
            bench.hubs._capability,
            lambda _: True,
            bench.clock,
            bench.metrics,
        )
        await bench.hubs.step()
        await other.step()
    assert len(bench.hub.asked) == 1


async def test_an_address_that_may_not_be_dialled_is_not_asked(bench: Bench) -> None:
    bench.hub.url = "http://10.0.0.1/hub"
    bench.publish(item(1))
    await bench.poll()
    await bench.hubs.step()
    kept = await bench.subscription()
    assert kept.state is HubState.FAILED
    assert "refused to connect to 10.0.0.1" in kept.detail


async def test_a_hub_is_told_when_a_feed_is_listed_no_more_and_is_forgotten_once_it_has_verified(
    bench: Bench,
) -> None:
    await bench.subscribe()
    await bench.unlist()
    assert await bench.hub.publish(bench.feed.url, rss(item(2))) == 410
    assert await bench.hubs.step() == 1
    await wait_until(bench.is_forgotten, "the hub has verified the end")
    asked, farewell = bench.hub.asked
    assert farewell == {
        "hub.mode": "unsubscribe",
        "hub.topic": asked["hub.topic"],
        "hub.callback": asked["hub.callback"],
    }
    assert bench.hub.subscribers == {}
    assert await bench.hubs.step() == 0


async def test_the_hub_of_a_feed_that_another_process_polls_is_left_to_that(bench: Bench) -> None:
    await bench.subscribe()
    bench.is_listed = False
    assert await bench.hubs.step() == 0
    bench.clock.advance(timedelta(minutes=55))
    assert await bench.hubs.step() == 0
    assert await bench.is_active()


async def test_a_hub_that_never_verifies_an_end_is_asked_a_few_times_and_forgotten(
    bench: Bench,
) -> None:
    bench.hub.lease_seconds = 10 * 86400
    await bench.subscribe()
    await bench.unlist()
    bench.hub.refuse_with = 503
    for _ in range(10):
        await bench.hubs.step()
        bench.clock.advance(timedelta(hours=1))
    assert [asked["hub.mode"] for asked in bench.hub.asked] == ["subscribe"] + 5 * ["unsubscribe"]
    assert await bench.is_forgotten()


async def test_an_end_that_we_did_not_ask_for_is_not_verified_and_nothing_else_once_we_did(
    bench: Bench,
) -> None:
    await bench.subscribe()
    [asked] = bench.hub.asked
    assert (await bench.hub.verify(asked | {"hub.mode": "unsubscribe"}))[0] == 404
    await bench.unlist()
    bench.hub.verifies = False
    await bench.hubs.step()
    farewell = bench.hub.asked[-1]
    for changes in (
        {"hub.mode": "subscribe"},
        {"hub.topic": "http://other.example/"},
        {"hub.challenge": "two words"},
    ):
        assert (await bench.hub.verify(farewell, **changes))[0] == 404, changes
    assert await bench.hub.publish(bench.feed.url, rss(item(2))) == 410
    assert (await bench.hub.verify(farewell))[0] == 200
    assert await bench.is_forgotten()


async def test_a_feed_that_is_listed_again_is_subscribed_again(bench: Bench) -> None:
    await bench.subscribe()
    await bench.unlist()
    bench.hub.verifies = False
    await bench.hubs.step()
    await bench.hubs.step()
    bench.is_listed = bench.hub.verifies = True
    bench.clock.advance(timedelta(minutes=10))
    await bench.hubs.step()
    await wait_until(bench.is_active, "the hub has verified")
    assert [asked["hub.mode"] for asked in bench.hub.asked] == [
        "subscribe",
        "unsubscribe",
        "subscribe",
    ]


async def test_a_subscription_that_is_over_when_its_feed_goes_is_forgotten_at_once(
    bench: Bench,
) -> None:
    await bench.subscribe()
    bench.clock.advance(timedelta(hours=1))
    await bench.unlist()
    await bench.hubs.step()
    assert await bench.is_forgotten()
    assert len(bench.hub.asked) == 1


# --- a feed that names another hub ---


@pytest.fixture
async def new_hub(bench: Bench) -> AsyncIterator[Hub]:
    """Let a feed that is pushed name another hub, and ask that one."""
    bench.hub.lease_seconds = 10 * 86400
    await bench.subscribe()
    hub = Hub()
    async with hub.running():
        hub.verifies = False
        old, bench.hub = bench.hub, hub
        bench.publish(item(1))
        bench.hub = old
        bench.clock.advance(timedelta(minutes=15))
        await bench.poll()
        assert await bench.hubs.step() == 1
        [asked] = hub.asked
        assert asked["hub.callback"] != old.asked[0]["hub.callback"]
        yield hub


@pytest.mark.usefixtures("new_hub")
async def test_a_hub_is_believed_until_the_one_that_a_feed_names_now_has_verified(
    bench: Bench,
) -> None:
    assert await bench.hub.publish(bench.feed.url, rss(item(2, title="Old"))) == 202
    assert [article.title for article in await bench.told()] == ["Old"]
    assert await bench.hub.publish(bench.feed.url, rss(item(3)), secret="wrong") == 202
    assert await bench.told() == []
    assert await bench.hubs.step() == 0
    assert len(bench.hub.asked) == 1


async def test_a_hub_is_left_once_the_one_that_a_feed_names_now_has_verified(
    bench: Bench, new_hub: Hub
) -> None:
    await new_hub.verify(new_hub.asked[0])
    assert await bench.hub.publish(bench.feed.url, rss(item(2))) == 410
    assert await bench.hubs.step() == 1

    async def is_left() -> bool:
        return (await bench.subscription()).former is None

    await wait_until(is_left, "the old hub has verified the end")
    asked, farewell = bench.hub.asked
    assert farewell == {
        "hub.mode": "unsubscribe",
        "hub.topic": asked["hub.topic"],
        "hub.callback": asked["hub.callback"],
    }
    assert bench.hub.subscribers == {}
    assert await bench.is_active()
    assert await bench.hubs.step() == 0
    assert await new_hub.publish(bench.feed.url, rss(item(2, title="New"))) == 202
    assert [article.title for article in await bench.told()] == ["New"]


async def test_an_old_hub_that_never_verifies_its_end_is_asked_a_few_times_and_forgotten(
    bench: Bench, new_hub: Hub
) -> None:
    bench.hub.refuse_with = 503
    new_hub.lease_seconds = 10 * 86400
    await new_hub.verify(new_hub.asked[0])
    for _ in range(10):
        await bench.hubs.step()
        bench.clock.advance(timedelta(hours=1))
    assert [asked["hub.mode"] for asked in bench.hub.asked[1:]] == 5 * ["unsubscribe"]
    kept = await bench.subscription()
    assert (kept.former, kept.hub) == (None, new_hub.url)


async def test_feed_that_is_removed_while_its_hub_changes_leaves_both(
    bench: Bench, new_hub: Hub
) -> None:
    await new_hub.verify(new_hub.asked[0])
    new_hub.verifies = True
    await bench.unlist()

    async def is_forgotten() -> bool:
        await bench.hubs.step()
        return await bench.is_forgotten()

    await wait_until(is_forgotten, "both hubs have verified the end")
    assert [hub.asked[-1]["hub.mode"] for hub in (bench.hub, new_hub)] == 2 * ["unsubscribe"]


async def test_a_record_of_a_newer_release_is_no_subscription(bench: Bench) -> None:
    draft = Draft(id="one", value=b"2{}")
    await bench.registry.put(RecordKind.HUB_SUBSCRIPTION, draft, bench.clock.now())
    assert (await subscription_of(bench.registry, "one"))[0] is None


@pytest.mark.parametrize("code", [307, 308])
async def test_a_hub_may_send_us_on_to_another(bench: Bench, code: int) -> None:
    bench.hub.verifies = False
    base = bench.publisher.base
    bench.publisher.script("/old-hub", redirect(bench.hub.url, code))
    async with open_test_session() as session:
        client = HttpHubClient(session)
        assert await client.subscribe(f"{base}/old-hub", "http://t/", "http://c/", "s") == ""
        bench.publisher.script("/circle", redirect(f"{base}/circle", code))
        circle = await client.subscribe(f"{base}/circle", "http://t/", "http://c/", "s")
    assert circle == "more than 3 redirects"
    assert [asked["hub.topic"] for asked in bench.hub.asked] == ["http://t/"]
