"""What the shipped gazetteer must find, and must not."""

import pytest

from tests.quality.names import confusion, missed, rows


@pytest.mark.no_cover
def test_every_name_is_found_in_every_form() -> None:
    table = rows("aliases.tsv")
    assert len(table) >= 400
    assert missed(table) == []


@pytest.mark.no_cover
def test_ambiguous_names_are_told_apart() -> None:
    table = rows("ambiguous.tsv")
    right, errors, lost = confusion(table)
    precision, recall = right / (right + len(errors)), right / (right + len(lost))
    print(f"precision {precision:.3f}, recall {recall:.3f} over {len(table)} sentences")  # noqa: T201 - the figures
    assert len(table) >= 120
    assert precision >= 0.95
    assert recall >= 0.95
