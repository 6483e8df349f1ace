"""Entries of the gazetteer and the forms of their names."""

from datetime import datetime
from typing import Any

import pytest

from monitor.core.engine import compile_rules
from monitor.core.entities import Case, EntityType, Gazetteer, forms
from monitor.errors import ConfigError
from tests.factories import NOW, article, rule


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
        ("לברוב", "he", "כשלברוב"),
        ("הבית הלבן", "he", "לבית הלבן"),
        ("הבית הלבן", "he", "מהבית הלבן"),
        ("라브로프", "ko", "라브로프는"),
    ],
)
def test_forms_include(name: str, lang: str, form: str) -> None:
    assert form in forms(name, lang)
    assert forms(name, lang)[0] == name


@pytest.mark.parametrize("name", ["הונג קונג", "הנייה"])
def test_first_letter_of_a_name_is_no_article(name: str) -> None:
    assert "ב" + name[1:] not in forms(name, "he")


def test_names_without_forms_stay_as_they_are() -> None:
    assert forms("Lavrov", "en-GB") == ("Lavrov",)


def test_shipped_entry_is_replaced_by_one_of_the_same_id_or_extended() -> None:
    shipped = {"lavrov": record(qid="Q58217", names={"en": ["Lavrov"], "de": ["Lawrow"]})}
    replaced = Gazetteer.from_records([record(names={"ja": ["ラブロフ"]})], shipped).get("lavrov")
    extended = Gazetteer.from_records(
        [record(extend=True, names={"en": ["Lavroff"]})], shipped
    ).get("q58217")
    assert replaced is not None
    assert extended is not None
    assert {name.words for name in replaced.names} == {tuple("ラブロフ")}
    assert {("lavrov",), ("lawrow",), ("lavroff",)} <= {name.words for name in extended.names}


def test_entry_cannot_extend_what_is_not_shipped() -> None:
    with pytest.raises(ConfigError, match="cannot extend"):
        Gazetteer.from_records([record(extend=True)])


def test_form_spelled_like_a_name_with_conditions_is_left_out() -> None:
    names = {"en": [{"n": "Palestine", "not": ["Texas"]}], "sk": ["Palestína"]}
    (entity,) = Gazetteer.from_records([record(type="place", names=names)]).entities.values()
    assert all(name.unless for name in entity.names if name.words == ("palestine",))


@pytest.mark.parametrize(
    ("valid", "message"),
    [
        ("2004", "valid must be two dates"),
        (["2004-03-09"], "valid must be two dates"),
        (["9 March", None], "is no date"),
        (["2005-01-01", "2004-01-01"], "ends before it begins"),
    ],
)
def test_dates_of_a_name_are_checked(valid: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Gazetteer.from_records([record(names={"en": [{"n": "minister", "valid": valid}]})])


@pytest.mark.parametrize(
    ("published", "is_found"),
    [("2004-03-08", False), ("2004-03-09", True), ("2012-05-21", True), ("2012-05-22", False)],
)
def test_name_of_an_office_holds_between_its_dates(published: str, is_found: bool) -> None:
    names = {"en": [{"n": "foreign minister", "valid": ["2004-03-09", "2012-05-21"]}]}
    rules = compile_rules(
        [rule(id="a", query="entity:lavrov")],
        gazetteer=Gazetteer.from_records([record(names=names)]),
    ).rules
    at = datetime.fromisoformat(f"{published}T12:00+00:00")
    assert (
        bool(rules.match(article(title="The foreign minister", published_at=at), NOW)) is is_found
    )


@pytest.mark.parametrize(
    ("title", "is_found"),
    [("Le rapport de l'ONU", True), ("Le rapport de l'onu", False), ("ONU", True)],
)
def test_capitals_count_behind_an_elided_article(title: str, is_found: bool) -> None:
    names = {"fr": [{"n": "ONU", "case": "exact"}]}
    rules = compile_rules(
        [rule(id="a", query="entity:lavrov")],
        gazetteer=Gazetteer.from_records([record(names=names)]),
    ).rules
    assert bool(rules.match(article(title=title, summary="", body=""), NOW)) is is_found
