"""What the shipped rules must find of the labelled items, at the least."""

import os
from pathlib import Path

import pytest

from tests.quality.labels import held_out, scores

_CORPUS = os.environ.get("MONITOR_CORPUS", "")


@pytest.mark.corpus
@pytest.mark.skipif(not _CORPUS, reason="MONITOR_CORPUS is unset")
@pytest.mark.no_cover
def test_shipped_rules_find_what_was_labelled() -> None:
    found = scores(Path(_CORPUS))
    assert found["un-resolution"].recall >= 0.95
    assert found["un-resolution"].precision >= 0.85
    unlike_examples = found["un-resolution"].only(held_out(Path(_CORPUS)))
    assert len(unlike_examples.wanted) >= 10
    assert unlike_examples.recall >= 0.95
    assert unlike_examples.precision >= 0.85
    assert found["syria"].recall >= 0.85
    assert found["syria"].precision >= 0.90
    assert found["lavrov"].recall == 1.0
    assert found["lavrov"].precision == 1.0
