from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.intervals import TimeInterval
from monitor.core.matchers import Matchers, Subject, parse_matchers
from monitor.core.model import Match, Severity
from monitor.core.pace import HOURLY
from monitor.core.routing import BreakThrough, Route, Visit, effective, take, walk
from tests.factories import article, match

NIGHT = TimeInterval("night", ())
A, B, C = (match(rule_id=name) for name in ("a", "b", "c"))


def rule(*names: str) -> Matchers:
    return Matchers(rule=frozenset(names))


def told(tree: Route, *matches: Match, **article_changes: Any) -> dict[str, list[str]]:
    """Return the rules that each subscriber is told of; under "" those that nobody is told of."""
    found: dict[str, list[str]] = {}
    for each in matches:
        for visit in take(tree, article(**article_changes), each):
            rules = found.setdefault(visit.subscriber or "", [])
            rules += [each.rule_id] if each.rule_id not in rules else []
    return found


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


def test_nodes_beside_take_nothing_from_others_and_others_nothing_from_them() -> None:
    tree = Route(
        subscriber="root",
        group_by=("rule",),
        routes=(Route(subscriber="child", matchers=rule("b")),),
        beside=(
            Route(subscriber="one", matchers=rule("a", "b")),
            Route(subscriber="two", routes=(Route(subscriber="three", matchers=rule("c")),)),
        ),
    )
    assert told(tree, A, B, C) == {
        "root": ["a", "c"],
        "child": ["b"],
        "one": ["a", "b"],
        "two": ["a", "b"],
        "three": ["c"],
    }
    [_, one, *_] = take(tree, article(), A)
    assert effective(one.path).group_by == ("rule",)


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


def test_match_that_reaches_no_subscriber_is_taken_all_the_same() -> None:
    tree = Route(routes=(Route(subscriber="child", matchers=rule("b")),))
    assert told(tree, A, B) == {"": ["a"], "child": ["b"]}


def test_routes_to_one_subscriber_give_it_every_match() -> None:
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


def naive(node: Route, subject: Subject, path: tuple[Route, ...] = ()) -> list[tuple[Route, ...]]:
    """Return the ways to the nodes that take a match, as the documentation tells it."""
    path = (*path, node)
    ways: list[tuple[Route, ...]] = []
    accepting = [
        child for child in node.routes if child.matchers.accept(subject.article, subject.match)
    ]
    stop = next((i for i, child in enumerate(accepting) if not child.continue_), len(accepting))
    for child in accepting[: stop + 1]:
        ways += naive(child, subject, path)
    return ways or [path]


@given(TREES, MATCHES)
def test_the_tree_is_walked_as_a_naive_reading_of_the_documentation_does(
    tree: Route, matches: tuple[Match, ...]
) -> None:
    for each in matches:
        taken = [visit.path for visit in take(tree, article(), each)]
        assert taken == naive(tree, Subject(article(), each))
        assert taken


@given(TREES, MATCHES)
def test_every_node_is_visited_once_or_stands_below_one_that_refused_or_was_passed_over(
    tree: Route, matches: tuple[Match, ...]
) -> None:
    visits = list(walk(tree, Subject(article(), matches[0])))
    for visit in visits[1:]:  # the root is not asked
        refused, behind = bool(visit.failed), visit.behind is not None
        assert refused + behind + visit.took <= 1
        assert behind or refused is not visit.node.matchers.accept(article(), matches[0])
    assert visits[0].path == (tree,)
    assert len(visits) <= _size(tree)


def _size(node: Route) -> int:
    return 1 + sum(map(_size, node.routes))


def test_node_that_refuses_says_which_conditions_failed() -> None:
    asks = Matchers(
        rule=frozenset({"z"}),
        severity=Severity.WARNING,
        labels={"region": frozenset({"asia", "africa"})},
        lang=frozenset({"fr"}),
        texts=parse_matchers('rule=~"x.*", feed=example-world'),
    )
    tree = Route(subscriber="desk", routes=(Route(matchers=asks),))
    [_, visit] = walk(tree, Subject(article(lang=None), A))
    assert visit.failed == (
        "severity is info, not at least warning",
        "rule is a, not z",
        "lang is empty, not fr",
        "region is empty, not africa or asia",
        'rule=~"x.*" does not hold: rule is a',
    )


def test_node_behind_a_sibling_that_took_the_match_names_it() -> None:
    tree = Route(routes=(Route(name="first"), Route(name="second")))
    visits = list(walk(tree, Subject(article(), A)))
    assert [visit.behind.name if visit.behind else "" for visit in visits] == ["", "", "first"]


def test_children_have_what_they_do_not_say_from_their_parents() -> None:
    minute = timedelta(minutes=1)
    root = Route(subscriber="desk", group_by=("story",), group_wait=minute, schedule=HOURLY)
    middle = Route(group_interval=minute, break_through=BreakThrough.NEVER, muted=(NIGHT,))
    leaf = Route(group_by=(), group_wait=timedelta(), subscriber="other")
    at = effective((root, middle, leaf))
    assert (at.subscriber, at.group_by, at.group_wait, at.group_interval) == (
        *("other", (), timedelta(), minute),
    )
    assert (at.schedule, at.break_through) == (HOURLY, BreakThrough.NEVER)
    assert at.muted == ()  # as in Alertmanager, a mute is of one node
    assert effective((root,)) is root


@pytest.mark.parametrize(
    ("node", "title"),
    [
        (Route(name="night"), "night"),
        (Route(matchers=rule("b", "a")), "rule=a|b"),
        (Route(), "everything"),
        (
            Route(matchers=Matchers(severity=Severity.WARNING, texts=parse_matchers("lang!=ru"))),
            "severity>=warning, lang!=ru",
        ),
    ],
)
def test_node_is_called_by_its_name_or_by_what_it_asks(node: Route, title: str) -> None:
    assert node.title == title
    assert Visit((node,)).node is node
