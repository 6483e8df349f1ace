"""Seventy successive states of a newspaper's feed, polled as they stood there, from the feed server to the receiver."""

import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from monitor.core.outcome import Suppression
from tests.clock import StandingClock
from tests.pipeline.stage import pipeline
from tests.servers.feeds import document, feed_server
from tests.servers.hooks import HookServer

ROOT = os.environ.get("MONITOR_CORPUS", "")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not ROOT, reason="MONITOR_CORPUS does not name the folder of real feeds"),
]
# In state 053 a story about a nominee stands once more under the address of the right nominee: same title, same text.
MOVED = "https://www.nytimes.com/2026/01/30/us/politics/trump-fed-chair-kevin-warsh.html"


@dataclass(frozen=True)
class State:
    """The feed at one moment: the titles by guid."""

    name: str
    at: datetime
    body: bytes
    titles: dict[str, str]


def states() -> list[State]:
    folder = Path(ROOT) / "snapshots" / "rss-arch"
    found = []
    for record in json.loads((folder / "index.json").read_text()):
        body = (folder / record["file"]).read_bytes()
        items = ET.fromstring(body).iter("item")  # noqa: S314 - files of our own corpus
        titles = {item.findtext("guid", ""): item.findtext("title", "") for item in items}
        at = datetime.fromisoformat(record["committed"])
        found.append(State(record["file"], at, body, titles))
    return found


def query(found: list[State]) -> str:
    """Write a query that every title answers."""
    said = {title for state in found for title in state.titles.values()}
    words = {word.casefold() for title in said for word in re.findall(r"[A-Za-z]{4,}", title)}
    return " OR ".join(sorted(words))


@pytest.mark.timeout(60)
async def test_each_new_item_of_a_real_feed_is_alerted_once_and_an_edit_alerts_nobody_again(
    empty_server_url: str, tmp_path: Path
) -> None:
    found = states()
    clock = StandingClock(found[0].at)
    known: set[str] = {MOVED}
    told: Counter[str] = Counter()
    async with feed_server() as server, HookServer() as hook:
        url = server.script("/nyt.xml", document(""))
        async with pipeline(
            tmp_path / "config",
            empty_server_url,
            clock,
            feeds={"nyt": {"url": url, "every": "1h"}},
            rules={"anything": query(found)},
            subscribers={"desk": [{"webhook": {"url": hook.url}}]},
        ) as stage:
            for number, state in enumerate(found):
                server.script("/nyt.xml", document(state.body))
                await stage.poll_after(state.at - clock.now())
                alerted = [json.loads(each.body)["data"]["article"] for each in hook.received]
                hook.received.clear()
                fresh = state.titles.keys() - known
                known |= fresh
                new = [each for each in alerted if each["kind"] == "new"]
                expected = [] if number == 0 else sorted(state.titles[guid] for guid in fresh)
                assert sorted(each["title"] for each in new) == expected, state.name
                told.update(each["id"] for each in alerted)
        assert len(server.requests) == len(found)
    assert set(told.values()) == {1}
    assert stage.suppressed() == {Suppression.BASELINE: 20, Suppression.ALREADY_TOLD: 6}
