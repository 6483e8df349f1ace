"""What the pages about routing show is what the program says."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from monitor.cli.routes import routes
from monitor.config.load import load
from monitor.config.yamlpos import parse

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs/how-to"
PAGES = ("route-alerts", "quiet-hours-and-digests")
_YAML = re.compile(r"^( *)```yaml\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"```console\n\$ monitor routes (.*?)\n(.*?)```", re.DOTALL)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("feeds", "rules"):
        shutil.copy(ROOT / f"config/{name}.yaml", tmp_path)
    return tmp_path


def read(text: str) -> Any:
    return parse(text.encode(), "page").root.value


@pytest.mark.parametrize("page", PAGES)
def test_configuration_on_a_page_loads_as_a_whole(page: str, config: Path) -> None:
    first, *parts = (text for _, text in _YAML.findall((HOW_TO / f"{page}.md").read_text()))
    whole = read(first)
    for part in map(read, parts):
        whole["route"]["routes"] += part.pop("route", {}).get("routes", [])
        whole |= part
    (config / "subscribers.yaml").write_text(json.dumps(whole))  # JSON is YAML
    assert load(config, {}).routing.desks


@pytest.mark.parametrize("page", PAGES)
def test_commands_on_a_page_say_what_the_page_says(page: str, config: Path) -> None:
    text = (HOW_TO / f"{page}.md").read_text()
    (config / "subscribers.yaml").write_text(text.split("```yaml\n")[1].split("```")[0])
    shown = _CONSOLE.findall(text)
    assert shown
    for command, output in shown:
        name, *arguments = shlex.split(command)
        said = CliRunner().invoke(routes, [name, "--config", str(config), *arguments]).stdout
        lines = [line.rstrip() for line in said.splitlines()]
        wanted = output.rstrip().splitlines()
        assert lines[: len(wanted)] == wanted if name == "show" else lines == wanted
