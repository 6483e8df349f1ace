"""Every example of docs/query-language.md, run."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from monitor.core.engine import compile_rules
from monitor.core.entities import Gazetteer
from monitor.core.model import Article
from monitor.core.query import check, parse, parse_list, to_text
from monitor.core.query.lint import LintId, lint
from monitor.errors import QueryError
from tests.factories import NOW, article, rule

DOC = (Path(__file__).parents[2] / "docs" / "query-language.md").read_text(encoding="utf-8")
GAZETTEER = Gazetteer.from_records(
    [yaml.safe_load(re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)[0])]
)
LISTS = {"majors": parse_list(["Acme Corp", "Globex"])}
TALKS = {"talks": parse("talks")}


def rows(*header: str) -> Iterator[list[str]]:
    """Yield the rows of every table with this header."""
    inside = False
    for line in DOC.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and cells == list(header):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("| ---"):
            yield [cell.strip().removesuffix(" |") for cell in cells]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def documented_article() -> Article:
    block = re.findall(r"```article\n(.*?)```", DOC, re.DOTALL)[0]
    lines = [line.partition(": ") for line in block.splitlines()]
    body = "\n".join(text for name, _, text in lines if name == "body")
    title = next(text for name, _, text in lines if name == "title")
    return article(title=title, summary="", body=body, lang=None)


WRITTEN = [
    query
    for second in ("means", "looks in")
    for cells in rows("write", second)
    for query in quoted(cells[0])
]
EXAMPLES = [(quoted(cells[0])[0], cells[1]) for cells in rows("query", "matches", "because")]
REFUSED = [(quoted(cells[0])[0], cells[1]) for cells in rows("query", "refused because")]

DOUBTED = list(rows("warning", "is given for", "do"))


def test_tables_of_the_document_are_found() -> None:
    assert (len(WRITTEN) > 35, len(EXAMPLES) > 25, len(REFUSED) > 20) == (True, True, True)


@pytest.mark.parametrize("query", WRITTEN)
def test_everything_that_can_be_written_is_accepted(query: str) -> None:
    assert check(query, gazetteer=GAZETTEER, lists=LISTS, rules=TALKS) == ()
    assert parse(to_text(parse(query))) == parse(query)


@pytest.mark.parametrize(("query", "matches"), EXAMPLES)
def test_documented_example_holds(query: str, matches: str) -> None:
    compiled = compile_rules([rule(query=query)], gazetteer=GAZETTEER)
    assert compiled.problems == {}
    found = compiled.rules.match(documented_article(), NOW)
    assert ("yes" if found else "no") == matches


@pytest.mark.parametrize(("query", "because"), REFUSED)
def test_documented_refusal_is_given(query: str, because: str) -> None:
    errors = check(query, gazetteer=GAZETTEER, lists=LISTS, rules=TALKS)
    assert [type(error) for error in errors] == [QueryError]
    assert errors[0].message.startswith(because)


def test_every_warning_is_documented_and_its_examples_get_it() -> None:
    documented = {quoted(name)[0]: quoted(given) for name, given, _ in DOUBTED}
    assert set(documented) == set(LintId)
    for name in (LintId.MIXED_OPERATORS, LintId.CONTRADICTION):
        for query in documented[name]:
            assert [doubt.id for doubt in lint(parse(query))] == [name]
    for name in (LintId.SMALL_OPERATOR, LintId.NEVER_THERE, LintId.SHORT_WILDCARD):
        assert [doubt.id for doubt in lint(parse(documented[name][0]))] == [name]
