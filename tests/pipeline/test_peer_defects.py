"""What went wrong in other monitors, tried on the whole of this one."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.core.model import DeliveryState
from monitor.core.outcome import Suppression
from monitor.errors import StreamError
from monitor.ports import DeliveryFilter
from tests.clock import StandingClock
from tests.factories import NOW
from tests.pipeline.stage import Pipeline, pipeline
from tests.servers.feeds import FeedServer, document, feed_server, item, rss
from tests.servers.hooks import HookServer, Reply
from tests.servers.slack import FakeSlack

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Stage:
    """One feed, one receiver, and everything between them on a real server."""

    def __init__(
        self, directory: Path, store: str, server: FeedServer, hook: HookServer, slack: FakeSlack
    ) -> None:
        self.clock = StandingClock()
        self.server = server
        self.hook = hook
        self.slack = slack
        self._directory = directory
        self._store = store

    def open(
        self, *targets: dict[str, Any], query: str = "story", **feed: Any
    ) -> Any:  # a context manager of a Pipeline
        """Open the program: a second one on the same store is a restart, or another worker."""
        self._directory.mkdir(exist_ok=True)
        (self._directory / "slack-url").write_text(self.slack.url)
        settings = {"url": f"{self.server.base}/rss", "every": "1h"} | feed
        return pipeline(
            self._directory,
            self._store,
            self.clock,
            feeds={"one": settings},
            rules={"any": query},
            # The clock stands still, and so would whatever waits for its turn.
            subscribers={
                "desk": list(targets) or [{"webhook": {"url": self.hook.url}, "rate": "1000/s"}]
            },
        )

    def publish(self, *items: str, **answer: Any) -> None:
        """Let the feed say this from now on. Each document differs from the last in its bytes."""
        stamp = f"at {self.clock.now().isoformat()}"
        self.server.script("/rss", document(rss(*items, title=stamp), **answer))

    def told(self) -> list[str]:
        """The titles that arrived since the last call."""
        received = [
            json.loads(each.body)["data"]["article"]["title"] for each in self.hook.received
        ]
        self.hook.received.clear()
        return sorted(received)


@pytest.fixture
async def stage(empty_server_url: str, tmp_path: Path) -> Any:
    async with feed_server() as server, HookServer() as hook, FakeSlack() as slack:
        yield Stage(tmp_path / "config", empty_server_url, server, hook, slack)


async def test_first_poll_of_a_feed_is_silent(stage: Stage) -> None:
    stage.publish(*(item(n, published_at=NOW - n * DAY) for n in range(1, 31)))
    async with stage.open() as program:
        await program.poll()
        assert stage.told() == []
        assert program.suppressed() == {Suppression.BASELINE: 30}


async def test_restart_sends_nothing_again_and_tells_what_came_meanwhile(stage: Stage) -> None:
    stage.publish(item(1), etag='"v1"')
    async with stage.open() as program:
        await program.poll()
        stage.publish(item(1), item(2), etag='"v2"')
        await program.poll_after(HOUR)
        assert stage.told() == ["Story 2"]
    stage.publish(item(1), item(2), item(3), etag='"v3"')
    async with stage.open() as program:
        await program.poll_after(HOUR)
        assert stage.told() == ["Story 3"]
        await program.poll_after(HOUR)
        assert stage.told() == []
    assert [asked.get("if-none-match") for asked in stage.server.asked("/rss")] == [
        *(None, '"v1"', '"v2"', '"v3"')
    ]


async def test_item_dated_in_the_future_does_not_block_the_feed(stage: Stage) -> None:
    stage.publish(item(1, published_at=NOW))
    async with stage.open() as program:
        await program.poll()
        stage.publish(item(1, published_at=NOW), item(2, published_at=NOW + 300 * DAY))
        await program.poll_after(HOUR)
        stage.publish(item(2, published_at=NOW + 300 * DAY), item(3, published_at=NOW))
        await program.poll_after(HOUR)
    assert stage.told() == ["Story 2", "Story 3"]


async def test_items_of_the_same_second_backdated_or_undated_are_all_told(stage: Stage) -> None:
    stage.publish(item(1, published_at=NOW))
    async with stage.open() as program:
        await program.poll()
        backdated = item(3, published_at=NOW - 3 * DAY)
        stage.publish(item(2, published_at=NOW), backdated, item(4), item(1, published_at=NOW))
        await program.poll_after(HOUR)
        stage.publish(item(5, published_at=NOW), item(4))
        await program.poll_after(HOUR)
    assert stage.told() == ["Story 2", "Story 3", "Story 4", "Story 5"]


async def test_600_static_items_are_told_once(stage: Stage) -> None:
    """Only some are to be found, so that the test is about what is known and not about sending."""
    titles = [f"Story {n}" if n % 60 == 0 else f"Item {n}" for n in range(600)]
    async with stage.open(since="30d") as program:
        for _ in range(4):
            stage.publish(
                *(item(n, title=title, published_at=NOW) for n, title in enumerate(titles))
            )
            await program.poll_after(HOUR)
        assert stage.told() == sorted(title for title in titles if title.startswith("Story"))
        assert program.suppressed() == {Suppression.NO_RULE: 590}


async def test_no_item_is_dropped_by_a_cap_per_run(stage: Stage) -> None:
    stage.publish(item(1))
    async with stage.open() as program:
        await program.poll()
        stage.publish(*(item(n) for n in range(1, 152)))  # more than any service takes in a turn
        await program.poll_after(HOUR)
    assert stage.told() == sorted(f"Story {n}" for n in range(2, 152))


async def test_several_workers_share_one_stream_without_losing_or_doubling(stage: Stage) -> None:
    stage.publish(*(item(n, published_at=NOW) for n in range(100)))
    async with AsyncExitStack() as stack:
        crew: list[Pipeline] = [
            await stack.enter_async_context(stage.open(since="30d")) for _ in range(3)
        ]
        async with asyncio.TaskGroup() as group:
            for worker in crew:
                group.create_task(worker.poll())
        census = await crew[0].parts.health.census(stage.clock.now())
    assert stage.told() == sorted(f"Story {n}" for n in range(100))
    assert census.dead_entries == 0


async def test_workers_that_start_while_others_are_at_work_take_nothing_from_them(
    stage: Stage,
) -> None:
    """Being handed out too often buries an entry, so a start must not hand out what is in good hands."""
    stage.publish(*(item(n, published_at=NOW) for n in range(8)))
    async with AsyncExitStack() as stack:
        crew: list[Pipeline] = [
            await stack.enter_async_context(stage.open(since="30d")) for _ in range(8)
        ]
        await crew[0].take_in()
        held = [await worker.parts.articles.read(64, timedelta()) for worker in crew]
        census = await crew[0].parts.health.census(stage.clock.now())
    assert sorted(entry.value.title for entries in held for entry in entries) == sorted(
        f"Story {n}" for n in range(8)
    )
    assert census.dead_entries == 0


async def test_a_5xx_is_retried_until_it_arrives(stage: Stage) -> None:
    stage.hook.reply(Reply(status=500), Reply(status=502), Reply(status=503), Reply(status=504))
    stage.publish(item(1, published_at=NOW))
    async with stage.open(since="30d") as program:
        await program.poll()
        while len(stage.hook.received) < 5:
            due = await program.parts.ledger.next_due()
            assert due is not None
            stage.clock.advance(due - stage.clock.now())
            await program.settle()
        (delivery,) = await program.parts.ledger.find(DeliveryFilter())
        assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 5)
        assert await program.parts.ledger.next_due() is None
    assert {each.headers["webhook-id"] for each in stage.hook.received} == {f"msg_{delivery.id}"}


class Unlucky:
    """Loses the server once, before an operation or after it, when it has happened and nobody knows."""

    def __init__(self, inner: Any, operation: str, *, after: bool) -> None:
        self._inner = inner
        self._operation = operation
        self._after = after
        self._spent = False

    def __getattr__(self, name: str) -> Any:
        member: Callable[..., Awaitable[Any]] = getattr(self._inner, name)
        if name != self._operation or self._spent:
            return member
        self._spent = True

        async def call(*args: Any, **kwargs: Any) -> Any:
            if self._after:
                await member(*args, **kwargs)
            raise StreamError("the server went away")

        return call


@pytest.mark.parametrize("after", [False, True])
async def test_nothing_is_marked_seen_before_it_is_durable(stage: Stage, *, after: bool) -> None:
    stage.publish(item(1))
    async with stage.open() as program:
        await program.poll()
        program.program.poller._store = Unlucky(program.parts.feeds, "record", after=after)
        stage.publish(item(1), item(2))
        await program.poll_after(HOUR)
        await program.poll_after(HOUR)  # past the lease of the poll that broke off
    assert stage.told() == ["Story 2"]


async def test_a_slack_429_is_obeyed_and_not_multiplied(stage: Stage) -> None:
    stage.slack.answer(429, "rate_limited", {"Retry-After": "30"})
    stage.publish(*(item(n, published_at=NOW) for n in range(5)))
    async with stage.open({"slack": {"webhook_url_file": "slack-url"}}, since="30d") as program:
        await program.poll()
        assert (stage.slack.requests, stage.slack.messages) == (1, [])
        stage.clock.advance(timedelta(seconds=29))
        await program.settle()
        assert stage.slack.requests == 1  # nothing for this channel, whichever alert it was
        await program.finish()
        stage.clock.advance(DAY)
        await program.settle()
    texts = [json.dumps(message) for message in stage.slack.messages]
    assert [sum(f"Story {n}" in text for text in texts) for n in range(5)] == [1] * 5
    assert stage.slack.requests == 1 + len(texts)


async def test_one_failing_destination_does_not_stop_the_others(stage: Stage) -> None:
    nobody = {"name": "nobody", "webhook": {"url": "http://127.0.0.1:1/"}}
    broken = {"name": "broken", "webhook": {"url": stage.hook.url.replace("/hook", "/broken")}}
    sound = {"name": "sound", "webhook": {"url": stage.hook.url}}
    stage.hook.default = Reply(status=200)
    stage.publish(*(item(n, published_at=NOW) for n in range(3)))
    stage.hook.reply(Reply(status=500))
    async with stage.open(nobody, broken, sound, since="30d") as program:
        await program.poll()
        found = await program.parts.ledger.find(DeliveryFilter(target_id="desk/sound"))
        assert [each.state for each in found] == [DeliveryState.DELIVERED] * 3
        waiting = await program.parts.ledger.find(DeliveryFilter(target_id="desk/nobody"))
        assert {each.state for each in waiting} <= {DeliveryState.RETRY, DeliveryState.PENDING}
        assert len(waiting) == 3


async def test_older_items_that_slide_back_after_a_deletion_are_not_told(stage: Stage) -> None:
    window = [item(n, published_at=NOW - n * DAY) for n in range(1, 6)]
    older = [item(n, published_at=NOW - n * DAY) for n in range(6, 8)]
    stage.publish(*window)
    async with stage.open() as program:
        await program.poll()
        stage.publish(*window[2:], *older)
        await program.poll_after(HOUR)
        assert stage.told() == []
        assert program.suppressed()[Suppression.LATE] == 2
        stage.publish(*window)  # what was deleted comes back
        await program.poll_after(HOUR)
        assert stage.told() == []


def dated(*days: int) -> Sequence[str]:
    midnight = NOW.replace(hour=0)
    return [item(n, published_at=midnight + timedelta(days=day)) for n, day in enumerate(days)]


async def test_dates_at_midnight_hide_nothing_and_rewritten_dates_repeat_nothing(
    stage: Stage,
) -> None:
    stage.publish(*dated(0, 0))
    async with stage.open() as program:
        await program.poll()
        stage.publish(*dated(0, 0, 0))
        await program.poll_after(HOUR)
        assert stage.told() == ["Story 2"]
        for day in (1, 2):
            stage.publish(*dated(day, day, day))
            await program.poll_after(HOUR)
        assert stage.told() == []


async def test_an_article_under_another_guid_date_and_tracking_link_is_told_once(
    stage: Stage,
) -> None:
    stage.publish(item(1))
    async with stage.open() as program:
        await program.poll()
        stage.publish(item(1), item(2, published_at=NOW))
        await program.poll_after(HOUR)
        link = "http://news.example/2?utm_source=rss&utm_campaign=feed"
        stage.publish(item(1), item(2, guid="other", link=link, published_at=NOW + HOUR))
        await program.poll_after(HOUR)
    assert stage.told() == ["Story 2"]


@pytest.mark.parametrize(
    ("query", "found", "not_found"),
    [
        ("python", "用python写爬虫", "用pythonic写爬虫"),
        ("会谈", "日内瓦会谈重启", "日内瓦会见"),
        ("переговоры", "Женева: переговоры начались", "недопереговоры"),
        ("Сирия", "«Сирия», новости", "Ассирия"),
        ("mir", "Der Mir-Gipfel", "Vladimir"),
    ],
)
async def test_words_end_where_words_of_their_script_end(
    stage: Stage, query: str, found: str, not_found: str
) -> None:
    stage.publish(
        item(1, title=found, published_at=NOW), item(2, title=not_found, published_at=NOW)
    )
    async with stage.open(query=query, since="30d") as program:
        await program.poll()
    assert stage.told() == [found]
