"""The shipped gazetteer is what its sources say, and gives each name to one entity."""

from time import perf_counter

import pytest

from monitor.config.seed import shipped_records
from monitor.core.entities import Case, Gazetteer, read_entity
from tools.seed_gazetteer import TARGET, text

# Names that two entries need context for are left to that context; these share one without.
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
            if not name.needs and not name.unless:
                exact = name.exact if name.case is Case.EXACT else ()
                owners.setdefault((name.words, exact), set()).add(entity.id)
    twice = {name: ids for name, ids in owners.items() if len(ids) > 1 and name not in KNOWN_TWICE}
    assert twice == {}


def test_references_are_unique() -> None:
    records = shipped_records().values()
    for key in ("id", "label", "qid"):
        given = [record[key].casefold() for record in records if key in record]
        assert len(given) == len(set(given)), key


def test_entries_are_read_only_when_asked_for() -> None:
    records = shipped_records()
    started = perf_counter()
    gazetteer = Gazetteer.from_records([], records)
    assert "lavrov" in gazetteer
    assert perf_counter() - started < 0.3
    assert gazetteer.entities == {}
    assert gazetteer.get("lavrov") is gazetteer.get("q58217")
    assert len(gazetteer) == len(records)


@pytest.mark.parametrize("reference", ["syria", "q858", "un", "lavrov", "united states"])
def test_shipped_entry_is_found(reference: str) -> None:
    assert Gazetteer.from_records([], shipped_records()).get(reference) is not None
