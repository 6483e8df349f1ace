"""A configuration directory that a test writes file by file."""

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files given as keywords (`feeds="..."`, or a path as a key of a mapping) and return the directory."""
    directory = tmp_path / "config"
    directory.mkdir()

    def write(other: dict[str, str] | None = None, **files: str) -> Path:
        for name, text in {f"{kind}.yaml": text for kind, text in files.items()}.items():
            (directory / name).write_text(text)
        for name, text in (other or {}).items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return directory

    return write
