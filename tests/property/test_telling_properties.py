"""Every match ends in exactly one way for each route and target, and nothing is held without an end."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.intervals import Range, Span, TimeInterval
from monitor.core.matchers import Matcher, Matchers, Operator, Subject
from monitor.core.model import Match, Severity
from monitor.core.outcome import HoldReason, Suppression
from monitor.core.pace import HOURLY, IMMEDIATE, Choice, Daily, Pace, Quiet, is_always_quiet
from monitor.core.routing import BreakThrough, Route, take
from monitor.core.silences import Silence, concerning, new_silence, silenced_by, snooze
from monitor.core.telling import (
    Circumstances,
    Desk,
    Held,
    RoutingTable,
    Suppressed,
    Told,
    answers,
    messages,
)
from tests.factories import NOW, article, match, matched

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SPANS = st.sampled_from([None, timedelta(), timedelta(minutes=1), 2 * HOUR])
AFTERNOON = TimeInterval("afternoon", (Span(minutes=(Range(720, 1080),)),))

schedules = st.sampled_from([IMMEDIATE, HOURLY, Daily((480,)), Daily((150, 1200))])
quiets = st.lists(
    st.builds(
        lambda start, end: Quiet(start=start, end=end),
        st.sampled_from([0, 90, 780, 1320]),
        st.sampled_from([30, 150, 420, 900]),
    ),
    max_size=2,
).map(tuple)
paces = st.builds(
    Pace,
    schedule=schedules,
    quiet=quiets.filter(lambda hours: not is_always_quiet(hours)),
    zone=st.sampled_from(["Europe/Kyiv", "America/New_York", "Asia/Kathmandu"]).map(ZoneInfo),
    break_through=st.none() | st.sampled_from(Severity),
    budget=st.none() | st.integers(1, 5),
)
nodes = {
    "subscriber": st.none() | st.sampled_from(["x", "y", "off"]),
    "matchers": st.builds(
        Matchers,
        rule=st.frozensets(st.sampled_from("ab"), max_size=2),
        severity=st.sampled_from(Severity),
    ),
    "continue_": st.booleans(),
    "group_by": st.sampled_from([None, (), ("story",), ("...",), ("rule", "desk")]),
    "group_wait": SPANS,
    "group_interval": SPANS,
    "schedule": st.none() | schedules,
    "break_through": st.none() | st.sampled_from(BreakThrough),
    "muted": st.sampled_from([(), (AFTERNOON,)]),
    "active": st.sampled_from([(), (AFTERNOON,)]),
}
trees = st.recursive(
    st.builds(Route, **nodes),
    lambda inner: st.builds(Route, routes=st.lists(inner, max_size=3).map(tuple), **nodes),
    max_leaves=6,
)
tables = st.builds(
    lambda tree, one, two, three: RoutingTable(
        tree=tree,
        desks={
            "x": Desk(paces={"x/a": one, "x/b": two}),
            "y": Desk(paces={"y/a": three}),
            "off": Desk(),
        },
    ),
    trees,
    paces,
    paces,
    paces,
)
matches = st.lists(
    st.builds(
        lambda rule, severity: match(rule_id=rule, severity=severity),
        st.sampled_from("abc"),
        st.sampled_from(Severity),
    ),
    unique_by=lambda each: each.rule_id,
    min_size=1,
).map(tuple)
silences = st.lists(
    st.builds(
        lambda rule, hours: new_silence(
            (Matcher("rule", Operator.IS, rule),),
            starts_at=NOW - HOUR,
            ends_at=NOW + hours * HOUR,
            author="a",
        ),
        st.sampled_from("abc"),
        st.integers(-1, 30),
    ),
    max_size=2,
)
around = st.builds(
    lambda silenced, left: Circumstances(
        silences=silenced,
        choices={"x/a": Choice(subscriber="x", target_id="x/a", unsubscribed=True)} if left else {},
    ),
    silences,
    st.booleans(),
)
instants = st.integers(0, 14 * 24 * 60).map(lambda n: NOW + timedelta(minutes=n))


def ids(path: tuple[Route, ...]) -> tuple[int, ...]:
    return tuple(map(id, path))


@settings(max_examples=60)
@given(tables, around, matches, instants)
def test_every_match_ends_in_one_way_for_each_route_and_target(
    table: RoutingTable, these: Circumstances, found: tuple[Match, ...], now: datetime
) -> None:
    given_answers = list(answers(table, these, matched(matches=found), now))
    ended = Counter((each.match.rule_id, ids(each.path), each.target_id) for each in given_answers)
    expected: Counter[tuple[str, tuple[int, ...], str]] = Counter()
    for each in found:
        for visit in take(table.tree, article(), each):
            desk = table.desks.get(visit.subscriber or "", Desk())
            way = ids(visit.path)
            expected.update((each.rule_id, way, target) for target in desk.paces or [""])
    assert ended == expected
    for answer in given_answers:
        if isinstance(answer.decision, Suppressed):
            assert answer.decision.reason in Suppression
            assert answer.decision.detail
        else:
            assert answer.target_id


@settings(max_examples=60)
@given(tables, around, matches, instants)
def test_a_target_gets_one_message_with_exactly_what_is_not_suppressed(
    table: RoutingTable, these: Circumstances, found: tuple[Match, ...], now: datetime
) -> None:
    given_answers = list(answers(table, these, matched(matches=found), now))
    wanted: dict[str, set[str]] = {}
    for each in given_answers:
        if not isinstance(each.decision, Suppressed):
            wanted.setdefault(each.target_id, set()).add(each.match.rule_id)
    sent = list(messages(given_answers))
    assert {each.target_id: {m.rule_id for m in each.matches} for each in sent} == wanted
    assert len({each.target_id for each in sent}) == len(sent)
    for message in sent:
        of_target = [each.decision for each in given_answers if each.target_id == message.target_id]
        if any(isinstance(each, Told) for each in of_target):
            assert message.hold is None
        elif message.hold and not message.hold.free:
            waits = [each.hold.until for each in of_target if isinstance(each, Held)]
            assert message.hold.until == min(waits)


@settings(max_examples=120)
@given(tables, around, matches, instants)
def test_nothing_is_held_longer_than_its_window_and_nothing_released_in_quiet_hours(
    table: RoutingTable, these: Circumstances, found: tuple[Match, ...], now: datetime
) -> None:
    for answer in answers(table, these, matched(matches=found), now):
        if not isinstance(answer.decision, Held):
            continue
        hold = answer.decision.hold
        pace = table.desks[answer.subscriber].paces[answer.target_id]
        longest = {
            HoldReason.GROUP: 2 * HOUR,
            HoldReason.DIGEST: 25 * HOUR,
            HoldReason.QUIET_HOURS: 49 * HOUR,
            HoldReason.ALLOWANCE: HOUR if not pace.quiet else 25 * HOUR,
        }
        assert now <= hold.until <= now + longest[hold.reason]
        local = hold.until.astimezone(pace.zone)
        minute = local.hour * 60 + local.minute
        assert not any(_is_within(minute, quiet) for quiet in pace.quiet)


def _is_within(minute: int, quiet: Quiet) -> bool:
    if quiet.end > quiet.start:
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end


@settings(max_examples=60)
@given(tables, around, matches, instants)
def test_what_breaks_through_is_told_at_once_or_not_at_all(
    table: RoutingTable, these: Circumstances, found: tuple[Match, ...], now: datetime
) -> None:
    for answer in answers(table, these, matched(matches=found), now):
        pace = table.desks.get(answer.subscriber, Desk()).paces.get(answer.target_id)
        says = [node.break_through for node in answer.path if node.break_through]
        if pace and pace.break_through is Severity.INFO and not says:
            assert not isinstance(answer.decision, Held)
        if says and says[-1] is BreakThrough.INFO:
            assert not isinstance(answer.decision, Held)


@settings(max_examples=60)
@given(tables, around, matches, instants)
def test_a_decision_depends_on_nothing_but_what_it_is_given(
    table: RoutingTable, these: Circumstances, found: tuple[Match, ...], now: datetime
) -> None:
    once = list(answers(table, these, matched(matches=found), now))
    again = list(answers(table, these, matched(matches=found), now.astimezone(UTC)))
    assert once == again
    alone = [each for one in found for each in answers(table, these, matched(matches=(one,)), now)]
    assert once == alone


@settings(max_examples=60)
@given(silences, st.sampled_from("abc"), instants, st.sampled_from(["x/a", "y/a"]))
def test_leaving_out_silences_beforehand_changes_no_answer(
    known: list[Silence], rule: str, now: datetime, target: str
) -> None:
    snoozed = snooze("rule", rule, "x", now, HOUR, "a reader")
    every = [*known, snoozed]
    told_to = Subject(article(), match(rule_id=rule), target[0], target)
    near = concerning(every, Subject(article(), match(rule_id=rule)), now)
    assert silenced_by(near, told_to, now) == silenced_by(every, told_to, now)
