"""What a reader asks for by a link holds for the next match."""

from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from monitor.core.links import Linker
from monitor.core.model import DeliveryState
from monitor.core.outcome import Suppression
from monitor.core.secret import Secret
from monitor.ports import DeliveryFilter
from monitor.web.app import serve
from monitor.web.links import LinkPages
from tests.pipeline.stage import Pipeline, pipeline
from tests.servers.hooks import HookServer
from tests.servers.newsroom import Newsroom, Story

KEY = Secret("a key for tests, of 32 characters")


async def press(stage: Pipeline, which: str, **form: str) -> None:
    """Press the button behind a link of the first delivery."""
    parts = stage.parts
    [told] = await parts.ledger.find(DeliveryFilter(state=DeliveryState.DELIVERED))
    app = web.Application()
    LinkPages(
        Linker("http://x", KEY), parts.registry, parts.ledger, parts.clock, lambda _: UTC
    ).add_to(app)
    async with serve(app, "127.0.0.1", 0) as base, aiohttp.ClientSession() as session:
        url = getattr(Linker(base, KEY).links(told), which)
        async with session.post(url, data=form) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("which", "form", "after"),
    [
        ("snooze_story", {"for": "24h"}, Suppression.SILENCED),
        ("snooze_rule", {"for": "24h"}, Suppression.SILENCED),
        ("unsubscribe", {"List-Unsubscribe": "One-Click"}, Suppression.UNSUBSCRIBED),
        ("digest", {"schedule": "hourly"}, None),
    ],
)
async def test_next_article_of_the_story_is_kept_back(
    which: str,
    form: dict[str, str],
    after: Suppression | None,
    tmp_path: Path,
    empty_server_url: str,
) -> None:
    async with Newsroom().open() as newsroom, HookServer() as hook:
        settings: dict[str, Any] = {
            "feeds": {
                name: {"url": f"{newsroom.base}/feeds/{name}.xml", "every": "1m", "since": "3650d"}
                for name in ("one", "two")
            },
            "rules": {"talks": "talks"},
            "subscribers": {"desk": [{"webhook": {"url": hook.url}}]},
        }
        newsroom.feeds["one"] = [Story(1, "talks resume")]
        newsroom.feeds["two"] = []
        async with pipeline(tmp_path, empty_server_url, **settings) as stage:
            await stage.poll()
            assert len(hook.received) == 1
            await press(stage, which, **form)
            newsroom.feeds["two"] = [Story(1, "talks resume"), Story(2, "no more talks")]
            await stage.poll_after(timedelta(minutes=2))
            held = await stage.parts.ledger.find(DeliveryFilter(state=DeliveryState.HELD))
            if after is None:
                assert len(held) >= 1
                assert len(hook.received) == 1
            else:
                assert stage.suppressed()[after] >= 1
                assert len(hook.received) == (2 if which == "snooze_story" else 1)
