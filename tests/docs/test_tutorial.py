"""What the tutorial says to write can be loaded, and what it says will be printed is."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli.main import cli

TUTORIAL = (Path(__file__).parents[2] / "docs/tutorial.md").read_text(encoding="utf-8")
_FILE = re.compile(r"```yaml\n# (config/\S+)\n(.*?)```", re.DOTALL)
_CONSOLE = re.compile(r"```console\n\$ monitor (.*?)\n(.*?)```", re.DOTALL)


def test_following_it_leads_where_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/slack-url").write_text("https://hooks.slack.com/services/T0/B0/x")
    files = _FILE.findall(TUTORIAL)
    assert [name for name, _ in files] == [
        f"config/{kind}.yaml" for kind in ("feeds", "rules", "subscribers")
    ]
    for name, text in files:
        (tmp_path / name).write_text(text, encoding="utf-8")
    shown = _CONSOLE.findall(TUTORIAL)
    assert shown
    for command, output in shown:
        said = CliRunner().invoke(cli, shlex.split(command))
        assert (said.exit_code, said.stdout) == (0, output), said.exception
