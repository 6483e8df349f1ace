"""Every render is as it was when a person last looked at it."""

import pytest

from tests.unit.render.golden import FOLDER, renders

RENDERS = dict(renders())


@pytest.mark.parametrize("name", RENDERS)
def test_render_is_as_kept(name: str) -> None:
    kept = (FOLDER / name).read_text(encoding="utf-8")
    assert RENDERS[name] == kept


def test_no_kept_render_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == RENDERS.keys()
