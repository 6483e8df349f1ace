"""What holds of any query whatever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.query import check, lint, parse, rule_version, to_text
from monitor.core.query.check import is_anchored
from monitor.core.query.expression import Expression
from monitor.core.query.lint import LintId
from monitor.errors import QueryError
from tests.strategies import expressions, unhurried

_PIECES = [
    "a", "un", "AND", "OR", "NOT", "-", "(", ")", '"', "NEAR", "NEAR/3", "ONEAR/x", "EXCEPT", "title:", "lang:en",
    "=", "@x", "list:@y", "entity:z", "SCORE(", ":30", ">= 4", ",", "2 OF (", "stem(", "re:/a+/", "abc*", "?", "\\",
    "SENT(", "FIRST/3(", "ATLEAST/2(", "words>3", "age<6h", "“", "拉夫", "\ud800", "\x00",
]  # fmt: skip
scribble = st.lists(st.sampled_from(_PIECES), max_size=12).map(" ".join) | st.text(
    st.characters(exclude_categories=()), max_size=40
)


@unhurried
@given(expressions)
def test_canonical_text_reads_back_as_the_same_expression(expression: Expression) -> None:
    text = to_text(expression)
    if not is_anchored(expression):
        with pytest.raises(QueryError, match="nothing positive"):
            parse(text)
    else:
        assert parse(text) == expression


@unhurried
@given(scribble)
def test_any_text_is_read_or_refused_with_a_place_inside_it(query: str) -> None:
    for error in check(query, rules={"x": parse("a")}, lists={"y"}, gazetteer={"z"}):
        assert 0 <= error.position <= len(query)
        assert error.position + error.length <= max(len(query), error.position + 1)
        assert error.message


@unhurried
@given(scribble)
def test_what_can_be_read_can_be_written_and_read_again(query: str) -> None:
    if check(query, rules={"x": parse("a")}, lists={"y"}, gazetteer={"z"}):
        return
    expression = parse(query)
    assert parse(to_text(expression)) == expression
    assert rule_version(query) == rule_version(to_text(expression))
    assert all(0 <= doubt.position < len(query) for doubt in lint(expression))


@unhurried
@given(expressions)
def test_canonical_text_raises_no_doubt_about_precedence(expression: Expression) -> None:
    if is_anchored(expression):
        doubts = lint(parse(to_text(expression)))
        assert LintId.MIXED_OPERATORS not in {doubt.id for doubt in doubts}
