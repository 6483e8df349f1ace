"""An edit that a further rule finds is told with what it did to the headline."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.pipeline.stage import pipeline
from tests.servers.hooks import HookServer
from tests.servers.newsroom import Newsroom, Story


@dataclass(frozen=True)
class Renamed(Story):
    """The same article as that of its number, under other words."""


async def test_edit_says_what_the_headline_was(tmp_path: Path, empty_server_url: str) -> None:
    async with Newsroom().open() as newsroom, HookServer() as hook:
        newsroom.feeds["one"] = [Story(1, "two observers hurt in talks")]
        url = f"{newsroom.base}/feeds/one.xml"
        async with pipeline(
            tmp_path,
            empty_server_url,
            feeds={"one": {"url": url, "every": "1m", "since": "3650d"}},
            rules={"talks": "talks", "deaths": "killed"},
            subscribers={"desk": [{"webhook": {"url": hook.url}}]},
        ) as stage:
            await stage.poll()
            newsroom.feeds["one"] = [Renamed(1, "three observers killed in talks")]
            await stage.poll_after(timedelta(minutes=5))
    first, edit = (json.loads(each.body)["data"]["article"] for each in hook.received)
    assert "was_title" not in first
    assert edit["kind"] == "edited"
    assert edit["title"] == "Story 1: three observers killed in talks"
    assert edit["was_title"] == "Story 1: two observers hurt in talks"
