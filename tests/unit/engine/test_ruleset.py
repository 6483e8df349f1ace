"""Every rule at once: what a match carries, which rules are asked, and why one says no."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from threading import Event
from typing import TYPE_CHECKING

import pytest

from monitor.core.compiled import Native
from monitor.core.engine import Budget, Explanation, RuleSet, compile_rules
from monitor.core.entities import Gazetteer
from monitor.core.model import Severity
from monitor.core.query import rule_version
from monitor.errors import MatchBudgetError, QueryError
from tests.factories import NOW, article, rule

if TYPE_CHECKING:
    from monitor.ports import Matcher


def test_rule_set_is_a_matcher(native: Native | None) -> None:
    matcher: Matcher = compile_rules([], native=native).rules
    assert matcher.match(article(), NOW) == ()


def test_match_carries_the_rule_as_it_is(native: Native | None) -> None:
    given = rule(
        id="r",
        name="Talks",
        query="talks",
        version="",
        severity=Severity.CRITICAL,
        labels={"team": "world"},
    )
    (match,) = compile_rules([given], native=native).rules.match(article(id="a7"), NOW)
    assert (match.rule_id, match.article_id, match.rule_name) == ("r", "a7", "Talks")
    assert (match.severity, match.labels) == (Severity.CRITICAL, {"team": "world"})
    assert match.rule_version == rule_version("TALKS")
    assert match.score is None


def test_version_given_by_the_configuration_is_kept(native: Native | None) -> None:
    (match,) = compile_rules([rule(version="v7")], native=native).rules.match(article(), NOW)
    assert match.rule_version == "v7"


def test_matches_come_in_the_order_of_rule_ids(native: Native | None) -> None:
    rules = compile_rules(
        [rule(id=id_, query="talks") for id_ in ("c", "a", "b")], native=native
    ).rules
    assert [match.rule_id for match in rules.match(article(), NOW)] == ["a", "b", "c"]


def test_rule_is_silent_from_its_last_moment_on(native: Native | None) -> None:
    rules = compile_rules([rule(expires_at=NOW)], native=native).rules
    assert rules.match(article(), NOW) == ()
    assert len(rules.match(article(), NOW - timedelta(seconds=1))) == 1


def test_expired_rule_still_serves_those_that_refer_to_it(native: Native | None) -> None:
    rules = compile_rules(
        [rule(id="old", expires_at=NOW), rule(id="new", query="@old")], native=native
    ).rules
    assert [match.rule_id for match in rules.match(article(), NOW)] == ["new"]


def test_problems_of_all_rules_are_reported_and_the_others_work(native: Native | None) -> None:
    rules = [
        rule(id="good"),
        rule(id="bad", query="(talks"),
        rule(id="lost", query="entity:nobody @gone"),
        rule(id="needs-bad", query="@bad"),
        rule(id="twin", query="a"),
        rule(id="twin", query="b"),
        rule(id="needs-twin", query="@twin"),
    ]
    compiled = compile_rules(rules, gazetteer=Gazetteer(), native=native)
    assert {id_: len(errors) for id_, errors in compiled.problems.items()} == {
        "bad": 1, "lost": 2, "needs-bad": 1, "twin": 1, "needs-twin": 1,
    }  # fmt: skip
    assert len(compiled.rules) == 1
    assert "good" in compiled.rules
    assert [match.rule_id for match in compiled.rules.match(article(), NOW)] == ["good"]


def test_spans_of_one_match_are_bounded(native: Native | None) -> None:
    (match,) = compile_rules([rule(query="x")], native=native).rules.match(
        article(body="x " * 5000), NOW
    )
    assert len(match.spans) == 1000
    assert match.spans[0].start == 0


def test_explanation_says_yes_or_no_at_every_node(native: Native | None) -> None:
    rules = compile_rules(
        [rule(id="r", query="(talks OR summit) AND NOT geneva AND LEAD(x NEAR y)")], native=native
    ).rules
    explanation = rules.explain("r", article(), NOW)
    assert not explanation.matched
    assert outline(explanation) == [
        ("(talks OR summit) AND NOT geneva AND LEAD(x NEAR/4 y)", False),
        ("talks OR summit", True),
        ("talks", True),
        ("summit", False),
        ("NOT geneva", False),
        ("geneva", True),
        ("LEAD(x NEAR/4 y)", False),
        ("x NEAR/4 y", False),
        ("x", False),
        ("y", False),
    ]
    assert [span.text for span in explanation.children[0].spans] == ["Talks"]


def test_explanation_of_a_score_tells_how_far_it_came(native: Native | None) -> None:
    rules = compile_rules(
        [rule(id="r", query="SCORE(talks:3, summit:4) >= 7")], native=native
    ).rules
    assert rules.explain("r", article(), NOW).score == 3


def test_explanation_follows_references(native: Native | None) -> None:
    rules = compile_rules(
        [rule(id="a", query="@b"), rule(id="b", query="talks")], native=native
    ).rules
    assert outline(rules.explain("a", article(), NOW)) == [("@b", True), ("talks", True)]


def outline(explanation: Explanation) -> list[tuple[str, bool]]:
    lines = [(explanation.text, explanation.matched)]
    for child in explanation.children:
        lines += outline(child)
    return lines


def test_article_that_takes_too_long_is_reported_and_not_half_matched(
    native: Native | None,
) -> None:
    readings = count(step=4)
    budget = Budget(timedelta(seconds=3), lambda: float(next(readings)))
    rules = compile_rules(
        [rule(id=f"r{n}", query=f"talks -a{n}") for n in range(5)], budget=budget, native=native
    )
    with pytest.raises(MatchBudgetError, match="'a7' takes longer than 3 s"):
        rules.rules.match(article(id="a7"), NOW)


def test_article_in_time_is_matched(native: Native | None) -> None:
    budget = Budget(timedelta(seconds=3), lambda: 7.0)
    rules = compile_rules([rule(id="r", query="talks")], budget=budget, native=native).rules
    assert [match.rule_id for match in rules.match(article(), NOW)] == ["r"]


def test_rule_is_matched_from_when_it_is_added_until_it_is_removed(native: Native | None) -> None:
    rules = compile_rules([], native=native).rules
    rules.add(rule(id="r", query="talks"))
    assert [match.rule_id for match in rules.match(article(), NOW)] == ["r"]
    rules.change(rule(id="r", query="football"))
    assert rules.match(article(), NOW) == ()
    rules.change(rule(id="r", query="summit OR talks", version="v2"))
    assert [match.rule_version for match in rules.match(article(), NOW)] == ["v2"]
    rules.remove("r")
    assert rules.match(article(), NOW) == ()


def test_rule_that_others_refer_to_changes_them_too(native: Native | None) -> None:
    rules = compile_rules(
        [rule(id="a", query="@b"), rule(id="b", query="talks")], native=native
    ).rules
    rules.change(rule(id="b", query="football"))
    assert rules.match(article(), NOW) == ()
    assert [m.rule_id for m in rules.match(article(title="Football"), NOW)] == ["a", "b"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda rules: rules.add(rule(id="a", query="x")), "the id 'a' is used already"),
        (lambda rules: rules.add(rule(id="c", query="x AND")), "something is missing"),
        (lambda rules: rules.add(rule(id="c", query="@nobody")), "unknown rule 'nobody'"),
        (lambda rules: rules.change(rule(id="c", query="x")), "unknown rule 'c'"),
        (lambda rules: rules.change(rule(id="b", query="@a")), "circle"),
        (lambda rules: rules.remove("c"), "unknown rule 'c'"),
        (lambda rules: rules.remove("b"), "the rule 'b' is referred to by 'a'"),
    ],
)
def test_change_that_cannot_be_made_changes_nothing(
    change: Callable[[RuleSet], None], problem: str, native: Native | None
) -> None:
    rules = compile_rules(
        [rule(id="a", query="@b"), rule(id="b", query="talks")], native=native
    ).rules
    with pytest.raises(QueryError, match=problem):
        change(rules)
    assert [match.rule_id for match in rules.match(article(), NOW)] == ["a", "b"]


def test_rules_may_change_while_articles_are_matched(native: Native | None) -> None:
    rules = compile_rules([rule(id="always", query="talks")], native=native).rules
    stop = Event()
    seen: list[tuple[str, ...]] = []

    def keep_matching() -> None:
        while not stop.is_set():
            seen.append(tuple(match.rule_id for match in rules.match(article(), NOW)))

    with ThreadPoolExecutor(max_workers=1) as pool:
        matching = pool.submit(keep_matching)
        for n in range(300):
            rules.add(rule(id="more", query=f"talks OR x{n} OR geneva*", version=""))
            rules.change(rule(id="more", query=f"@always AND NOT x{n}", version=""))
            rules.remove("more")
        stop.set()
        matching.result()
    assert set(seen) <= {("always",), ("always", "more")}
