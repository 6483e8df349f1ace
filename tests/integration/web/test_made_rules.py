"""Rules made by the API: what is refused, and what is listed."""

from typing import Any

import pytest

from monitor.core.access import Scope
from monitor.core.made import Made
from monitor.ports import Draft, RecordKind
from monitor.registry import RULES
from tests.factories import NOW
from tests.integration.web.conftest import Answer, Desk

FLOODS: dict[str, Any] = {
    "query": "flood*",
    "name": "Floods",
    "severity": "warning",
    "labels": {"region": "asia"},
    "expires": "2030-12-31",
    "examples": {"match": ["Floods in the delta"], "no_match": [{"title": "Droughts"}]},
}


async def put(desk: Desk, rule_id: str, *, scope: Scope = Scope.WRITE, **settings: Any) -> Answer:
    return await desk.ask("PUT", f"/api/rules/{rule_id}", scope, json=settings)


async def listed(desk: Desk) -> dict[str, Any]:
    return {each["id"]: each for each in (await desk.ask("GET", "/api/rules")).body["rules"]}


async def test_a_rule_is_made_shown_replaced_and_removed(desk: Desk) -> None:
    made = await put(desk, "floods", **FLOODS)
    assert (made.status, made.body["origin"], made.body["name"]) == (200, "store", "Floods")
    assert made.body["expires_at"] == "2031-01-01T00:00:00Z"
    assert made.body["settings"] == FLOODS
    assert (await listed(desk))["floods"]["severity"] == "warning"
    assert (await put(desk, "floods", query="flood* OR deluge")).body["query"] == "flood* OR deluge"
    assert (await desk.ask("GET", "/api/rules/floods")).body["settings"] == {
        "query": "flood* OR deluge"
    }
    assert (await desk.ask("DELETE", "/api/rules/floods", Scope.WRITE)).status == 204
    assert "floods" not in await listed(desk)
    assert (await desk.ask("GET", "/api/rules/floods")).status == 404
    assert (await desk.ask("DELETE", "/api/rules/floods")).status == 404


async def test_making_a_rule_again_as_it_is_writes_nothing(desk: Desk) -> None:
    first = await put(desk, "floods", **FLOODS)
    version = (await desk.registry.versions())[RecordKind.RULE]
    again = await put(desk, "floods", **FLOODS)
    assert again.body == first.body
    assert (await desk.registry.versions())[RecordKind.RULE] == version


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_rule_of_a_file_is_left_to_its_file(desk: Desk, method: str) -> None:
    answer = await desk.ask(method, "/api/rules/talks", json={"query": "x"})
    assert answer.status == 409
    assert "rules.yaml:2" in answer.body["detail"]
    shown = (await desk.ask("GET", "/api/rules/talks")).body
    assert (shown["origin"], shown["place"], shown["query"]) == ("file", "rules.yaml:2", "talks")
    assert shown["settings"] is None


async def test_the_rule_of_a_file_wins_over_one_of_the_store(desk: Desk) -> None:
    made = RULES.encode(Made(settings={"query": "mine"}))
    await desk.registry.put(RecordKind.RULE, Draft(id="talks", value=made), NOW)
    await put(desk, "floods", **FLOODS)
    found = (await listed(desk))["talks"]
    assert (found["origin"], found["query"]) == ("file", "talks")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"query": "flood AND ("}, {"position": 11}),
        ({"query": "@nobody"}, {"position": 0}),
        ({"query": "list:@nothing"}, {"position": 0}),
        ({"query": "flood", "expires": "soon"}, {"field": "expires"}),
        ({"query": "flood", "labels": {"a b": "c"}}, {"field": "labels.a b"}),
        ({"query": "flood", "examples": {"match": ["A drought"]}}, {"field": "examples.match.0"}),
        ({"query": "a", "examples": {"no_match": ["A boat"]}}, {"field": "examples.no_match.0"}),
        ({"query": "flood", "severity": "fatal"}, {}),
        ({"query": "flood", "expiers": "2030-01-01"}, {}),
        ({"name": "no query"}, {}),
    ],
)
async def test_what_a_file_could_not_say_is_refused(
    desk: Desk, settings: dict[str, Any], told: dict[str, Any]
) -> None:
    answer = await put(desk, "floods", **settings)
    assert answer.status == 422
    assert answer.body["detail"]
    assert told.items() <= answer.body.items()
    assert "floods" not in await listed(desk)


@pytest.mark.parametrize("rule_id", ["monitor", "monitor.feed-gone", "no%20blanks", "x" * 500])
async def test_an_id_that_no_rule_can_have_is_refused(desk: Desk, rule_id: str) -> None:
    assert (await put(desk, rule_id, query="flood")).status == 422


async def test_examples_are_tried_again_when_they_alone_change(desk: Desk) -> None:
    await put(desk, "floods", query="flood*")
    answer = await put(desk, "floods", query="flood*", examples={"match": ["A drought"]})
    assert (answer.status, answer.body["field"]) == (422, "examples.match.0")


async def test_rules_of_the_store_refer_to_others_which_then_stay(desk: Desk) -> None:
    assert (await put(desk, "peace", query="@talks AND peace")).status == 200
    assert (await put(desk, "lasting", query="@peace AND lasting")).status == 200
    refused = await desk.ask("DELETE", "/api/rules/peace")
    assert refused.status == 409
    assert "'lasting' refers to 'peace'" in refused.body["detail"]
    circle = await put(desk, "peace", query="@lasting")
    assert circle.status == 422
    assert (await listed(desk))["peace"]["query"] == "@talks AND peace"
    for rule_id in ("lasting", "peace"):
        assert (await desk.ask("DELETE", f"/api/rules/{rule_id}")).status == 204


async def test_a_rule_that_cannot_be_used_is_listed_with_its_error_and_costs_no_other(
    desk: Desk,
) -> None:
    for rule_id, settings in (
        ("lost", {"query": "@gone AND x"}),
        ("later", {"query": "flood", "from_a_newer_release": 1}),
        ("second", {"query": "@lost OR flood"}),
    ):
        draft = Draft(id=rule_id, value=RULES.encode(Made(settings=settings)))
        await desk.registry.put(RecordKind.RULE, draft, NOW)
    assert (await put(desk, "floods", **FLOODS)).status == 200
    rules = await listed(desk)
    assert "gone" in rules["lost"]["error"]
    assert "from_a_newer_release" in rules["later"]["error"]
    assert rules["second"]["error"]
    assert not rules["floods"]["error"]
    shown = await desk.ask("GET", "/api/rules/lost")
    assert shown.body["settings"] == {"query": "@gone AND x"}
    assert (await put(desk, "gone", query="found")).status == 200
    assert not (await listed(desk))["second"]["error"]


async def test_a_query_of_great_length_is_refused_at_its_place(desk: Desk) -> None:
    long = "(" * 100_000
    for path in ("/api/rules/check", "/api/rules/floods"):
        method = "POST" if path.endswith("check") else "PUT"
        answer = await desk.ask(method, path, json={"query": long})
        assert answer.status == 422
        assert "position" in answer.body
