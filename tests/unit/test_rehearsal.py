from datetime import timedelta

import pytest

from monitor.core.pace import HOURLY, Pace
from monitor.core.rehearsal import Rehearsal
from monitor.core.routing import Route
from monitor.core.telling import Desk, RoutingTable
from tests.factories import NOW, article, match

MINUTE = timedelta(minutes=1)
ALWAYS = Pace()


def rehearsed(*minutes: int, pace: Pace = ALWAYS, targets: int = 1, **route: object) -> int:
    tree = Route(subscriber="desk", **route)  # type: ignore[arg-type]
    paces = {f"desk/{n}": pace for n in range(targets)}
    rehearsal = Rehearsal(RoutingTable(tree=tree, desks={"desk": Desk(paces=paces)}))
    for n, at in enumerate(minutes):
        rehearsal.add(article(id=f"a{n}", seen_at=NOW + at * MINUTE), match(article_id=f"a{n}"))
    return rehearsal.alerts


def test_each_article_is_an_alert_to_each_target() -> None:
    assert rehearsed(0, 1, 2) == 3
    assert rehearsed(0, 1, 2, targets=2) == 6


def test_an_article_counts_once_when_it_came_first() -> None:
    rehearsal = Rehearsal(
        RoutingTable(tree=Route(subscriber="desk"), desks={"desk": Desk(paces={"d/1": Pace()})})
    )
    for at in (5, 0, 9):
        rehearsal.add(article(id="a", seen_at=NOW + at * MINUTE), match(article_id="a"))
    assert rehearsal.alerts == 1


def test_nobody_is_told_without_a_target() -> None:
    assert rehearsed(0, targets=0) == 0


def test_what_a_rule_in_shadow_would_tell_is_counted() -> None:
    table = RoutingTable(
        tree=Route(subscriber="desk"),
        desks={"desk": Desk(paces={"d/1": Pace()})},
        shadow=frozenset({"talks"}),
    )
    rehearsal = Rehearsal(table)
    rehearsal.add(article(), match(rule_id="talks"))
    assert rehearsal.alerts == 1


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ((0,), 1),
        ((0, 1, 2), 2),  # the first at once, what comes within ten minutes together
        ((0, 1, 2, 10, 11), 3),
        ((0, 30, 60), 3),
        ((60, 0, 30), 3),
    ],
)
def test_a_group_is_told_at_once_and_then_at_its_interval(
    minutes: tuple[int, ...], expected: int
) -> None:
    assert rehearsed(*minutes, group_by=("rule",), group_interval=10 * MINUTE) == expected


def test_digests_count_once() -> None:
    assert rehearsed(0, 1, 59, pace=Pace(schedule=HOURLY)) == 1
    assert rehearsed(0, 1, 61, pace=Pace(schedule=HOURLY)) == 2


def test_what_is_more_than_the_budget_is_one_digest() -> None:
    assert rehearsed(0, 1, 2, 3, 4, pace=Pace(budget=2)) == 3
