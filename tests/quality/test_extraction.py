"""How well the texts of pages are found, at the least."""

import os
from pathlib import Path

import pytest

from tests.quality.extraction import measure

_CORPUS = os.environ.get("MONITOR_CORPUS", "")


@pytest.mark.corpus
@pytest.mark.skipif(not _CORPUS, reason="MONITOR_CORPUS is unset")
def test_texts_of_pages_are_found() -> None:
    assert measure(Path(_CORPUS)).f1 >= 0.95
