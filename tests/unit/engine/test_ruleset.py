"""Every rule at once: what a match carries, which rules are asked, and why one says no."""

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.core.engine import Explanation, compile_rules
from monitor.core.entities import Gazetteer
from monitor.core.model import Severity
from monitor.core.query import rule_version
from tests.factories import NOW, article, rule

if TYPE_CHECKING:
    from monitor.ports import Matcher


def test_rule_set_is_a_matcher() -> None:
    matcher: Matcher = compile_rules([]).rules
    assert matcher.match(article(), NOW) == ()


def test_match_carries_the_rule_as_it_is() -> None:
    given = rule(
        id="r",
        name="Talks",
        query="talks",
        version="",
        severity=Severity.CRITICAL,
        labels={"team": "world"},
    )
    (match,) = compile_rules([given]).rules.match(article(id="a7"), NOW)
    assert (match.rule_id, match.article_id, match.rule_name) == ("r", "a7", "Talks")
    assert (match.severity, match.labels) == (Severity.CRITICAL, {"team": "world"})
    assert match.rule_version == rule_version("TALKS")
    assert match.score is None


def test_version_given_by_the_configuration_is_kept() -> None:
    (match,) = compile_rules([rule(version="v7")]).rules.match(article(), NOW)
    assert match.rule_version == "v7"


def test_matches_come_in_the_order_of_rule_ids() -> None:
    rules = compile_rules([rule(id=id_, query="talks") for id_ in ("c", "a", "b")]).rules
    assert [match.rule_id for match in rules.match(article(), NOW)] == ["a", "b", "c"]


def test_rule_is_silent_from_its_last_moment_on() -> None:
    rules = compile_rules([rule(expires_at=NOW)]).rules
    assert rules.match(article(), NOW) == ()
    assert len(rules.match(article(), NOW - timedelta(seconds=1))) == 1


def test_expired_rule_still_serves_those_that_refer_to_it() -> None:
    rules = compile_rules([rule(id="old", expires_at=NOW), rule(id="new", query="@old")]).rules
    assert [match.rule_id for match in rules.match(article(), NOW)] == ["new"]


def test_problems_of_all_rules_are_reported_and_the_others_work() -> None:
    rules = [
        rule(id="good"),
        rule(id="bad", query="(talks"),
        rule(id="lost", query="entity:nobody @gone"),
        rule(id="needs-bad", query="@bad"),
        rule(id="twin", query="a"),
        rule(id="twin", query="b"),
        rule(id="needs-twin", query="@twin"),
    ]
    compiled = compile_rules(rules, gazetteer=Gazetteer())
    assert {id_: len(errors) for id_, errors in compiled.problems.items()} == {
        "bad": 1, "lost": 2, "needs-bad": 1, "twin": 1, "needs-twin": 1,
    }  # fmt: skip
    assert len(compiled.rules) == 1
    assert "good" in compiled.rules
    assert [match.rule_id for match in compiled.rules.match(article(), NOW)] == ["good"]


def test_spans_of_one_match_are_bounded() -> None:
    (match,) = compile_rules([rule(query="x")]).rules.match(article(body="x " * 5000), NOW)
    assert len(match.spans) == 1000
    assert match.spans[0].start == 0


def test_explanation_says_yes_or_no_at_every_node() -> None:
    rules = compile_rules(
        [rule(id="r", query="(talks OR summit) AND NOT geneva AND LEAD(x NEAR y)")]
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


def test_explanation_of_a_score_tells_how_far_it_came() -> None:
    rules = compile_rules([rule(id="r", query="SCORE(talks:3, summit:4) >= 7")]).rules
    assert rules.explain("r", article(), NOW).score == 3


def test_explanation_follows_references() -> None:
    rules = compile_rules([rule(id="a", query="@b"), rule(id="b", query="talks")]).rules
    assert outline(rules.explain("a", article(), NOW)) == [("@b", True), ("talks", True)]


def outline(explanation: Explanation) -> list[tuple[str, bool]]:
    lines = [(explanation.text, explanation.matched)]
    for child in explanation.children:
        lines += outline(child)
    return lines
