"""Subscribers that people add while the system runs, in two programs on one store."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from monitor.app.subscriberdesk import SubscriberDesk
from monitor.config.load import load
from monitor.core.made import Made
from monitor.core.model import DeliveryState
from monitor.core.outcome import DeliveryReason
from monitor.errors import RefusedError
from monitor.ports import DeliveryFilter, Draft, RecordKind
from monitor.registry import SUBSCRIBERS
from tests import configuration
from tests.clock import StandingClock
from tests.factories import NOW
from tests.pipeline.stage import Pipeline, pipeline
from tests.servers.feeds import FeedServer, document, feed_server, item, rss
from tests.servers.hooks import HookServer, Received

RULES = {"talks": "talks", "floods": {"query": "flood*", "severity": "critical"}}
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
FLOODS = {"match": {"rule": "floods"}}


class Newsroom:
    """Two programs that read one feed: in the first subscribers are added, and the second tells them."""

    def __init__(self, directory: Path, store: str, server: FeedServer, hook: HookServer) -> None:
        self.directory = directory
        self.store = store
        self.server = server
        self.hook = hook
        self.clock = StandingClock()
        self.sent: list[Received] = []
        self._published: list[str] = []

    def written(self) -> dict[str, Any]:
        return {
            "feeds": {"one": {"url": f"{self.server.base}/rss", "every": "1m", "since": "30d"}},
            "rules": RULES,
            "subscribers": {"desk": [{"webhook": {"url": f"{self.hook.url}/desk"}}]},
            "route": {"subscriber": "desk", "group_wait": "0s"},
        }

    def made(self, route: dict[str, Any], **more: Any) -> Made:
        target = {"url": f"{self.hook.url}/night", "secret_file": "secrets/night"}
        return Made(settings={"route": route, "targets": [{"webhook": target}], **more})

    def told(self) -> list[tuple[str, str]]:
        """Who was told of what since the last call."""
        told = [
            (each.path.rpartition("/")[2], json.loads(each.body)["data"]["article"]["title"])
            for each in self.hook.received
        ]
        self.sent, self.hook.received = self.hook.received, []
        return sorted(told)

    async def publish(self, program: Pipeline, *titles: str) -> list[tuple[str, str]]:
        await self.appear(program, *titles)
        await program.finish()
        return self.told()

    async def appear(self, program: Pipeline, *titles: str) -> None:
        for title in titles:
            number = len(self._published)
            self._published.append(item(number, title=title, published_at=self.clock.now()))
        said = rss(*self._published, title=f"{len(self._published)}")
        self.server.script("/rss", document(said))
        await program.poll_after(timedelta(minutes=5))


@asynccontextmanager
async def newsroom(
    directory: Path, store: str
) -> AsyncIterator[tuple[Newsroom, SubscriberDesk, Pipeline, Pipeline]]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(feed_server())
        hook = await stack.enter_async_context(HookServer())
        room = Newsroom(directory, store, server, hook)
        secrets = directory / "config" / "secrets"
        secrets.mkdir(parents=True)
        (secrets / "night").write_text(SECRET)
        one, two = [
            await stack.enter_async_context(
                pipeline(directory / "config", store, room.clock, **room.written())
            )
            for _ in range(2)
        ]
        yield room, SubscriberDesk(one.program, one.parts), one, two


async def test_one_that_was_added_is_told_by_every_program_and_others_as_before(
    tmp_path: Path, empty_server_url: str
) -> None:
    async with newsroom(tmp_path, empty_server_url) as (room, desk, _, other):
        await desk.put("night", room.made(FLOODS))
        assert await other.program.following.step() == 1
        assert await room.publish(other, "Talks resume", "Floods recede") == [
            ("desk", "Floods recede"),
            ("desk", "Talks resume"),
            ("night", "Floods recede"),
        ]
        await desk.put("night", room.made({"match": {"rule": "talks"}}))
        await other.program.following.step()
        assert await room.publish(other, "Talks end", "Floods again") == [
            ("desk", "Floods again"),
            ("desk", "Talks end"),
            ("night", "Talks end"),
        ]
        await desk.remove("night")
        await other.program.following.step()
        assert await room.publish(other, "Talks and floods") == [("desk", "Talks and floods")]
        assert await other.program.following.step() == 0


async def test_its_messages_are_signed_with_the_secret_that_it_names(
    tmp_path: Path, empty_server_url: str
) -> None:
    async with newsroom(tmp_path, empty_server_url) as (room, desk, one, _):
        await desk.put("night", room.made(FLOODS))
        await room.publish(one, "Floods")
        [sent] = [each for each in room.sent if each.path.endswith("/night")]
        signed = Webhook(SECRET).sign(
            sent.headers["webhook-id"],
            datetime.fromtimestamp(int(sent.headers["webhook-timestamp"]), tz=UTC),
            sent.body.decode(),
        )
        assert signed == sent.headers["webhook-signature"]


async def test_one_waits_for_its_hours_as_one_of_a_file_does(
    tmp_path: Path, empty_server_url: str
) -> None:
    async with newsroom(tmp_path, empty_server_url) as (room, desk, one, _):
        made = room.made(FLOODS | {"break_through": "never"}, schedule="daily at 08:00")
        await desk.put("night", made)
        await room.publish(one, "Floods")
        assert [each.path for each in room.sent] == ["/hook/desk", "/hook/night"]
        assert room.clock.now().hour == 8


async def test_what_is_told_to_one_whose_secret_is_gone_waits_until_it_is_back(
    tmp_path: Path, empty_server_url: str
) -> None:
    async with newsroom(tmp_path, empty_server_url) as (room, desk, one, _):
        await desk.put("night", room.made(FLOODS))
        secret = tmp_path / "config" / "secrets" / "night"
        kept = secret.read_text()
        secret.unlink()
        await reload(one, room)
        assert "the file cannot be read" in one.program.added.unready["night"]
        room.clock.advance(timedelta(minutes=5))
        await room.appear(one, "Floods")
        assert room.told() == [("desk", "Floods")]
        [waiting] = await one.parts.ledger.find(DeliveryFilter(target_id="night/webhook"))
        assert (waiting.state, waiting.reason) == (DeliveryState.RETRY, DeliveryReason.NOT_READY)
        secret.write_text(kept)
        await reload(one, room)
        assert one.program.added.unready == {}
        await one.finish()
        assert room.told() == [("night", "Floods")]


async def test_one_that_cannot_be_read_at_all_costs_no_other(
    tmp_path: Path, empty_server_url: str
) -> None:
    async with newsroom(tmp_path, empty_server_url) as (room, desk, one, _):
        newer = SUBSCRIBERS.encode(Made(settings={"route": {}, "targets": [{"telex": {}}]}))
        await one.parts.registry.put(RecordKind.SUBSCRIBER, Draft(id="x", value=newer), NOW)
        await desk.put("night", room.made(FLOODS))
        assert "telex" in one.program.added.left_out["x"]
        assert await room.publish(one, "Floods") == [("desk", "Floods"), ("night", "Floods")]


async def test_those_that_were_added_are_told_of_the_first_article_after_a_start(
    tmp_path: Path, empty_server_url: str
) -> None:
    async with newsroom(tmp_path, empty_server_url) as (room, desk, _, other):
        await desk.put("night", room.made(FLOODS))
        stop = asyncio.Event()
        stop.set()
        await other.program.run(stop)
        assert "night" in other.program.settings.routing.desks


async def test_a_file_takes_a_name_over_and_gives_it_back(
    tmp_path: Path, empty_server_url: str
) -> None:
    async with newsroom(tmp_path, empty_server_url) as (room, desk, one, _):
        await desk.put("night", room.made(FLOODS))
        everyone = {**room.written()["subscribers"], "night": [{"console": {}}]}
        await reload(one, room, subscribers=everyone)
        assert [each.id for each in one.program.settings.targets] == [
            "desk/webhook",
            "night/console",
        ]
        with pytest.raises(RefusedError, match="stands in a file"):
            await desk.remove("night")
        await reload(one, room)
        assert [each.id for each in one.program.settings.targets] == [
            "desk/webhook",
            "night/webhook",
        ]


async def reload(one: Pipeline, room: Newsroom, **changed: Any) -> None:
    where = room.directory / "config"
    await asyncio.to_thread(lambda: configuration.write(where, **(room.written() | changed)))
    standing = one.program.files.rulebase
    await one.program.use(await asyncio.to_thread(load, where, {}, standing))
