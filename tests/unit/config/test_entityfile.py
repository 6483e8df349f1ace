"""Tables of names become entities files."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from monitor.cli.main import cli
from monitor.config.entityfile import import_entities
from monitor.core.entities import Gazetteer
from monitor.errors import ConfigError

CSV = """\
id,type,label,qid,lang,name
sfard,person,Michael Sfard,Q1,en,Michael Sfard
sfard,person,,,ru,Михаэль Сфард
sfard,person,,,ru,Михаэль Сфард
basel,place,Basel,,de,Basel
"""


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_of_an_id_become_one_entity_that_the_gazetteer_reads(tmp_path: Path) -> None:
    read = yaml.safe_load(import_entities(written(tmp_path, "names.csv", CSV)))
    first, second = read["entities"]
    assert first == {
        "id": "sfard",
        "type": "person",
        "label": "Michael Sfard",
        "qid": "Q1",
        "names": {"en": ["Michael Sfard"], "ru": ["Михаэль Сфард"]},
    }
    assert second["names"] == {"de": ["Basel"]}
    assert len(Gazetteer.from_records(read["entities"])) == 2


def test_json_gives_the_same_as_csv(tmp_path: Path) -> None:
    rows = """[{"id": "basel", "type": "place", "lang": "de", "name": "Basel", "other": 1}]"""
    read = yaml.safe_load(import_entities(written(tmp_path, "names.json", rows)))
    assert read == {"entities": [{"id": "basel", "type": "place", "names": {"de": ["Basel"]}}]}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "id,type,lang\nx,person,en\n", "no column name"),
        ("a.csv", "id,type,lang,name\nx,person,en,\n", "no name"),
        ("a.csv", "id,type,lang,name\nx,robot,en,X\n", "type must be one of"),
        ("a.csv", "id,type,lang,name\nx,person,en,...\n", "no letter and no digit"),
        ("a.json", "{", "not JSON"),
        ("a.json", "{}", "expected a list"),
        ("a.json", "[3]", "expected an object"),
    ],
)
def test_row_that_cannot_be_used_is_refused(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        import_entities(written(tmp_path, name, text))


def test_command_prints_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "names.csv", CSV)
    result = CliRunner().invoke(cli, ["entities", "import", str(path)])
    assert result.exit_code == 0
    assert result.output == import_entities(path)
