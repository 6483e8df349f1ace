"""What the suites of other parsers expect holds on our articles, or is explained."""

import os
from pathlib import Path

import pytest

from tests.quality.suites import EXPLAINED, encodings, feedparser_suite, gofeed_suite

_CORPUS = os.environ.get("MONITOR_CORPUS", "")
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not _CORPUS, reason="MONITOR_CORPUS is unset"),
]


def test_whatever_feedparser_passes_of_its_suite_holds_or_is_explained() -> None:
    tally = feedparser_suite(Path(_CORPUS))
    assert set(tally.missed) - set(EXPLAINED) == set()
    assert tally.passed >= 545


def test_the_suite_of_gofeed_holds_or_is_explained() -> None:
    tally = gofeed_suite(Path(_CORPUS))
    assert set(tally.missed) - set(EXPLAINED) == set()
    assert tally.passed >= 89


def test_encodings_are_found_without_a_header_or_explained() -> None:
    tally = encodings(Path(_CORPUS))
    assert set(tally.missed) - set(EXPLAINED) == set()
    assert tally.passed >= 151
