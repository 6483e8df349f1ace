from pathlib import Path
from typing import Any

import pytest

from monitor.config.generate import FILES, reference, schema_of, write, written
from monitor.config.load import load
from monitor.config.schema import EntitySettings, NameSettings
from monitor.config.section import Section
from monitor.core.entities import record

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("path", "content"), [*written()])
def test_derived_file_is_current(path: str, content: Any) -> None:
    assert (ROOT / path).read_text() == content, "run: python -m monitor.config.generate"


def test_derived_files_are_written(tmp_path: Path) -> None:
    write(tmp_path)
    assert all((tmp_path / path).read_text() == content for path, content in written())


def test_every_setting_is_described() -> None:
    for name, file in FILES.items():
        schema = schema_of(file)
        for section in (schema, *schema["$defs"].values()):
            for key, field in section.get("properties", {}).items():
                described = field.get("description") or "$ref" in str(field)
                assert described, f"{name}: {key} has no text under it"


@pytest.mark.parametrize("name", [*FILES])
def test_shipped_file_begins_with_its_schema(name: str) -> None:
    files = [*(ROOT / "config").glob(f"{name}.yaml"), *(ROOT / f"config/{name}").glob("*.yaml")]
    assert files
    for file in files:
        up = "../" if file.parent.name == name else ""
        first = file.read_text().split("\n")[0]
        assert first == f"# yaml-language-server: $schema={up}schema/{name}.json"


def test_reference_names_every_file_and_the_bounds() -> None:
    page = reference()
    for heading in ("## monitor.yaml", "## feeds.yaml", "### `subscribers[].targets[].slack`"):
        assert heading in page


def test_schema_of_entities_knows_the_keys_that_the_gazetteer_knows() -> None:
    def keys(section: type[Section]) -> set[str]:
        return {field.alias or name for name, field in section.model_fields.items()}

    assert keys(EntitySettings) == record._KEYS
    assert keys(NameSettings) == record._NAME_KEYS


TARGETS = [
    ROOT / f"docs/how-to/{name}.md" for name in ("email", "other-channels", "slack", "templates")
]
SECRETS = {
    "PRESS_SLACK_URL": "https://hooks.slack.example/T/B",
    "UN_DESK_SLACK_TOKEN": "xoxb-1",
    "SMTP_PASSWORD": "x",
    "TEAMS_URL": "https://teams.example/x",
    "DISCORD_URL": "https://discord.example/x",
    "MATTERMOST_URL": "https://mattermost.example/x",
    "TELEGRAM_TOKEN": "1:x",
    "NTFY_TOPIC": "topic",
}


@pytest.mark.parametrize(
    "page",
    [*sorted((ROOT / "docs/how-to").glob("add-*.md")), *TARGETS],
    ids=lambda p: p.stem,
)
def test_example_on_a_page_loads(page: Path, tmp_path: Path) -> None:
    blocks = page.read_text().split("```yaml\n")[1:]
    assert blocks
    for block in blocks:
        text = block.split("```")[0]
        kind = text.split("\n")[0].removeprefix("# config/")
        path = tmp_path / kind
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    load(tmp_path, SECRETS)
