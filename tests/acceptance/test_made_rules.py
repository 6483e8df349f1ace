"""A rule that the web process writes alerts from the matcher of another process, and alerts no more once removed."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from monitor.core.made import Made
from monitor.ports import Draft, RecordKind
from monitor.registry import RULES
from monitor.streams.registry import StreamRegistry
from monitor.streams.store import open_store
from tests import configuration
from tests.acceptance.daemon import monitor, running
from tests.factories import NOW
from tests.servers.feeds import document, feed_server, item, rss
from tests.servers.hooks import HookServer
from tests.wait import wait_until

WORKERS = "poller,matcher,router,deliverer"


def write(directory: Path, feed: str, hook: str) -> Path:
    return configuration.write(
        directory,
        monitor={"archive": {"enabled": False}},
        feeds={"one": {"url": feed, "every": "200ms", "since": "30d"}},
        rules={"talks": "talks"},
        subscribers={"desk": [{"webhook": {"url": hook}, "rate": "1000/s"}]},
    )


def rules_told(hook: HookServer) -> list[list[str]]:
    """Return the rules of each alert that came."""
    alerts = (json.loads(each.body)["data"] for each in hook.received)
    return [sorted(match["rule"] for match in each["matches"]) for each in alerts]


async def test_a_rule_made_by_one_process_alerts_from_another_until_it_is_removed(
    tmp_path: Path, empty_server_url: str
) -> None:
    env = {"REDIS_URL": empty_server_url}
    async with feed_server() as feeds, HookServer() as hook, AsyncExitStack() as stack:
        published: list[str] = []

        def publish(title: str) -> str:
            published.append(item(len(published), title=title, published_at=datetime.now(UTC)))
            return feeds.script("/feed", document(rss(*published)))

        address = publish("Nothing yet")
        config = await asyncio.to_thread(write, tmp_path / "config", address, hook.url)
        token = await asyncio.to_thread(
            monitor, "tokens", "create", "desk", "--scope", "write", "--config", config, **env
        )
        headers = {"Authorization": f"Bearer {token.stdout.strip()}"}
        page = await stack.enter_async_context(
            running("--config", config, "--only", "web", env=env)
        )
        workers = await stack.enter_async_context(
            running("--config", config, "--only", WORKERS, env=env)
        )
        api = await stack.enter_async_context(
            aiohttp.ClientSession(await page.address(), headers=headers)
        )

        async with api.put("/api/rules/floods", json={"query": "flood*"}) as answer:
            assert answer.status == 200
        await workers.wait_for("rules_changed", made=1)
        publish("Floods in the delta")
        await wait_until(lambda: rules_told(hook) == [["floods"]], "the new rule alerts")

        async with api.delete("/api/rules/floods") as answer:
            assert answer.status == 204
        await workers.wait_for("rules_changed", made=0)
        publish("Floods again")
        publish("Floods, and talks of them")
        await wait_until(lambda: len(hook.received) > 1, "what came after them is told")
        assert rules_told(hook) == [["floods"], ["talks"]]


async def test_what_was_made_is_in_force_before_the_page_answers(
    tmp_path: Path, empty_server_url: str
) -> None:
    config = await asyncio.to_thread(
        write, tmp_path / "config", "http://127.0.0.1:9/", "http://127.0.0.1:9/"
    )
    async with open_store(empty_server_url, config) as store:
        made = Draft(id="floods", value=RULES.encode(Made(settings={"query": "flood*"})))
        await StreamRegistry(store).put(RecordKind.RULE, made, NOW)
    env = {"REDIS_URL": empty_server_url}
    async with running("--config", config, "--only", "web", env=env) as daemon:
        await daemon.address()
        assert daemon.logged("rules_changed")
