from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.core.inhibition import InhibitRule, traces
from monitor.core.intervals import Range, Span, TimeInterval
from monitor.core.matchers import Matchers, Subject, parse_matchers
from monitor.core.model import Match, Severity
from monitor.core.outcome import HoldReason, Suppression
from monitor.core.pace import HOURLY, Choice, Daily, Pace, Quiet
from monitor.core.routing import BreakThrough, Route
from monitor.core.silences import new_silence, snooze
from monitor.core.telling import (
    Answer,
    Circumstances,
    Decision,
    Desk,
    Held,
    Message,
    RoutingTable,
    Suppressed,
    Told,
    aloud,
    answers,
    messages,
    own_traces,
)
from tests.factories import NOW, article, match, matched

KYIV = ZoneInfo("Europe/Kyiv")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NIGHT = (Quiet(start=22 * 60, end=7 * 60),)
INFO, CRITICAL = match(rule_id="a"), match(rule_id="z", severity=Severity.CRITICAL)
WEEKEND = TimeInterval("weekend", (Span(weekdays=frozenset({5, 6})),))
AFTERNOON = TimeInterval("afternoon", (Span(minutes=(Range(720, 1080),)),))


def test_matches_of_an_article_inhibit_each_other_too() -> None:
    rule = InhibitRule(
        source=parse_matchers("severity=critical"),
        target=parse_matchers("severity=info"),
        window=HOUR,
    )
    found = own_traces([rule], matched(matches=(INFO, CRITICAL)), NOW)
    assert list(found.values()) == [NOW]
    assert own_traces([], matched(matches=(INFO, CRITICAL)), NOW) == {}


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=KYIV).astimezone(UTC)


ALWAYS, TO_DESK, NOTHING_ELSE = Pace(), Route(subscriber="desk"), Circumstances()


def given(
    *matches: Match,
    pace: Pace = ALWAYS,
    tree: Route = TO_DESK,
    now: datetime = NOW,
    around: Circumstances = NOTHING_ELSE,
    inhibit: tuple[InhibitRule, ...] = (),
    **about: Any,
) -> list[Answer]:
    table = RoutingTable(
        tree=tree, desks={"desk": Desk(paces={"desk/slack": pace})}, inhibit=inhibit
    )
    return list(answers(table, around, matched(article=article(**about), matches=matches), now))


def decided(told: Match, **options: Any) -> Decision:
    [answer] = given(told, **options)
    return answer.decision


def held(told: Match, **options: Any) -> Held:
    decision = decided(told, **options)
    assert isinstance(decision, Held)
    return decision


def test_without_wishes_a_match_is_told_at_once() -> None:
    assert decided(INFO) == Told()


def test_match_without_a_subscriber_or_a_target_is_suppressed() -> None:
    nobody = decided(INFO, tree=Route(name="top"))
    assert nobody == Suppressed(
        Suppression.NO_ROUTE, "the route 'top' and those above it name no subscriber"
    )
    off = decided(INFO, tree=Route(subscriber="other"))
    assert off == Suppressed(Suppression.NO_TARGET, "no target of other is switched on")


def test_digest_is_held_until_the_next_of_its_times() -> None:
    pace = Pace(schedule=Daily((8 * 60,)), zone=KYIV)
    hold = held(INFO, pace=pace, now=local("2026-01-15T12:00")).hold
    assert (hold.reason, hold.until) == (HoldReason.DIGEST, local("2026-01-16T08:00"))
    assert hold.detail == "daily at 08:00 Europe/Kyiv"


def test_digests_of_different_times_are_different_groups() -> None:
    pace = Pace(schedule=HOURLY)
    one, same, next_ = (held(INFO, pace=pace, now=NOW + n * MINUTE).hold for n in (1, 59, 61))
    assert one.group == same.group
    assert one.group != next_.group


def test_quiet_hours_hold_everything_for_one_digest() -> None:
    pace = Pace(quiet=NIGHT, zone=KYIV)
    late = local("2026-01-15T23:00")
    hold = held(INFO, pace=pace, now=late).hold
    assert (hold.reason, hold.until) == (HoldReason.QUIET_HOURS, local("2026-01-16T07:00"))
    assert hold.detail == "22:00-07:00 Europe/Kyiv"
    grouped = Route(subscriber="desk", group_by=("story",), group_wait=MINUTE)
    hourly = Pace(quiet=NIGHT, zone=KYIV, schedule=HOURLY, budget=3)
    assert held(INFO, pace=hourly, tree=grouped, now=late).hold == hold
    assert decided(INFO, pace=pace, now=local("2026-01-16T07:00")) == Told()


def test_digest_that_would_come_in_quiet_hours_comes_after_them() -> None:
    pace = Pace(quiet=NIGHT, zone=KYIV, schedule=HOURLY)
    hold = held(INFO, pace=pace, now=local("2026-01-15T21:20")).hold
    assert (hold.reason, hold.until) == (HoldReason.QUIET_HOURS, local("2026-01-16T07:00"))
    early = held(INFO, pace=pace, now=local("2026-01-15T20:20")).hold
    assert (early.reason, early.until) == (HoldReason.DIGEST, local("2026-01-15T21:00"))


def test_critical_breaks_through_everything_that_holds() -> None:
    pace = Pace(quiet=NIGHT, zone=KYIV, schedule=HOURLY, budget=1)
    tree = Route(subscriber="desk", group_wait=MINUTE, group_interval=HOUR)
    late = local("2026-01-15T23:00")
    assert decided(CRITICAL, pace=pace, tree=tree, now=late) == Told("critical breaks through")


@pytest.mark.parametrize(
    ("of_target", "of_route", "severity", "told"),
    [
        (Severity.CRITICAL, None, Severity.WARNING, False),
        (Severity.WARNING, None, Severity.WARNING, True),
        (None, None, Severity.CRITICAL, False),
        (Severity.INFO, None, Severity.INFO, True),
        (Severity.INFO, BreakThrough.NEVER, Severity.CRITICAL, False),
        (None, BreakThrough.WARNING, Severity.WARNING, True),
        (None, BreakThrough.WARNING, Severity.INFO, False),
    ],
)
def test_what_breaks_through_is_configured(
    of_target: Severity | None, of_route: BreakThrough | None, severity: Severity, told: bool
) -> None:
    pace = Pace(schedule=HOURLY, break_through=of_target)
    tree = Route(subscriber="desk", break_through=of_route)
    decision = decided(match(severity=severity), pace=pace, tree=tree)
    assert isinstance(decision, Told) is told


def test_schedule_of_a_route_is_before_that_of_a_target() -> None:
    pace = Pace(schedule=HOURLY)
    daily = Route(subscriber="desk", schedule=Daily((0,)))
    assert held(INFO, pace=pace, tree=daily).hold.detail == "daily at 00:00 UTC"


def test_reader_chooses_before_everybody_else() -> None:
    chosen = {"desk/slack": Choice(subscriber="desk", target_id="desk/slack", schedule="hourly")}
    daily = Route(subscriber="desk", schedule=Daily((0,)))
    around = Circumstances(choices=chosen)
    assert held(INFO, tree=daily, around=around).hold.detail == "hourly UTC"
    other = {"desk/mail": Choice(subscriber="desk", target_id="desk/mail", unsubscribed=True)}
    assert decided(INFO, around=Circumstances(choices=other)) == Told()


def test_choice_that_cannot_be_read_leaves_what_is_configured() -> None:
    odd = Choice(subscriber="desk", target_id="desk/slack", schedule="weekly")
    around = Circumstances(choices={"desk/slack": odd})
    assert decided(INFO, around=around) == Told()


def test_reader_who_left_is_told_nothing() -> None:
    left = Choice(subscriber="desk", target_id="desk/slack", unsubscribed=True, chosen_at=NOW)
    decision = decided(CRITICAL, around=Circumstances(choices={"desk/slack": left}))
    assert decision == Suppressed(
        Suppression.UNSUBSCRIBED, "the reader of desk/slack left on 2026-01-15"
    )


def test_budget_lets_some_through_and_holds_the_rest_until_the_hour_ends() -> None:
    hold = held(INFO, pace=Pace(budget=5, zone=KYIV), now=local("2026-01-15T12:20")).hold
    assert (hold.reason, hold.free) == (HoldReason.ALLOWANCE, 5)
    assert hold.until == local("2026-01-15T13:00")
    assert hold.detail == "5 an hour"


def test_surplus_of_the_hour_before_quiet_hours_comes_after_them() -> None:
    pace = Pace(budget=5, zone=KYIV, quiet=NIGHT)
    hold = held(INFO, pace=pace, now=local("2026-01-15T21:20")).hold
    assert (hold.reason, hold.until) == (HoldReason.ALLOWANCE, local("2026-01-16T07:00"))


def grouping(**changes: Any) -> Route:
    options: dict[str, Any] = {"group_by": ("story",), "group_wait": MINUTE} | changes
    return Route(subscriber="desk", **options)


def test_group_waits_and_keeps_its_interval() -> None:
    hold = held(INFO, tree=grouping(group_interval=HOUR)).hold
    assert (hold.reason, hold.until, hold.interval) == (HoldReason.GROUP, NOW + MINUTE, HOUR)
    assert hold.detail == "same story"


def test_first_of_a_group_is_not_delayed_unless_asked() -> None:
    hold = held(INFO, tree=grouping(group_wait=None, group_interval=HOUR)).hold
    assert hold.until == NOW
    assert decided(INFO, tree=grouping(group_wait=None)) == Told()
    assert decided(INFO, tree=grouping(group_wait=timedelta())) == Told()


@pytest.mark.parametrize(
    ("by", "same", "different"),
    [
        (("story",), {"id": "a2", "title": "TALKS resume in Geneva"}, {"title": "Other"}),
        (("feed",), {"title": "Other"}, {"feed_id": "other"}),
        (("lang",), {"lang": "en"}, {"lang": "fr"}),
        (("rule", "country"), {"title": "Other"}, {"country": "fr"}),
        (("...",), {"title": "Other"}, {"id": "a2"}),
    ],
)
def test_group_is_what_alerts_have_in_common(
    by: tuple[str, ...], same: dict[str, str], different: dict[str, str]
) -> None:
    tree = grouping(group_by=by)
    first = held(INFO, tree=tree).hold.group
    assert held(INFO, tree=tree, **same).hold.group == first
    assert held(INFO, tree=tree, **different).hold.group != first


def test_without_group_by_everything_of_a_route_is_one_group() -> None:
    tree = grouping(group_by=None, name="all")
    first = held(INFO, tree=tree).hold
    assert held(match(rule_id="b"), tree=tree, title="Other", feed_id="x").hold.group == first.group
    assert first.detail == "all"
    assert held(INFO, tree=grouping(group_by=("feed", "desk"))).hold.detail == (
        "feed example-world, desk unknown"
    )


def test_group_is_not_released_in_quiet_hours() -> None:
    pace = Pace(quiet=NIGHT, zone=KYIV)
    tree = grouping(group_wait=None, group_interval=4 * HOUR)
    hold = held(INFO, pace=pace, tree=tree, now=local("2026-01-15T20:00")).hold
    assert hold.closed == ((local("2026-01-15T22:00"), local("2026-01-16T07:00")),)


def test_silence_keeps_even_a_critical_match_back_and_says_whose_it_is() -> None:
    silence = new_silence(
        parse_matchers("rule=z"),
        starts_at=NOW,
        ends_at=NOW + HOUR,
        author="ana",
        comment="drill",
    )
    around = Circumstances(silences=[silence])
    assert decided(CRITICAL, around=around) == Suppressed(
        Suppression.SILENCED, f"silence {silence.id} of ana until 2026-01-15 13:00 UTC: drill"
    )
    assert decided(INFO, around=around) == Told()
    assert isinstance(decided(CRITICAL, around=around, now=NOW + HOUR), Told)


def test_snooze_of_one_subscriber_leaves_others_alone() -> None:
    tree = Route(
        routes=(Route(subscriber="desk", continue_=True), Route(subscriber="other")),
    )
    desks = {name: Desk(paces={f"{name}/slack": Pace()}) for name in ("desk", "other")}
    around = Circumstances(silences=[snooze("rule", "a", "desk", NOW, HOUR, "a reader")])
    table = RoutingTable(tree=tree, desks=desks)
    found = list(answers(table, around, matched(matches=(INFO,)), NOW))
    assert {each.subscriber: type(each.decision) for each in found} == {
        "desk": Suppressed,
        "other": Told,
    }


@pytest.mark.parametrize(
    ("route", "detail"),
    [
        (Route(muted=(WEEKEND, AFTERNOON)), "the route is muted by afternoon"),
        (Route(active=(WEEKEND,)), "the route is active only in weekend"),
    ],
)
def test_muted_route_tells_nobody_and_takes_the_match_all_the_same(
    route: Route, detail: str
) -> None:
    tree = Route(subscriber="desk", routes=(route, Route(name="behind")))
    assert decided(CRITICAL, tree=tree) == Suppressed(Suppression.MUTED, detail)


def test_route_that_is_active_and_not_muted_tells() -> None:
    route = Route(muted=(WEEKEND,), active=(AFTERNOON,))
    assert decided(INFO, tree=Route(subscriber="desk", routes=(route,))) == Told()


def test_match_is_inhibited_while_a_source_is_new() -> None:
    rule = InhibitRule(
        source=parse_matchers("rule=z"), target=parse_matchers("rule=a"), window=HOUR, name="enough"
    )
    [trace] = traces([rule], Subject(article(), CRITICAL))
    around = Circumstances(remembered={trace.key: NOW})
    decision = decided(INFO, around=around, inhibit=(rule,), now=NOW + 59 * MINUTE)
    assert decision == Suppressed(Suppression.INHIBITED, "enough, until 2026-01-15 13:00 UTC")
    assert decided(INFO, around=around, inhibit=(rule,), now=NOW + HOUR) == Told()


# --- what belongs to one article ---


def sent(found: list[Answer]) -> Mapping[str, Message]:
    return {each.target_id: each for each in messages(found)}


def test_matches_of_one_article_are_one_message() -> None:
    message = sent(given(INFO, CRITICAL))["desk/slack"]
    assert message.matches == (INFO, CRITICAL)
    assert message.hold is None


def test_most_urgent_match_takes_the_others_along() -> None:
    pace = Pace(schedule=HOURLY)
    message = sent(given(INFO, CRITICAL, pace=pace))["desk/slack"]
    assert (message.matches, message.hold) == ((INFO, CRITICAL), None)


def test_earliest_release_counts_for_all() -> None:
    tree = Route(
        subscriber="desk",
        schedule=Daily((0,)),
        routes=(Route(matchers=Matchers(rule=frozenset({"b"})), schedule=HOURLY),),
    )
    message = sent(given(INFO, match(rule_id="b"), tree=tree))["desk/slack"]
    assert message.hold is not None
    assert message.hold.detail == "hourly UTC"


def test_match_that_reaches_a_target_twice_is_told_once_as_early_as_either_route_says() -> None:
    tree = Route(
        subscriber="desk",
        routes=(Route(schedule=HOURLY, continue_=True), Route(name="at once")),
    )
    message = sent(given(INFO, tree=tree))["desk/slack"]
    assert (message.matches, message.hold) == ((INFO,), None)


def test_route_that_would_hold_longer_changes_nothing() -> None:
    tree = Route(
        subscriber="desk",
        routes=(Route(name="at once", continue_=True), Route(schedule=HOURLY)),
    )
    message = sent(given(INFO, tree=tree))["desk/slack"]
    assert (message.matches, message.hold) == ((INFO,), None)


def test_suppressed_match_is_not_taken_along() -> None:
    silence = new_silence(parse_matchers("rule=a"), starts_at=NOW, ends_at=NOW + HOUR, author="ana")
    around = Circumstances(silences=[silence])
    assert sent(given(INFO, CRITICAL, around=around))["desk/slack"].matches == (CRITICAL,)
    assert sent(given(INFO, around=around)) == {}


def test_rule_in_shadow_tells_nobody_and_inhibits_nothing() -> None:
    table = RoutingTable(
        tree=TO_DESK, desks={"desk": Desk(paces={"d/1": Pace()})}, shadow=frozenset({"z"})
    )
    both = matched(matches=(INFO, CRITICAL))
    told, tried = answers(table, NOTHING_ELSE, both, NOW)
    assert told.decision == Told()
    assert isinstance(tried.decision, Suppressed)
    assert tried.decision.reason is Suppression.SHADOW
    assert aloud(table, both).matches == (INFO,)
    assert aloud(RoutingTable(), both) is both
