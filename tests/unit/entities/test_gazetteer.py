"""Entries of the gazetteer and the forms of their names."""

from typing import Any

import pytest

from monitor.core.entities import Case, EntityType, Gazetteer, forms
from monitor.errors import ConfigError


def record(**changes: Any) -> dict[str, Any]:
    return {"id": "lavrov", "type": "person", "names": {"en": ["Lavrov"]}} | changes


def test_entity_is_found_by_id_qid_and_label() -> None:
    gazetteer = Gazetteer.from_records([record(qid="Q58217", label="Sergey  Lavrov")])
    entity = gazetteer.get("lavrov")
    assert entity is not None
    assert (entity.type, entity.label) == (EntityType.PERSON, "Sergey  Lavrov")
    assert gazetteer.get("q58217") is gazetteer.get("sergey lavrov") is entity
    assert "q58217" in gazetteer
    assert "putin" not in gazetteer
    assert (list(gazetteer), len(gazetteer)) == (["lavrov"], 1)


def test_name_is_read_with_its_rules() -> None:
    name = {"n": "U.S. Army", "case": "exact", "needs": "soldiers", "not": ["Salvation Army"]}
    entity = Gazetteer.from_records([record(names={"en": [name]})]).get("lavrov")
    assert entity is not None
    (read,) = entity.names
    assert (read.words, read.exact, read.case) == (("us", "army"), ("US", "Army"), Case.EXACT)
    assert (read.needs, read.unless) == ((("soldiers",),), (("salvation", "army"),))


def test_label_is_the_id_where_there_is_none() -> None:
    entity = Gazetteer.from_records([record()]).get("lavrov")
    assert entity is not None
    assert entity.label == "lavrov"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ""}, "'id' must be a text that is not empty"),
        ({"type": "robot"}, "type must be one of person, place"),
        ({"nmaes": {}}, "unknown key 'nmaes'"),
        ({"names": {}}, "'names' must give names for each language"),
        ({"names": {"en": "Lavrov"}}, "names.en must be a list of names"),
        ({"names": {"en": [7]}}, "a name in names.en must be a text"),
        ({"names": {"en": ["…"]}}, "names.en: '…' has no letter"),
        ({"names": {"en": [{"n": "WHO", "case": "upper"}]}}, "names.en: case must be one of exact"),
        ({"names": {"en": [{"n": "WHO", "not": 3}]}}, "names.en: not must be a list of texts"),
        ({"names": {"en": [{"n": "WHO", "not": [3]}]}}, "names.en: not: 3 must be a text"),
        ({"names": {"en": [{"n": "WHO", "cse": "any"}]}}, "unknown key 'cse'"),
        ({"label": 3}, "'label' must be a text"),
    ],
)
def test_bad_record_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Gazetteer.from_records([record(id="good"), record(**changes)])
    (problem,) = caught.value.problems
    assert problem.line == 2
    assert problem.message.startswith(f"entity {({'id': 'lavrov'} | changes)['id']!r}: ")
    assert message in problem.message


def test_all_bad_records_are_reported() -> None:
    with pytest.raises(ConfigError) as caught:
        Gazetteer.from_records([record(), record(), record(type="x")])
    assert [problem.line for problem in caught.value.problems] == [2, 3]
    assert "used twice" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("name", "lang", "form"),
    [
        ("Lavrov", "en", "Lavrov"),
        ("لافروف", "ar", "ولافروف"),
        ("الأمم المتحدة", "ar", "للأمم المتحدة"),
        ("الأمم المتحدة", "ar", "والأمم المتحدة"),
        ("לברוב", "he", "שלברוב"),
        ("라브로프", "ko", "라브로프는"),
    ],
)
def test_forms_include(name: str, lang: str, form: str) -> None:
    assert form in forms(name, lang)
    assert forms(name, lang)[0] == name


def test_names_without_forms_stay_as_they_are() -> None:
    assert forms("Lavrov", "en-GB") == ("Lavrov",)
