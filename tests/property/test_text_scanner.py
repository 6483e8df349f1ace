"""The compiled scanner finds the words that Python finds, in any text whatever."""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.core.text import SCANNER
from monitor.core.text.article import analyse_field
from tests.strategies import prose, unhurried

pytestmark = [
    pytest.mark.skipif(SCANNER is None, reason="the compiled matcher was not built"),
    pytest.mark.no_cover,
]
_CORPUS = os.environ.get("MONITOR_CORPUS", "")

# What the borders of words hang on: joints, marks, quotes in Hebrew, scripts without blanks, letters folded to nothing.
crooked = st.text("aAzéß.'’-‐_ \"״”אבגשـ写中カｶﾞ\u0301\u200cที่นี12ⅷ²٣\n\ud800ıİŁs", max_size=20)


@unhurried
@given(st.one_of(crooked, crooked, prose, st.text(max_size=60)))
@example("".join(map(chr, range(0x3000))))
@example("ｶﾞｽ-é2ss&ـカ l'U.N.'s an-other-long-way")
@example(f"{'写字' * 300} {'a-' * 300} {'x' * 300}")
def test_scanner_finds_the_same_words_places_and_spellings(text: str) -> None:
    plain, scanned = analyse_field("body", text, 1), analyse_field("body", text, 1, SCANNER)
    assert scanned.words == plain.words
    assert scanned.aliases == plain.aliases
    assert scanned.offsets == plain.offsets


def test_more_runs_than_are_remembered_change_nothing() -> None:
    text = " ".join(f"W{n}" for n in range(66_000))
    plain, scanned = analyse_field("body", text, 1), analyse_field("body", text, 1, SCANNER)
    assert (scanned.words, scanned.aliases) == (plain.words, plain.aliases)


@pytest.mark.corpus
@pytest.mark.skipif(not _CORPUS, reason="MONITOR_CORPUS is unset")
def test_hostile_files_are_scanned_as_in_python() -> None:
    files = [path for path in sorted(Path(_CORPUS, "hostile").rglob("*")) if path.is_file()]
    assert files
    for path in files:
        text = path.read_bytes()[:200_000].decode(errors="surrogateescape")
        plain, scanned = analyse_field("body", text, 1), analyse_field("body", text, 1, SCANNER)
        assert scanned == plain, path
        assert scanned.offsets == plain.offsets, path
