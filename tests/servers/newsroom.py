"""A newsroom whose stories the test sets, receivers that keep what they get, and the audit of both."""

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any

from aiohttp import web

TARGETS = {
    "east": "talks",
    "west": "talks",
    "south": "vote",
}  # subscriber to the rule it is told of
RULES = {"talks": "talks", "vote": "vote"}  # rule id to query
READERS = {
    "slack": "talks",
    "bot": "vote",
    "teams": "talks",
    "discord": "vote",
    "mattermost": "talks",
    "telegram": "vote",
    "ntfy": "talks",
    "mail": "talks",
}  # those who read, each by the channel of that name, to the rule


@dataclass(frozen=True)
class Story:
    """One article as the newsroom has it; `words` decide which rules find it."""

    number: int
    words: str
    guid: str = ""

    @property
    def path(self) -> str:
        return f"/news/{self.number}"

    def item(self, base: str, stamp: str) -> str:
        return (
            f"<item><title>Story {self.number}: {escape(self.words)}</title>"
            f"<link>{base}{self.path}?utm_source={self.guid or 'rss'}</link>"
            f"<guid isPermaLink='false'>{self.guid or self.path}</guid><pubDate>{stamp}</pubDate></item>"
        )


@dataclass
class Newsroom:
    """Two feeds whose stories the test sets, and a receiver for each target."""

    feeds: dict[str, list[Story]] = field(default_factory=lambda: defaultdict(list))
    received: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    refusals: int = 0  # so many deliveries are answered 503 before any is taken
    readers: tuple[str, ...] = ()  # those of `READERS` who are told too
    read: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    base: str = ""
    stamp: str = field(
        default_factory=lambda: format(datetime.now(UTC), "%a, %d %b %Y %H:%M:%S GMT")
    )

    async def feed(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        items = "".join(story.item(self.base, self.stamp) for story in self.feeds[name])
        return web.Response(
            text=f"<rss version='2.0'><channel><title>{name}</title>{items}</channel></rss>",
            content_type="application/rss+xml",
        )

    async def hook(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=503)
        self.received[request.match_info["name"]].append(body)
        return web.Response(status=204)

    async def reader(self, request: web.Request) -> web.Response:
        """Take what any chat service takes, and answer what satisfies each of them."""
        self.read[request.match_info["name"]].append((await request.read()).decode())
        taken = {"ok": True, "channel": "C1", "ts": f"{sum(map(len, self.read.values()))}.1"}
        return web.json_response(taken | {"id": "m1", "result": {"message_id": 1}})

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Newsroom"]:
        app = web.Application()
        app.router.add_get("/feeds/{name}.xml", self.feed)
        app.router.add_post("/hooks/{name}", self.hook)
        app.router.add_route("*", "/readers/{name}{rest:.*}", self.reader)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    def expected(self) -> set[tuple[str, str, str]]:
        """Every (rule, article, subscriber) that must be told, from all stories ever published."""
        return {
            (rule, f"{self.base}{story.path}", subscriber)
            for stories in self.feeds.values()
            for story in stories
            for subscriber, rule in TARGETS.items()
            if RULES[rule] in story.words
        }

    def expected_to_be_read(self) -> set[tuple[str, str]]:
        """Every (reader, article) that must be told."""
        return {
            (reader, story.path)
            for stories in self.feeds.values()
            for story in stories
            for reader in self.readers
            if RULES[READERS[reader]] in story.words
        }

    def were_read(self) -> Counter[tuple[str, str]]:
        """In how many messages each (reader, article) stood."""
        return Counter(
            (reader, f"/news/{number}")
            for reader, messages in self.read.items()
            for message in messages
            for number in set(re.findall(r"Story (\d+)", message))
        )

    def digests(self) -> int:
        """How many messages told several alerts."""
        webhooks = (body for bodies in self.received.values() for body in bodies)
        return sum(len(alerts_of(body)) > 1 for body in webhooks)

    def reread(self) -> int:
        """How many times an article was read again."""
        return sum(count - 1 for count in self.were_read().values())

    def told(self) -> Counter[tuple[str, str, str]]:
        """How often each (rule, article, subscriber) arrived."""
        return Counter(
            (match["rule"], each["article"]["url"], subscriber)
            for subscriber, bodies in self.received.items()
            for body in bodies
            for each in alerts_of(body)
            for match in each["matches"]
        )

    def lost(self) -> set[tuple[str, ...]]:
        unread = self.expected_to_be_read() - set(self.were_read())
        return {*(self.expected() - set(self.told())), *unread}

    def repeats(self) -> int:
        """How many sends were repeated; each must carry the id of the first."""
        told = self.told()
        for subscriber, bodies in self.received.items():
            ids = defaultdict(set)
            for body in bodies:
                for each in alerts_of(body):
                    rules = tuple(match["rule"] for match in each["matches"])
                    ids[each["article"]["id"], rules].add(body["id"])
            assert all(len(each) == 1 for each in ids.values()), f"{subscriber}: ids differ"
        return sum(count - 1 for count in told.values())


def alerts_of(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return what a webhook tells: one alert, or those of a digest."""
    alerts: Sequence[Mapping[str, Any]] = body["data"].get("alerts", [body["data"]])
    return alerts
