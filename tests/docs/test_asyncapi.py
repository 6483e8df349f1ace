"""The AsyncAPI document is current, is one, and says what webhooks are sent."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from monitor.web.api.asyncapi import document
from tests.eventschema import validator
from tools.asyncapi import TARGET, text

DATA = Path(__file__).parents[1] / "data"
SPECIFICATION = DATA / "asyncapi" / "3.0.0.json"
SENT = sorted((DATA / "render").glob("*.webhook.json"))


def test_the_document_is_current() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), "run: python -m tools.asyncapi"


def test_the_document_is_what_the_specification_asks_for() -> None:
    specification = json.loads(SPECIFICATION.read_text(encoding="utf-8"))
    assert [error.message for error in Draft7Validator(specification).iter_errors(document())] == []


def test_every_reference_leads_somewhere() -> None:
    described = document()
    found = json.dumps(described).split('"$ref": "#/')[1:]
    assert len(found) > 20
    for each in found:
        place = described
        for name in each.partition('"')[0].split("/"):
            place = place[name]


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.name.split(".")[0])
def test_every_kind_of_webhook_is_as_described(path: Path) -> None:
    sent = json.loads(path.read_text(encoding="utf-8"))
    kind = {"monitor.alert.v1": "AlertEvent", "monitor.digest.v1": "DigestEvent"}[sent["type"]]
    assert [error.message for error in validator(kind).iter_errors(sent)] == []


def test_both_kinds_of_webhook_and_every_part_are_tried() -> None:
    everything = "".join(path.read_text(encoding="utf-8") for path in SENT)
    for name, schema in document()["components"]["schemas"].items():
        if name.startswith("Sent") or name in {"AlertData", "DigestData"}:
            for part in schema["properties"]:
                assert f'"{part}":' in everything, (name, part)
