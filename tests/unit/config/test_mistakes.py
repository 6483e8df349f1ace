"""One bad configuration for each mistake, beside the exact words that the operator reads.

A file `KIND.MISTAKE.yaml` replaces `KIND.yaml` of the sound configuration; a folder is laid over it.
"""

import shutil
from pathlib import Path

import pytest

from monitor.config.explain import explain
from monitor.config.load import load
from monitor.errors import ConfigError

DATA = Path(__file__).parents[2] / "data/config"
MISTAKES = sorted(path for path in (DATA / "bad").iterdir() if path.suffix != ".txt")
ENVIRONMENT = {
    "WEAK_SECRET": "hunter2",
    "SMTP_PASSWORD": "hunter2",
    "OLD": "hunter2",
    "TOKEN_WITH_BLANK": "hunter2 hunter2",
    "UNKNOWN_SERVICE": "hunter2://hunter2",
}


def lay_out(mistake: Path, directory: Path) -> None:
    shutil.copytree(DATA / "sound", directory)
    if mistake.is_dir():
        shutil.copytree(mistake, directory, dirs_exist_ok=True)
    else:
        shutil.copy(mistake, directory / f"{mistake.name.partition('.')[0]}.yaml")


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda path: path.stem)
def test_mistake_is_explained_in_these_words(mistake: Path, tmp_path: Path) -> None:
    directory = tmp_path / "config"
    lay_out(mistake, directory)
    with pytest.raises(ConfigError) as caught:
        load(directory, ENVIRONMENT)
    said = explain(caught.value).replace(f"{tmp_path}/", "")
    expected = mistake.with_name(f"{mistake.name.removesuffix('.yaml')}.txt")
    assert f"{said}\n" == expected.read_text()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda path: path.stem)
def test_no_secret_is_shown(mistake: Path, tmp_path: Path) -> None:
    directory = tmp_path / "config"
    lay_out(mistake, directory)
    with pytest.raises(ConfigError) as caught:
        load(directory, ENVIRONMENT)
    assert "hunter2" not in explain(caught.value) + repr(caught.value) + repr(caught.value.problems)


def test_sound_configuration_has_no_mistake() -> None:
    settings = load(DATA / "sound", {})
    assert [feed.id for feed in settings.feeds] == ["bbc-world"]
    assert [target.id for target in settings.targets] == ["desk/console"]
