"""The matches of a rule as a feed, read as feed readers do."""

import base64
import json
from dataclasses import replace

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.access import Scope
from monitor.core.chapter import Kept
from monitor.core.render.syndication import atom, json_feed
from tests.factories import NOW, article, rule
from tests.integration.web.conftest import SECRETS, Desk, seen

TALKS = "/feeds/rules/talks"


async def test_a_feed_reader_gets_what_the_rule_found_newest_first(desk: Desk) -> None:
    await desk.keep(
        seen("a1", "Talks resume", "talks"),
        seen("a2", "Weather <b>warm</b> & dry"),
        seen("a3", "Talks fail & \u202eend", "talks"),
    )
    answer = await desk.ask("GET", f"{TALKS}.atom", Scope.READ)
    read = feedparser.parse(answer.body)
    assert not read.bozo
    assert [entry.title for entry in read.entries] == ["Talks fail & end", "Talks resume"]
    assert read.entries[0].id == "urn:monitor:article:a3"
    assert read.feed.title == "Talks"
    as_json = (await desk.ask("GET", f"{TALKS}.json", Scope.READ)).body
    assert [item["title"] for item in as_json["items"]] == ["Talks fail & end", "Talks resume"]
    assert as_json["feed_url"].endswith(f"{TALKS}.json")


async def test_it_is_sent_once_while_nothing_is_new(desk: Desk) -> None:
    await desk.keep(seen("a1", "Talks resume", "talks"))
    first = await desk.ask("GET", f"{TALKS}.atom", Scope.READ)
    again = {"If-None-Match": first.headers["ETag"]}
    assert (await desk.ask("GET", f"{TALKS}.atom", Scope.READ, headers=again)).status == 304
    await desk.keep(seen("a2", "Talks fail", "talks"))
    assert (await desk.ask("GET", f"{TALKS}.atom", Scope.READ, headers=again)).status == 200


async def test_the_token_may_be_a_password_or_a_parameter_and_is_not_repeated(desk: Desk) -> None:
    token = SECRETS[Scope.READ]
    basic = base64.b64encode(f"reader:{token}".encode()).decode()
    by_password = {"Authorization": f"Basic {basic}"}
    assert (await desk.ask("GET", f"{TALKS}.atom", None, headers=by_password)).status == 200
    by_parameter = await desk.ask("GET", f"{TALKS}.atom?token={token}", None)
    assert by_parameter.status == 200
    assert token.encode() not in by_parameter.body


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Basic ***"}, {"Authorization": "Basic /w=="}]
)
async def test_without_a_good_token_nothing_is_told(desk: Desk, headers: dict[str, str]) -> None:
    answer = await desk.ask("GET", f"{TALKS}.atom", None, headers=headers)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


async def test_a_rule_that_is_not_in_force_has_no_feed(desk: Desk) -> None:
    answer = await desk.ask("GET", "/feeds/rules/nope.atom", Scope.READ)
    assert (answer.status, answer.body["detail"]) == (
        404,
        "there is no rule 'nope'; GET /api/rules lists them",
    )


@settings(max_examples=60, deadline=None)
@given(title=st.text(), summary=st.text(), url=st.text(), source=st.text())
def test_whatever_an_article_says_the_feed_is_well_formed(
    title: str, summary: str, url: str, source: str
) -> None:
    said = article(title=title, summary=summary, url=url, feed_name=source, seen_at=NOW)
    found = [Kept(number=2, article=said), Kept(number=1, article=replace(said, title="before"))]
    read = feedparser.parse(atom(rule(), found, "http://m.example/feed"))
    assert not read.bozo
    assert len(read.entries) == 1
    assert len(json.loads(json_feed(rule(), found, "http://m.example/feed"))["items"]) == 1
