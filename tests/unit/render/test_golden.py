"""Every render is as it was when a person last looked at it."""

import pytest

from tests.unit.render.cases import CASES
from tests.unit.render.golden import FOLDER, FORMATS


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("name", CASES)
def test_render_is_as_kept(name: str, ending: str) -> None:
    kept = (FOLDER / f"{name}.{ending}").read_text(encoding="utf-8")
    assert FORMATS[ending](CASES[name]()) == kept


def test_no_kept_render_is_left_over() -> None:
    expected = {f"{name}.{ending}" for name in CASES for ending in FORMATS}
    assert {path.name for path in FOLDER.iterdir()} == expected
