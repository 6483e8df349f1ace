from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.matchers import Matchers
from monitor.core.model import Match, Severity
from monitor.core.routing import Route, route, take
from tests.factories import article, match, matched

A, B, C = (match(rule_id=name) for name in ("a", "b", "c"))


def rule(*names: str) -> Matchers:
    return Matchers(rule=frozenset(names))


def told(tree: Route, *matches: Match, **article_changes: Any) -> dict[str, list[str]]:
    routed = route(tree, matched(article=article(**article_changes), matches=matches))
    return {name: [each.rule_id for each in given] for name, given in routed.alerts}


def test_root_takes_what_no_child_takes() -> None:
    tree = Route(subscriber="root", routes=(Route(subscriber="child", matchers=rule("b")),))
    assert told(tree, A, B) == {"root": ["a"], "child": ["b"]}


def test_first_matching_child_takes_the_match() -> None:
    tree = Route(subscriber="root", routes=(Route(subscriber="one"), Route(subscriber="two")))
    assert told(tree, A) == {"one": ["a"]}


def test_continue_lets_the_following_siblings_see_the_match() -> None:
    tree = Route(
        subscriber="root",
        routes=(
            Route(subscriber="one", continue_=True),
            Route(subscriber="two", continue_=True, matchers=rule("b")),
            Route(subscriber="three"),
            Route(subscriber="four"),
        ),
    )
    assert told(tree, A) == {"one": ["a"], "three": ["a"]}


def test_parent_does_not_take_what_a_continuing_child_took() -> None:
    tree = Route(subscriber="root", routes=(Route(subscriber="one", continue_=True),))
    assert told(tree, A) == {"one": ["a"]}


def test_node_whose_children_all_refuse_takes_the_match_itself() -> None:
    inner = Route(
        subscriber="inner",
        matchers=rule("a"),
        routes=(Route(subscriber="leaf", matchers=rule("z")),),
    )
    assert told(Route(subscriber="root", routes=(inner,)), A) == {"inner": ["a"]}


def test_tree_is_walked_depth_first() -> None:
    deep = Route(routes=(Route(routes=(Route(subscriber="deep"),)),), continue_=True)
    tree = Route(subscriber="root", routes=(deep, Route(subscriber="after")))
    assert list(told(tree, A)) == ["deep", "after"]


def test_route_without_subscriber_tells_that_of_its_parent() -> None:
    tree = Route(subscriber="root", routes=(Route(matchers=rule("a")),))
    assert told(tree, A, B) == {"root": ["a", "b"]}


def test_match_that_reaches_no_subscriber_is_unrouted() -> None:
    tree = Route(routes=(Route(subscriber="child", matchers=rule("b")),))
    routed = route(tree, matched(matches=(A, B)))
    assert routed.alerts == (("child", (B,)),)
    assert routed.unrouted == (A,)


def test_matches_for_one_subscriber_are_one_alert_in_the_order_of_the_matches() -> None:
    tree = Route(
        subscriber="desk",
        routes=(Route(subscriber="desk", matchers=rule("c")), Route(matchers=rule("a"))),
    )
    assert told(tree, A, B, C) == {"desk": ["a", "b", "c"]}


def test_subscriber_reached_twice_by_a_match_is_told_once() -> None:
    tree = Route(
        routes=(
            Route(subscriber="desk", continue_=True),
            Route(subscriber="desk", continue_=True),
        )
    )
    assert told(tree, A) == {"desk": ["a"]}


def test_matchers_of_the_root_are_not_asked() -> None:
    assert told(Route(subscriber="root", matchers=rule("b")), A) == {"root": ["a"]}


def test_way_to_a_node_is_known() -> None:
    leaf = Route(name="leaf", subscriber="desk")
    tree = Route(name="root", routes=(Route(name="middle", routes=(leaf,)),))
    [taken] = take(tree, article(), A)
    assert [node.name for node in taken.path] == ["root", "middle", "leaf"]
    assert taken.subscriber == "desk"


@pytest.mark.parametrize(
    ("matchers", "accepted"),
    [
        (Matchers(), True),
        (Matchers(rule=frozenset({"talks", "other"})), True),
        (Matchers(rule=frozenset({"other"})), False),
        (Matchers(severity=Severity.INFO), True),
        (Matchers(severity=Severity.WARNING), True),
        (Matchers(severity=Severity.CRITICAL), False),
        (Matchers(labels={"region": frozenset({"europe", "asia"})}), True),
        (Matchers(labels={"region": frozenset({"asia"})}), False),
        (Matchers(labels={"desk": frozenset({"europe"})}), False),
        (Matchers(labels={"region": frozenset({"europe"}), "desk": frozenset({"a"})}), False),
        (Matchers(feed=frozenset({"example-world"})), True),
        (Matchers(feed=frozenset({"other"})), False),
        (Matchers(lang=frozenset({"en"})), True),
        (Matchers(lang=frozenset({"en-gb"})), True),
        (Matchers(lang=frozenset({"en-us", "de"})), False),
        (Matchers(category=frozenset({"politics"})), True),
        (Matchers(category=frozenset({"sport"})), False),
        (Matchers(country=frozenset({"gb"})), True),
        (Matchers(country=frozenset({"fr"})), False),
        (Matchers(rule=frozenset({"talks"}), country=frozenset({"fr"})), False),
    ],
)
def test_matcher_accepts_only_what_it_asks_for(matchers: Matchers, accepted: bool) -> None:
    told_of = match(severity=Severity.WARNING, labels={"region": "europe"})
    found_in = article(lang="en-GB", category="Politics", country="GB")
    assert matchers.accept(found_in, told_of) is accepted


@pytest.mark.parametrize("asked", ["lang", "category", "country"])
def test_matcher_refuses_an_article_that_does_not_say(asked: str) -> None:
    silent = article(lang=None, category=None, country=None)
    matchers = replace(Matchers(), **cast("Any", {asked: frozenset({"en"})}))
    assert not matchers.accept(silent, match())


SUBSCRIBERS = st.none() | st.sampled_from(["x", "y", "z"])
MATCHERS = st.builds(
    Matchers,
    rule=st.frozensets(st.sampled_from("abc"), max_size=2),
    severity=st.sampled_from(Severity),
)
TREES = st.recursive(
    st.builds(Route, subscriber=SUBSCRIBERS, matchers=MATCHERS, continue_=st.booleans()),
    lambda inner: st.builds(
        Route,
        subscriber=SUBSCRIBERS,
        matchers=MATCHERS,
        continue_=st.booleans(),
        routes=st.lists(inner, max_size=3).map(tuple),
    ),
    max_leaves=12,
)
MATCHES = st.lists(
    st.builds(
        lambda rule_id, severity: match(rule_id=rule_id, severity=severity),
        st.sampled_from("abcd"),
        st.sampled_from(Severity),
    ),
    unique_by=lambda each: each.rule_id,
    min_size=1,
).map(tuple)


@given(TREES, MATCHES)
def test_every_match_is_routed_or_listed_as_unrouted_and_no_subscriber_is_told_twice(
    tree: Route, matches: tuple[Match, ...]
) -> None:
    routed = route(tree, matched(matches=matches))
    names = [name for name, _ in routed.alerts]
    assert len(names) == len(set(names))
    routed_matches = [each for _, given in routed.alerts for each in given]
    assert {each.rule_id for each in routed_matches} | {
        each.rule_id for each in routed.unrouted
    } == {each.rule_id for each in matches}
    assert not {each.rule_id for each in routed_matches} & {
        each.rule_id for each in routed.unrouted
    }
    for _, given_matches in routed.alerts:
        assert given_matches
        assert [matches.index(each) for each in given_matches] == sorted(
            {matches.index(each) for each in given_matches}
        )


@given(TREES, MATCHES)
def test_routing_several_matches_is_routing_each(tree: Route, matches: tuple[Match, ...]) -> None:
    together = route(tree, matched(matches=matches))
    for each in matches:
        alone = route(tree, matched(matches=(each,)))
        assert {name for name, _ in alone.alerts} == {
            name for name, given in together.alerts if each in given
        }
