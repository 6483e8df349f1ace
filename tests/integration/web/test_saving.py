"""Rules saved and removed on the page."""

from typing import Any

import pytest

from monitor.core.access import Scope
from monitor.core.made import Made
from monitor.ports import Draft, RecordKind
from monitor.registry import RULES
from tests.factories import NOW
from tests.integration.web.conftest import Answer, Desk
from tests.integration.web.test_page import OURS, look, press, sign_in

FORM = {"id": "floods", "rule": "", "query": "flood*", "name": "Floods", "severity": "critical"}


async def save(desk: Desk, **form: str) -> Answer:
    return await press(desk, "/editor/save", OURS, **FORM | form)


async def rule(desk: Desk, rule_id: str = "floods") -> Any:
    return (await desk.ask("GET", f"/api/rules/{rule_id}")).body


async def test_a_rule_is_saved_opened_changed_and_removed(desk: Desk) -> None:
    await sign_in(desk, Scope.WRITE)
    saved = await save(desk, match="Floods in the delta\n\n", no_match="Droughts")
    assert (saved.status, saved.headers["Location"]) == (303, "/rules/floods?said=saved")
    shown = (await look(desk, "/rules/floods?said=saved")).body
    assert "is saved and in force" in shown
    assert shown.count("as it must be:") == 2
    assert "made here" in (await look(desk, "/rules?q=floods")).body
    opened = (await look(desk, "/editor?rule=floods")).body
    assert 'name="id" class="mono" value="floods"' in opened
    assert "<option selected>critical</option>" in opened
    assert "Floods in the delta</textarea>" in opened
    changed = await save(desk, rule="floods", query="deluge", severity="info")
    assert changed.status == 303
    assert (await rule(desk))["query"] == "deluge"
    removed = await press(desk, "/rules/floods/remove")
    assert (removed.status, removed.headers["Location"]) == (303, "/rules?said=removed")
    assert "The rule is removed" in (await look(desk, "/rules?said=removed")).body
    assert (await look(desk, "/rules/floods")).status == 404


async def test_what_the_form_has_no_field_for_is_kept(desk: Desk) -> None:
    await sign_in(desk, Scope.WRITE)
    settings: dict[str, Any] = {
        "query": "flood*",
        "owner": "asia",
        "labels": {"region": "asia"},
        "expires": "2030-12-31",
        "shadow": True,
        "examples": {"match": ["Floods", {"title": "Rain", "body": "It floods"}]},
    }
    await desk.ask("PUT", "/api/rules/floods", json=settings)
    assert (await save(desk, rule="floods", match="Floods\nA flood")).status == 303
    kept = (await rule(desk))["settings"]
    assert {key: kept[key] for key in ("owner", "labels", "expires", "shadow")} == {
        key: settings[key] for key in ("owner", "labels", "expires", "shadow")
    }
    assert kept["examples"]["match"] == [
        "Floods",
        "A flood",
        {"title": "Rain", "body": "It floods"},
    ]


async def test_a_rule_of_a_file_is_saved_as_another_alone(desk: Desk) -> None:
    await sign_in(desk, Scope.WRITE)
    opened = (await look(desk, "/editor?rule=talks")).body
    assert 'name="id" class="mono" value=""' in opened
    assert "<code>rules.yaml:2</code>" in opened
    refused = await save(desk, rule="talks", id="talks")
    assert refused.status == 409
    assert "rules.yaml:2" in refused.body
    assert "flood*</textarea>" in refused.body
    assert (await save(desk, rule="talks", id="my-talks", query="resume")).status == 303
    assert (await press(desk, "/rules/talks/remove")).status == 409
    assert "Remove it" not in (await look(desk, "/rules/talks")).body


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"query": "flood AND ("}, 422, "data-position="),
        ({"id": ""}, 422, "Not saved"),
        ({"id": "no blanks"}, 422, "Not saved"),
        ({"id": "vote"}, 409, "there is a rule &#39;vote&#39; already"),
        ({"severity": "fatal"}, 422, "Not saved"),
        ({"match": "A drought"}, 422, "examples.match.0"),
        ({"id": "<b>"}, 422, "Not saved"),
    ],
)
async def test_what_cannot_be_saved_is_said_and_stays_in_the_form(
    desk: Desk, form: dict[str, str], status: int, said: str
) -> None:
    await sign_in(desk, Scope.WRITE)
    answer = await save(desk, **form)
    assert answer.status == status
    assert said in answer.body
    assert 'value="Floods"' in answer.body
    assert (await rule(desk)).get("origin") is None


async def test_one_rule_is_not_saved_over_another(desk: Desk) -> None:
    await sign_in(desk, Scope.WRITE)
    await save(desk)
    assert (await save(desk, query="other")).status == 409
    assert (await rule(desk))["query"] == "flood*"


async def test_a_rule_that_cannot_be_used_is_shown_with_its_error_and_can_be_mended(
    desk: Desk,
) -> None:
    await sign_in(desk, Scope.WRITE)
    value = RULES.encode(Made(settings={"query": "@gone"}))
    await desk.registry.put(RecordKind.RULE, Draft(id="lost", value=value), NOW)
    await save(desk)
    assert "not in force:" in (await look(desk, "/rules")).body
    shown = (await look(desk, "/rules/lost")).body
    assert "is kept and not in force" in shown
    assert "@gone" in shown
    assert 'value="lost"' in (await look(desk, "/editor?rule=lost")).body
    assert (await save(desk, id="lost", rule="lost", query="found")).status == 303
    assert (await rule(desk, "lost"))["error"] == ""
