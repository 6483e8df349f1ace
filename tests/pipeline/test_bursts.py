"""A rule that suddenly finds far more than usual is told as one notice, on the whole of the program."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.core.matchers import parse_matchers
from monitor.core.outcome import Suppression
from monitor.core.silences import new_silence
from monitor.ports import Draft, RecordKind
from monitor.registry import SILENCES
from tests.clock import StandingClock
from tests.pipeline.stage import Pipeline, pipeline
from tests.servers.feeds import FeedServer, document, feed_server, item, rss
from tests.servers.hooks import HookServer
from tests.servers.valkey import empty

DAYS = 4
ONE, TWO = "/one", "/two"


class Newsroom:
    """Two feeds, a subscriber who is told of bursts alone, and one who is told of the rest."""

    def __init__(self, server: FeedServer, hook: HookServer) -> None:
        self.clock = StandingClock()
        self._server = server
        self._hook = hook
        self._items: dict[str, list[str]] = {ONE: [], TWO: []}

    def written(self, **monitor: Any) -> dict[str, Any]:
        return {
            "monitor": monitor,
            "feeds": {
                path.strip("/"): {
                    "url": f"{self._server.base}{path}",
                    "every": "1m",
                    "since": "30d",
                }
                for path in self._items
            },
            "rules": {"talks": "talks"},
            "subscribers": {
                "rest": [{"webhook": {"url": f"{self._hook.url}-rest"}}],
                "desk": [{"webhook": {"url": self._hook.url}}],
            },
            "route": {
                "subscriber": "rest",
                "routes": [
                    {"matchers": "rule=monitor.rule-burst, burst_of=talks", "subscriber": "desk"}
                ],
            },
        }

    async def publish(self, program: Pipeline, path: str, title: str) -> None:
        number = sum(map(len, self._items.values()))
        said = item(number, title=title, published_at=self.clock.now())
        self.add(path, said)
        await program.poll_after(timedelta(minutes=2))

    def add(self, path: str, said: str) -> None:
        """Let a feed say one more the next time it is asked."""
        self._items[path].append(said)
        for each, items in self._items.items():
            self._server.script(each, document(rss(*items, title=each)))

    async def keep_a_habit(self, program: Pipeline) -> None:
        """Let a few days pass with one story each at this time of day."""
        for day in range(DAYS):
            await self.publish(program, ONE, f"Talks of day {day}")
            self.clock.advance(timedelta(days=1, minutes=-2))

    async def burst(self, program: Pipeline) -> None:
        for number in range(6):
            await self.publish(program, ONE if number % 2 else TWO, f"Talks turn {number}")

    def told(self) -> list[str]:
        """The titles of what the desk was told."""
        bodies = [json.loads(each.body) for each in self._hook.received]
        titles = [body["data"]["article"]["title"] for body in bodies]
        return [title for title in titles if " stories from " in title]


@pytest.fixture(params=["memory", "server"])
def store_url(request: pytest.FixtureRequest) -> str | None:
    """Return the URL of each kind of store; none for the one in memory."""
    if request.param == "memory":
        return None
    url: str = request.getfixturevalue("server_url")
    return url


@pytest.fixture
async def newsroom(store_url: str | None) -> AsyncIterator[Newsroom]:
    if store_url:
        await empty(store_url)
    async with feed_server() as server, HookServer() as hook:
        yield Newsroom(server, hook)


async def test_burst_is_told_once_to_whom_the_routes_lead_it(
    newsroom: Newsroom, store_url: str | None, tmp_path: Path
) -> None:
    async with pipeline(tmp_path / "c", store_url, newsroom.clock, **newsroom.written()) as program:
        await newsroom.keep_a_habit(program)
        assert newsroom.told() == []
        await newsroom.burst(program)
        assert len(newsroom.told()) == 1
        assert newsroom.told()[0].startswith("talks: 5 stories from 2 sources in ")
        assert program.metrics.rule_bursts._value.get() == 1


async def test_new_rule_with_many_stories_has_no_burst(
    newsroom: Newsroom, store_url: str | None, tmp_path: Path
) -> None:
    async with pipeline(tmp_path / "c", store_url, newsroom.clock, **newsroom.written()) as program:
        await newsroom.burst(program)
        assert newsroom.told() == []


async def test_burst_is_not_told_where_that_is_turned_off(
    newsroom: Newsroom, store_url: str | None, tmp_path: Path
) -> None:
    written = newsroom.written(bursts={"enabled": False})
    async with pipeline(tmp_path / "c", store_url, newsroom.clock, **written) as program:
        await newsroom.keep_a_habit(program)
        await newsroom.burst(program)
        assert newsroom.told() == []


async def test_burst_of_one_rule_can_be_silenced(
    newsroom: Newsroom, store_url: str | None, tmp_path: Path
) -> None:
    async with pipeline(tmp_path / "c", store_url, newsroom.clock, **newsroom.written()) as program:
        await newsroom.keep_a_habit(program)
        now = newsroom.clock.now()
        said = new_silence(
            parse_matchers("rule=monitor.rule-burst, burst_of=talks"),
            starts_at=now,
            ends_at=now + timedelta(days=1),
            author="a",
        )
        draft = Draft(id=said.id, value=SILENCES.encode(said))
        await program.parts.registry.put(RecordKind.SILENCE, draft, now)
        await newsroom.burst(program)
        assert newsroom.told() == []
        assert program.suppressed() == {Suppression.SILENCED: 1}


async def test_backlog_that_comes_at_once_is_no_burst(
    newsroom: Newsroom, store_url: str | None, tmp_path: Path
) -> None:
    async with pipeline(tmp_path / "c", store_url, newsroom.clock, **newsroom.written()) as program:
        await newsroom.keep_a_habit(program)
        outage = timedelta(hours=12)
        for number in range(12):
            said = item(
                100 + number, title=f"Talks go on {number}", published_at=newsroom.clock.now()
            )
            newsroom.add(ONE if number % 2 else TWO, said)
            newsroom.clock.advance(outage / 12)
        await program.poll_after(timedelta(minutes=2))
        assert newsroom.told() == []
