"""Every conversion of docs/how-to/bring-your-queries.md, done."""

import re
from pathlib import Path

import pytest

from monitor.core.query.dialects import DIALECTS, convert

PAGE = (Path(__file__).parents[2] / "docs/how-to/bring-your-queries.md").read_text()
ROWS = re.findall(r"^\| `(\w+)` \| `(.+?)` \| `(.+?)` \|$", PAGE, re.MULTILINE)


def test_every_dialect_has_an_example() -> None:
    assert {dialect for dialect, *_ in ROWS} == set(DIALECTS)


@pytest.mark.parametrize(("dialect", "theirs", "ours"), ROWS)
def test_documented_conversion_is_what_comes_out(dialect: str, theirs: str, ours: str) -> None:
    assert convert(dialect, theirs).query == ours
