"""What a whole run tells other programs is what the AsyncAPI document says."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.eventschema import validator
from tests.pipeline.stage import pipeline
from tests.servers.hooks import HookServer
from tests.servers.newsroom import Newsroom, Story


def mistakes(name: str, said: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(said)]


async def test_matches_alerts_and_digests_are_as_described(
    tmp_path: Path, empty_server_url: str
) -> None:
    async with Newsroom().open() as newsroom, HookServer() as hook:
        newsroom.feeds["one"] = [Story(1, "talks in Geneva"), Story(2, "talks in Вене")]
        async with pipeline(
            tmp_path,
            empty_server_url,
            feeds={"one": {"url": f"{newsroom.base}/feeds/one.xml", "since": "3650d"}},
            rules={"talks": "talks", "cities": {"query": "Geneva OR Вене", "severity": "warning"}},
            subscribers={
                "desk": [{"webhook": {"url": hook.url}}],
                "evening": [{"webhook": {"url": hook.url}}],
            },
            route={
                "subscriber": "desk",
                "routes": [
                    {"subscriber": "evening", "group_wait": "5m", "continue": True},
                    {"subscriber": "desk"},
                ],
            },
        ) as stage:
            await stage.poll()
            await stage.finish()
            entries = await stage.parts.public.read("0", 10, timedelta())
    assert len(entries) == 4
    for entry in entries:
        assert mistakes("Entry", dict(entry.fields)) == []
        assert mistakes("Publication", json.loads(entry.fields["data"])) == []
    sent = [json.loads(each.body) for each in hook.received]
    assert sorted(each["type"] for each in sent) == [
        "monitor.alert.v1",
        "monitor.alert.v1",
        "monitor.digest.v1",
    ]
    for request, event in zip(hook.received, sent, strict=True):
        kind = "DigestEvent" if "digest" in event["type"] else "AlertEvent"
        assert mistakes(kind, event) == []
        headers = {name: text for name, text in request.headers.items() if "webhook" in name}
        assert mistakes("WebhookHeaders", headers | _plain(request.headers)) == []


def _plain(headers: Any) -> dict[str, str]:
    return {name: headers[name] for name in ("content-type", "user-agent")}
