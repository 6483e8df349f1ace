"""The same sets as Lucene Monitor 8.8.1, for up to 100,000 stored queries over real articles."""

import os
from pathlib import Path

import pytest

from monitor.core.compiled import Native
from monitor.core.engine import compile_rules
from tests.factories import NOW, article, rule

_CORPUS = os.environ.get("MONITOR_CORPUS", "")


@pytest.mark.no_cover  # a hundred thousand rules take minutes when every line is counted
@pytest.mark.corpus
@pytest.mark.skipif(not _CORPUS, reason="MONITOR_CORPUS is unset")
@pytest.mark.parametrize(
    ("size", "documents"),
    [("1k", 115), ("10k", 115), ("100k", int(os.environ.get("MONITOR_CORPUS_DOCUMENTS", "20")))],
)
def test_same_sets_as_lucene_monitor(size: str, documents: int, native: Native | None) -> None:
    folder = Path(_CORPUS) / "matching"
    queries = (folder / f"rules_{size}.txt").read_text(encoding="utf-8").splitlines()
    given = (folder / "docs.txt").read_text(encoding="utf-8").splitlines()[:documents]
    answers = dict(
        line.split(":") for line in (folder / f"lucene_{size}.txt").read_text().splitlines()
    )
    compiled = compile_rules(
        [rule(id=f"{n:06}", query=query) for n, query in enumerate(queries)], native=native
    )
    assert compiled.problems == {}
    for number, document in enumerate(given):
        matches = compiled.rules.match(article(title="", summary="", body=document), NOW)
        expected = [int(id_) for id_ in answers.get(str(number), "").split()]
        assert [int(match.rule_id) for match in matches] == expected, f"document {number}"
