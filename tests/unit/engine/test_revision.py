"""Rules put in and taken out together."""

import pytest

from monitor.core.engine import compile_rules
from monitor.core.engine.revision import Revision, revise
from monitor.errors import QueryError
from tests.factories import rule


def test_rules_are_put_in_after_those_they_refer_to_and_taken_out_before_them() -> None:
    chain = {
        id_: rule(id=id_, query=query) for id_, query in (("a", "@b"), ("b", "@c"), ("c", "x"))
    }
    rules = compile_rules([]).rules
    put = revise({}, chain)
    assert [each.id for each in put.put] == ["c", "b", "a"]
    put.carry_out(rules)
    revise(dict(reversed(chain.items())), {}).carry_out(rules)
    assert rules.held() == 0


def test_a_rule_that_is_still_referred_to_is_not_taken_out() -> None:
    rules = compile_rules([rule(id="a", query="@b"), rule(id="b", query="x")]).rules
    with pytest.raises(QueryError, match="referred to by 'a'"):
        Revision((), ("b",)).carry_out(rules)
    assert "b" in rules


def test_rules_that_go_round_in_a_circle_are_listed_all_the_same() -> None:
    circle = {id_: rule(id=id_, query=query) for id_, query in (("a", "@b"), ("b", "@a"))}
    assert {each.id for each in revise({}, circle).put} == {"a", "b"}
