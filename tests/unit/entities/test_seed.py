"""The shipped gazetteer is what its sources say, and gives each name to one entity."""

# ruff: noqa: RUF001 - letters of other alphabets are what this is about

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from monitor.config.seed import shipped_records
from monitor.core.engine import compile_rules
from monitor.core.entities import Case, Gazetteer, read_entity
from tests.factories import NOW, article, rule
from tools.seed_gazetteer import TARGET, text

# Names that two entries need context for are left to that context; these share one without.
ALWAYS = (None, None)
KNOWN_TWICE: frozenset[tuple[str, ...]] = frozenset()


@pytest.mark.no_cover
def test_compiled_file_is_current() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), "run: python -m tools.seed_gazetteer"


@pytest.mark.no_cover
def test_every_entry_can_be_read_and_has_a_bounded_number_of_names() -> None:
    for record in shipped_records().values():
        assert 0 < len(read_entity(record).names) <= 1000, record["id"]


@pytest.mark.no_cover
def test_no_name_stands_for_two_entries_unless_context_decides() -> None:
    owners: dict[tuple[object, ...], set[str]] = {}
    for record in shipped_records().values():
        entity = read_entity(record)
        for name in entity.names:
            if not name.needs and not name.unless and name.valid == ALWAYS:
                exact = name.exact if name.case is Case.EXACT else ()
                owners.setdefault((name.words, exact), set()).add(entity.id)
    twice = {name: ids for name, ids in owners.items() if len(ids) > 1 and name not in KNOWN_TWICE}
    assert twice == {}


@pytest.mark.no_cover
def test_an_office_has_one_holder_on_any_day() -> None:
    terms: dict[tuple[str, ...], set[tuple[date, date, str]]] = {}
    for record in shipped_records().values():
        entity = read_entity(record)
        for name in entity.names:
            if name.valid != ALWAYS:
                first, last = name.valid
                assert first is not None
                terms.setdefault(name.words, set()).add((first, last or date.max, entity.id))
    assert terms
    for held in terms.values():
        assert all(ends < begins for (_, ends, _), (begins, *_) in pairwise(sorted(held))), held


@pytest.mark.parametrize(
    ("title", "year", "expected"),
    [
        ("Russian foreign minister arrives in Geneva", 2013, {"lavrov"}),
        ("Russian foreign minister arrives in Geneva", 2003, set()),
        ("UN chief calls for calm", 2005, {"annan"}),
        ("UN chief calls for calm", 2012, {"ban-ki-moon"}),
        ("UN chief calls for calm", 2024, {"guterres"}),
        ("Bundeskanzlerin reist nach Paris", 2015, {"merkel"}),
        ("Генсек ООН призвал к миру", 2020, {"guterres"}),
        ("Syrian president speaks", 2012, {"assad"}),
        ("Syrian president speaks", 2025, {"sharaa"}),
    ],
)
def test_an_office_is_who_held_it_on_the_day(title: str, year: int, expected: set[str]) -> None:
    people = ("lavrov", "annan", "ban-ki-moon", "guterres", "merkel", "assad", "sharaa")
    rules = compile_rules(
        [rule(id=id_, query=f"entity:{id_}") for id_ in people],
        gazetteer=Gazetteer.from_records([], shipped_records()),
    ).rules
    day = datetime(year, 6, 1, tzinfo=UTC)
    found = rules.match(article(title=title, summary="", body="", published_at=day), NOW)
    assert {each.rule_id for each in found} == expected


def test_references_are_unique() -> None:
    records = shipped_records().values()
    for key in ("id", "label", "qid"):
        given = [record[key].casefold() for record in records if key in record]
        assert len(given) == len(set(given)), key


def test_entries_are_read_only_when_asked_for() -> None:
    records = shipped_records()
    gazetteer = Gazetteer.from_records([], records)
    assert "lavrov" in gazetteer
    assert gazetteer.entities == {}
    assert gazetteer.get("lavrov") is gazetteer.get("q58217")
    assert len(gazetteer) == len(records)


@pytest.mark.parametrize("reference", ["syria", "q858", "un", "lavrov", "united states"])
def test_shipped_entry_is_found(reference: str) -> None:
    assert Gazetteer.from_records([], shipped_records()).get(reference) is not None
