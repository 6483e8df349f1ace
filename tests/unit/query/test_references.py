"""What queries refer to."""

from typing import TYPE_CHECKING

import pytest

from monitor.core.query import check, parse, parse_list, resolve, to_text
from monitor.errors import QueryError

if TYPE_CHECKING:
    from monitor.core.query.expression import Expression


def problems(**queries: str) -> dict[str, list[str]]:
    rules: dict[str, Expression] = {id_: parse(query) for id_, query in queries.items()}
    found = resolve(rules, known=rules, gazetteer={"lavrov"}, lists={"majors"})
    return {id_: [error.message for error in errors] for id_, errors in found.items()}


def test_known_references_are_no_problem() -> None:
    assert problems(a="@b OR entity:lavrov", b="@c", c="list:@majors") == {}


@pytest.mark.parametrize(
    ("query", "position", "message", "hint"),
    [
        ("x entity:lavrow", 2, "unknown entity 'lavrow'", "did you mean 'lavrov'?"),
        ("x list:@major", 2, "unknown list 'major'", "did you mean 'majors'?"),
        ("x @talk", 2, "unknown rule 'talk'", "did you mean 'talks'?"),
        ("a b)", 3, "there is no '('", ""),
    ],
)
def test_unknown_reference_is_refused_at_its_place(
    query: str, position: int, message: str, hint: str
) -> None:
    errors = check(query, gazetteer={"lavrov"}, lists={"majors"}, rules={"talks": parse("talks")})
    assert len(errors) == 1
    assert errors[0].position == position
    assert errors[0].message.startswith(message)
    assert hint in errors[0].hint


def test_every_unknown_reference_of_a_query_is_reported() -> None:
    assert len(check("@a entity:b list:@c")) == 3


def test_circle_is_reported_for_each_rule_on_it_or_leading_to_it() -> None:
    found = problems(a="x @b", b="@c", c="@a OR y", d="@a", e="z")
    assert sorted(found) == ["a", "b", "c", "d"]
    assert found["a"] == ["the references go round in a circle: @a → @b → @c → @a"]


def test_rule_that_refers_to_itself_is_a_circle() -> None:
    assert check("x @me", rule_id="me")[0].position == 2


def test_rule_that_refers_to_an_unusable_one_is_unusable() -> None:
    found = problems(a="@b", b="@c", c="@gone")
    assert found["c"] == ["unknown rule 'gone'"]
    assert found["b"] == ["the rule 'c' cannot be used itself"]
    assert found["a"] == ["the rule 'b' cannot be used itself"]


def test_rule_inside_near_must_have_a_place() -> None:
    found = problems(a="x NEAR @b", b="y AND z", c="x NEAR @d", d="y OR z")
    assert list(found) == ["a"]
    assert "cannot stand inside NEAR" in found["a"][0]


def test_doubling_references_are_counted_before_they_are_followed() -> None:
    doubling = {f"r{n}": f"@r{n - 1} OR @r{n - 1}" for n in range(1, 30)}
    found = problems(r0="x", **doubling)
    assert [id_ for id_, messages in found.items() if "terms" in messages[0]] == ["r12"]


def test_long_chain_of_references_is_too_deep() -> None:
    chain = {f"r{n}": f"@r{n - 1}" for n in range(1, 60)}
    assert "nested deeper" in problems(r0="x", **chain)["r50"][0]


def test_near_inside_near_is_counted_through_references() -> None:
    chain = {f"r{n}": f"@r{n - 1} NEAR x{n}" for n in range(1, 8)}
    assert "more than 3 times" in problems(r0="x", **chain)["r4"][0]


def test_list_is_any_of_its_terms() -> None:
    listed = parse_list(["Acme Corp", "=WHO", '"Globex"', "resol*"])
    assert to_text(listed) == '"acme corp" OR =WHO OR globex OR resol*'


def test_list_is_compared_with_every_word_no_more_often_than_a_query() -> None:
    most = [f"*part{n}" for n in range(200)]
    parse_list([*most, "resol*"])
    with pytest.raises(QueryError, match="201 regular expressions and wildcards") as refused:
        parse_list([*most, "*more"])
    assert refused.value.hint.startswith("a list has at most 200")


@pytest.mark.parametrize("entries", [[], ["…"], ["ab*"]])
def test_list_without_a_usable_term_is_refused(entries: list[str]) -> None:
    with pytest.raises(QueryError):
        parse_list(entries)
