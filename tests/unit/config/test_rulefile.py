from pathlib import Path
from typing import Any

import pytest

from monitor.config.explain import explain
from monitor.config.rulefile import load_rule_set
from monitor.core.engine import RuleSet
from monitor.errors import ConfigError
from tests.factories import NOW, article


def found(rules: RuleSet, text: str) -> list[str]:
    return [match.rule_id for match in rules.match(article(title=text, summary=""), NOW)]


def test_each_line_is_a_rule_named_after_its_number(tmp_path: Path) -> None:
    path = tmp_path / "queries.txt"
    path.write_text("Syria\n\nLavrov AND Syria\nRussia\n")
    assert found(load_rule_set(path), "Lavrov on Syria") == ["0", "2"]


def test_rules_file_is_read_with_entities_from_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules: [{id: a, query: entity:lavrov}]\n")
    entities = tmp_path / "entities"
    entities.mkdir()
    (entities / "people.yaml").write_text(
        "entities: [{id: lavrov, type: person, names: {ru: [Лавров]}}]\n"
    )
    assert found(load_rule_set(path, entities), "Лавров в Дамаске") == ["a"]


def test_mistake_in_a_line_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "queries.txt"
    path.write_text("Syria\nRussia AND (x\n")
    with pytest.raises(ConfigError) as caught:
        load_rule_set(path)
    assert explain(caught.value).startswith(f"{path}:2:12: ")
    assert explain(caught.value).endswith("  Russia AND (x\n             ^")


def test_mistake_in_a_rules_file_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules:\n  - id: a\n    query: entity:nobody\n")
    with pytest.raises(ConfigError) as caught:
        load_rule_set(path)
    assert explain(caught.value).startswith(f"{path}:3:12: unknown entity 'nobody'")


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_file_that_cannot_be_read_is_a_problem(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "queries.txt"
    if content:
        path.write_bytes(content)
    with pytest.raises(ConfigError):
        load_rule_set(path)
