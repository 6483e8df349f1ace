"""The same sets as Lucene Monitor 8.8.1, for 1,000 stored queries over real articles."""

import os
from pathlib import Path

import pytest

from monitor.core.engine import compile_rules
from tests.factories import NOW, article, rule

_CORPUS = os.environ.get("MONITOR_CORPUS", "")
_DOCUMENTS = 115


@pytest.mark.corpus
@pytest.mark.skipif(not _CORPUS, reason="MONITOR_CORPUS is unset")
def test_same_sets_as_lucene_monitor() -> None:
    folder = Path(_CORPUS) / "matching"
    queries = (folder / "rules_1k.txt").read_text(encoding="utf-8").splitlines()
    documents = (folder / "docs.txt").read_text(encoding="utf-8").splitlines()[:_DOCUMENTS]
    answers = dict(line.split(":") for line in (folder / "lucene_1k.txt").read_text().splitlines())
    compiled = compile_rules([rule(id=f"{n:04}", query=query) for n, query in enumerate(queries)])
    assert compiled.problems == {}
    for number, document in enumerate(documents):
        matches = compiled.rules.match(article(title="", summary="", body=document), NOW)
        expected = [int(id_) for id_ in answers.get(str(number), "").split()]
        assert [int(match.rule_id) for match in matches] == expected, f"document {number}"
