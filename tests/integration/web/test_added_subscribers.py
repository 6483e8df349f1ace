"""Subscribers added by the API: what is refused, and what is listed."""

from typing import Any

import pytest

from monitor.core.access import Scope
from monitor.core.made import Made
from monitor.ports import Draft, RecordKind
from monitor.registry import SUBSCRIBERS
from tests.factories import NOW
from tests.integration.web.conftest import Answer, Desk

HOOK = {"url": "https://example.org/hook"}
NIGHTS: dict[str, Any] = {
    "route": {"match": {"rule": ["talks"], "severity": "warning"}},
    "targets": [{"webhook": {**HOOK, "secret_env": "MONITOR_SECRET_HOOK"}}, {"console": {}}],
    "timezone": "Asia/Kolkata",
    "quiet_hours": {"from": "22:00", "to": "07:00"},
}


async def put(desk: Desk, name: str, *, scope: Scope = Scope.ADMIN, **settings: Any) -> Answer:
    return await desk.ask("PUT", f"/api/subscribers/{name}", scope, json=settings)


async def listed(desk: Desk) -> dict[str, Any]:
    answer = await desk.ask("GET", "/api/subscribers", Scope.READ)
    return {each["name"]: each for each in answer.body["subscribers"]}


async def keep(desk: Desk, name: str, **settings: Any) -> None:
    """Write a record as another release could have, or at another time."""
    draft = Draft(id=name, value=SUBSCRIBERS.encode(Made(settings=settings)))
    await desk.registry.put(RecordKind.SUBSCRIBER, draft, NOW)


async def test_a_subscriber_is_added_shown_replaced_and_removed(desk: Desk) -> None:
    made = await put(desk, "nights", **NIGHTS)
    assert (made.status, made.body["origin"]) == (200, "store")
    assert made.body["settings"] == NIGHTS
    assert [each["id"] for each in made.body["targets"]] == ["nights/webhook", "nights/console"]
    assert made.body["targets"][0]["status"] == "active"
    found = await listed(desk)
    assert [(name, each["origin"]) for name, each in found.items()] == [
        ("desk", "file"),
        ("nights", "store"),
    ]
    less = await put(desk, "nights", route={}, targets=[{"console": {}}])
    assert [each["kind"] for each in less.body["targets"]] == ["console"]
    assert (await desk.ask("DELETE", "/api/subscribers/nights")).status == 204
    assert list(await listed(desk)) == ["desk"]
    assert (await desk.ask("GET", "/api/subscribers/nights")).status == 404
    assert (await desk.ask("DELETE", "/api/subscribers/nights")).status == 404


async def test_adding_one_again_as_it_is_writes_nothing(desk: Desk) -> None:
    await put(desk, "nights", **NIGHTS)
    version = (await desk.registry.versions())[RecordKind.SUBSCRIBER]
    assert (await put(desk, "nights", **NIGHTS)).status == 200
    assert (await desk.registry.versions())[RecordKind.SUBSCRIBER] == version


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_only_admins_say_who_is_told(desk: Desk, method: str) -> None:
    answer = await desk.ask(method, "/api/subscribers/nights", Scope.WRITE, json={"route": {}})
    assert answer.status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_subscriber_of_a_file_is_left_to_its_file(desk: Desk, method: str) -> None:
    answer = await desk.ask(method, "/api/subscribers/desk", json={"route": {}})
    assert (answer.status, "stands in a file" in answer.body["detail"]) == (409, True)
    shown = (await desk.ask("GET", "/api/subscribers/desk")).body
    assert (shown["origin"], shown["settings"]) == ("file", None)


@pytest.mark.parametrize(
    ("settings", "field", "said"),
    [
        ({}, "", "route"),
        ({"route": {"match": {"rule": "walks"}}}, "route.match.rule", "did you mean 'talks'"),
        ({"route": {"match": {"feed": "x"}}}, "route.match.feed", "unknown feed 'x'"),
        ({"route": {"matchers": 'city="Rome"'}}, "route.matchers", "no match has 'city'"),
        ({"route": {"mute_time_intervals": "nights"}}, "route.mute_time_intervals", "unknown"),
        (
            {"route": {"routes": [{}, {"subscriber": "desk"}]}},
            "route.routes.1.subscriber",
            "leads to 'desk'",
        ),
        ({"route": {"color": "red"}}, "route.color", "unknown key 'color'"),
        ({"route": {}, "targets": [{}]}, "targets.0", "a target is one of"),
        ({"route": {}, "targets": [{"console": {}}] * 2}, "targets.1.console", "two targets"),
        ({"route": {}, "timezone": "Mars"}, "timezone", "Mars"),
        ({"route": {}, "quiet_hours": "00:00-24:00"}, "quiet_hours", "never end"),
        (
            {"route": {}, "targets": [{"webhook": {**HOOK, "secret_env": "MONITOR_SECRET_X"}}]},
            "targets.0.webhook.secret_env",
            "no variable MONITOR_SECRET_X",
        ),
        (
            {"route": {}, "targets": [{"webhook": {**HOOK, "secret_file": "secrets/x"}}]},
            "targets.0.webhook.secret_file",
            "cannot be read",
        ),
    ],
)
async def test_what_cannot_be_is_refused_with_the_place_and_the_next_step(
    desk: Desk, settings: dict[str, Any], field: str, said: str
) -> None:
    answer = await put(desk, "nights", **settings)
    assert answer.status == 422
    assert said in answer.body["detail"]
    assert answer.body.get("field", "") == field
    assert list(await listed(desk)) == ["desk"]


@pytest.mark.parametrize(
    "target",
    [
        {"webhook": {**HOOK, "authorization_file": "/etc/hostname"}},
        {"webhook": {**HOOK, "authorization_file": "../secrets/x"}},
        {"webhook": {**HOOK, "authorization_file": "secrets/../monitor.yaml"}},
        {"webhook": {**HOOK, "authorization_file": "secrets/.hidden"}},
        {"webhook": {**HOOK, "authorization_env": "PATH"}},
        {"slack": {"webhook_url_file": "rules.yaml"}},
        {"console": {}, "template": {"text_file": "/etc/hostname"}},
        {
            "email": {
                "to": "a@example.org",
                "from": "b@example.org",
                "smtp": {"host": "mail.example", "username": "x", "password_file": "/etc/hostname"},
            }
        },
    ],
)
async def test_no_file_and_no_variable_is_read_that_was_not_laid_out_for_it(
    desk: Desk, target: dict[str, Any]
) -> None:
    answer = await put(desk, "nights", route={}, targets=[target])
    assert answer.status == 422
    assert "laid out" in answer.body["detail"] or "template" in answer.body["detail"]


@pytest.mark.parametrize("name", ["a%20b", "a%2Fb", "x" * 300])
async def test_a_name_is_an_id(desk: Desk, name: str) -> None:
    answer = await put(desk, name, route={}, targets=[{"console": {}}])
    assert (answer.status, answer.body["field"]) == (422, "name")


@pytest.mark.parametrize("depth", [20, 400, 10_000])
async def test_what_is_nested_without_end_is_refused(desk: Desk, depth: int) -> None:
    body = '{"route": ' + '{"routes": [' * depth + "{}" + "]}" * depth + "}"
    headers = {"Content-Type": "application/json"}
    answer = await desk.ask("PUT", "/api/subscribers/nights", data=body, headers=headers)
    assert (answer.status, "nested" in answer.body["detail"]) == (422, True)


async def test_one_that_can_no_longer_be_used_is_kept_with_the_reason(desk: Desk) -> None:
    await keep(desk, "nights", route={}, targets=[{"teleprinter": {}}])
    await put(desk, "others", route={}, targets=[{"console": {}}])
    found = await listed(desk)
    assert "teleprinter" in found["nights"]["error"]
    assert found["nights"]["targets"] == []
    assert found["others"]["error"] == ""
    shown = (await desk.ask("GET", "/api/subscribers/nights")).body
    assert shown["settings"]["targets"] == [{"teleprinter": {}}]
    assert (await put(desk, "nights", route={}, targets=[{"console": {}}])).body["error"] == ""


async def test_what_a_route_names_may_go_later(desk: Desk) -> None:
    rule = {"query": "flood*"}
    assert (await desk.ask("PUT", "/api/rules/floods", json=rule)).status == 200
    route = {"match": {"rule": "floods"}}
    assert (await put(desk, "nights", route=route, targets=[{"console": {}}])).status == 200
    assert (await desk.ask("DELETE", "/api/rules/floods")).status == 204
    await put(desk, "others", route={}, targets=[{"console": {}}])
    assert (await listed(desk))["nights"]["error"] == ""


async def test_one_of_a_file_counts_before_one_that_was_added(desk: Desk) -> None:
    await keep(desk, "desk", route={}, targets=[{"webhook": HOOK}])
    await put(desk, "others", route={}, targets=[{"console": {}}])
    found = (await listed(desk))["desk"]
    assert (found["origin"], [each["id"] for each in found["targets"]]) == (
        "file",
        ["desk/console"],
    )
