"""Hostile articles and queries cost no more than honest ones of their length.

Each case takes well under a second; code that is quadratic in the places found would take minutes.
"""

from datetime import timedelta
from itertools import count

import pytest

from monitor.core.compiled import Native
from monitor.core.engine import Budget, compile_rules
from monitor.errors import MatchBudgetError
from tests.factories import NOW, article, rule

WORDS = 20_000


@pytest.mark.parametrize(
    "query",
    [
        "a NEAR/100 b",
        "a NEAR/100 a",
        "((a NEAR/9 b) NEAR/9 a) NEAR/9 b",
        "a NOT NEAR/100 c",
        'a EXCEPT "b b a b"',
        '"a b a b a b a b"',
        "ATLEAST/100(a OR b)",
        "SENT(a AND NOT c)",
        "PARA(SENT(a AND b AND NOT c))",
        "LEAD(a NEAR b)",
        "re:/(a|b|ab)+c?/ OR a",
        "*a*b*c*d* OR a",
        " AND ".join(["a", "b"] * 1000),
    ],
)
def test_places_are_combined_without_comparing_all_pairs(query: str, native: Native | None) -> None:
    body = "a b. " * (WORDS // 2)
    (match,) = compile_rules([rule(query=query)], native=native).rules.match(
        article(body=body), NOW
    )
    assert match.spans


@pytest.mark.parametrize("query", ["re:/(a|aa)+b/", "aaa*a*a*a*b", "title:aaa*"])
def test_one_endless_word_is_no_trap(query: str, native: Native | None) -> None:
    rules = compile_rules([rule(query=query)], native=native).rules
    assert rules.match(article(title="", body="a" * 500_000), NOW) == ()


def test_time_is_up_in_the_middle_of_a_query_too(native: Native | None) -> None:
    """One rule with one query: whoever looks at the clock twenty times does so inside of it."""
    alternatives = " OR ".join(f"aaa{'?' * n}*" + "aa" for n in range(300))
    budget = Budget(timedelta(seconds=20), count().__next__)
    rules = compile_rules(
        [rule(query=f"({alternatives}) NEAR/100 b")], budget=budget, native=native
    ).rules
    with pytest.raises(MatchBudgetError):
        rules.match(article(body=f"{'a' * 400} b " * 2_000), NOW)


def test_time_is_up_before_any_query_is_asked(native: Native | None) -> None:
    budget = Budget(timedelta(), count().__next__)
    rules = compile_rules([rule(query="absent")], budget=budget, native=native).rules
    with pytest.raises(MatchBudgetError):
        rules.match(article(body="a b c"), NOW)
