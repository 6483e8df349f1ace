"""Who is told of a match, when, and why not: the one decision that the router carries out and `routes test` prints.

Each match ends, for every route that takes it and every target of the subscriber there, in exactly one of three ways:
told at once, held until an instant, or suppressed with a reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import blake2b

from monitor.core.burst import Least
from monitor.core.holding import Hold
from monitor.core.inhibition import InhibitRule, Trace, has_source, inhibited_by, traces
from monitor.core.localtime import next_hour, to_the_minute
from monitor.core.matchers import RANK, Subject
from monitor.core.model import Match, MatchedArticle
from monitor.core.outcome import HoldReason, Suppression
from monitor.core.pace import (
    Choice,
    Immediate,
    Pace,
    chosen_schedule,
    next_digest,
    quiet_times,
    quiet_until,
)
from monitor.core.routing import EVERYTHING, Path, Route, Visit, effective, take
from monitor.core.silences import Silence, concerning, silenced_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A subscriber as routing sees it: the pace of each target that is switched on, by target id."""

    paces: Mapping[str, Pace] = field(default_factory=dict)

    @property
    def zone(self) -> tzinfo:
        """Where the clocks of the subscriber are; UTC for one of no target, whose clocks nobody asks."""
        return next((pace.zone for pace in self.paces.values()), UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingTable:
    """Who is told of what, as configured: the tree, the subscribers by name, and what inhibits what.

    `shadow` are the ids of rules of which nobody is told. `bursts` says what a burst of a rule has at least; without it
    nobody is told of any.
    """

    tree: Route = field(default_factory=Route)
    desks: Mapping[str, Desk] = field(default_factory=dict)
    inhibit: tuple[InhibitRule, ...] = ()
    shadow: frozenset[str] = frozenset()
    bursts: Least | None = None

    def zone_of(self, subscriber: str) -> tzinfo:
        """Return where the clocks of a subscriber are; UTC for one that there is no more."""
        return self.desks.get(subscriber, Desk()).zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What else counts at this moment: silences, what readers chose by target id, and when sources of inhibition came.

    Those are by the keys that `inhibition.asked` gives.
    """

    silences: Sequence[Silence] = ()
    choices: Mapping[str, Choice] = field(default_factory=dict)
    remembered: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """At once."""

    because: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """Not at once, or with a budget not always: on the terms of the hold."""

    hold: Hold


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Not at all."""

    reason: Suppression
    detail: str = ""


Decision = Told | Held | Suppressed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What becomes of a match at one node for one target; without a target when nobody is there to be told."""

    match: Match
    path: Path
    decision: Decision
    subscriber: str = ""
    target_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one target is told of an article: the matches of it that are not suppressed, with one hold or none."""

    subscriber: str
    target_id: str
    matches: tuple[Match, ...]
    hold: Hold | None


def aloud(table: RoutingTable, matched: MatchedArticle) -> MatchedArticle:
    """Return an article without the matches of rules in shadow, which maybe are all of them."""
    if not table.shadow:
        return matched
    heard = tuple(match for match in matched.matches if match.rule_id not in table.shadow)
    return replace(matched, matches=heard)


def own_traces(
    rules: Sequence[InhibitRule], matched: MatchedArticle, now: datetime
) -> Mapping[Trace, datetime]:
    """Return what is to be remembered of the matches of an article, which inhibit each other too."""
    subjects = (Subject(matched.article, match) for match in matched.matches)
    return {trace: now for subject in subjects for trace in traces(rules, subject)}


def answers(
    table: RoutingTable, around: Circumstances, matched: MatchedArticle, now: datetime
) -> Iterator[Answer]:
    """Decide on each match of an article by itself.

    What cannot concern a match is left out once and not at every target: there may be thousands of each.
    """
    for match in matched.matches:
        if match.rule_id in table.shadow:
            yield Answer(match=match, path=(table.tree,), decision=_IN_SHADOW)
            continue
        subject = Subject(matched.article, match)
        near = replace(around, silences=concerning(around.silences, subject, now))
        rules = tuple(
            rule for rule in table.inhibit if has_source(rule, around.remembered, subject, now)
        )
        for visit in take(table.tree, matched.article, match):
            yield from _at_node(table.desks, rules, near, visit, subject, now)


def messages(given: Sequence[Answer]) -> Iterator[Message]:
    """Join what one target is told of one article: an article is one thing to read.

    The most urgent of its matches decides when: what is told at once takes along what would be held.
    """
    told: dict[str, dict[str, Answer]] = {}
    for answer in given:
        if not isinstance(answer.decision, Suppressed):
            by_rule = told.setdefault(answer.target_id, {})
            known = by_rule.get(answer.match.rule_id)
            if known is None or _urgency(answer) < _urgency(known):
                by_rule[answer.match.rule_id] = answer
    for target_id, by_rule in told.items():
        first = min(by_rule.values(), key=_urgency)
        yield Message(
            subscriber=first.subscriber,
            target_id=target_id,
            matches=tuple(answer.match for answer in by_rule.values()),
            hold=first.decision.hold if isinstance(first.decision, Held) else None,
        )


def _urgency(answer: Answer) -> tuple[int, float]:
    """Order decisions: told, then told while there is budget, then held, by the instant of release."""
    if not isinstance(answer.decision, Held):
        return (0, 0)
    hold = answer.decision.hold
    return (1 if hold.free else 2, hold.until.timestamp())


# --- one node, one match ---


_IN_SHADOW = Suppressed(Suppression.SHADOW, "the rule is in shadow: it is tried, and tells nobody")


def _at_node(
    desks: Mapping[str, Desk],
    inhibit: Sequence[InhibitRule],
    around: Circumstances,
    visit: Visit,
    subject: Subject,
    now: datetime,
) -> Iterator[Answer]:
    match, node = subject.match, effective(visit.path)
    name = node.subscriber
    if name is None:
        detail = f"the route {node.title!r} and those above it name no subscriber"
        decision = Suppressed(Suppression.NO_ROUTE, detail)
        yield Answer(match=match, path=visit.path, decision=decision)
        return
    desk = desks.get(name, Desk())
    if not desk.paces:
        decision = Suppressed(Suppression.NO_TARGET, f"no target of {name} is switched on")
        yield Answer(match=match, path=visit.path, subscriber=name, decision=decision)
    for target_id, pace in desk.paces.items():
        about = Subject(subject.article, match, name, target_id)
        choice = around.choices.get(target_id)
        decided = (
            _unsubscribed(choice, pace.zone)
            or _silenced(around.silences, about, now, pace.zone)
            or _inhibited(inhibit, around.remembered, about, now, pace.zone)
            or _muted(node, now)
            or _paced(visit.path, node, _chosen(pace, node, choice), about, now)
        )
        yield Answer(
            match=match,
            path=visit.path,
            subscriber=name,
            target_id=target_id,
            decision=decided,
        )


def _unsubscribed(choice: Choice | None, zone: tzinfo) -> Suppressed | None:
    if choice is None or not choice.unsubscribed:
        return None
    since = f" on {choice.chosen_at.astimezone(zone):%Y-%m-%d}" if choice.chosen_at else ""
    return Suppressed(Suppression.UNSUBSCRIBED, f"the reader of {choice.target_id} left{since}")


def _chosen(pace: Pace, node: Route, choice: Choice | None) -> Pace:
    """Return the pace with what counts: chosen by the reader, asked for by the route, or configured for the target."""
    of_reader = chosen_schedule(choice) if choice else None
    least = node.break_through.severity if node.break_through else pace.break_through
    schedule = of_reader or node.schedule or pace.schedule
    if schedule is pace.schedule and least is pace.break_through:
        return pace
    return replace(pace, schedule=schedule, break_through=least)


def _silenced(
    silences: Sequence[Silence], subject: Subject, now: datetime, zone: tzinfo
) -> Suppressed | None:
    silence = silenced_by(silences, subject, now)
    if silence is None:
        return None
    comment = f": {silence.comment}" if silence.comment else ""
    until = to_the_minute(silence.ends_at, zone)
    said = f"silence {silence.id} of {silence.author} until {until}{comment}"
    return Suppressed(Suppression.SILENCED, said)


def _inhibited(
    rules: Sequence[InhibitRule],
    remembered: Mapping[str, datetime],
    subject: Subject,
    now: datetime,
    zone: tzinfo,
) -> Suppressed | None:
    found = inhibited_by(rules, remembered, subject, now)
    if found is None:
        return None
    until = to_the_minute(found.source_at + found.rule.window, zone)
    return Suppressed(Suppression.INHIBITED, f"{found.rule}, until {until}")


def _muted(node: Route, now: datetime) -> Suppressed | None:
    for interval in node.muted:
        if interval.contains(now):
            return Suppressed(Suppression.MUTED, f"the route is muted by {interval.name}")
    if node.active and not any(interval.contains(now) for interval in node.active):
        names = ", ".join(interval.name for interval in node.active)
        return Suppressed(Suppression.MUTED, f"the route is active only in {names}")
    return None


def _paced(path: Path, node: Route, pace: Pace, subject: Subject, now: datetime) -> Told | Held:
    """Decide when, of a match that is told in any case."""
    severity = subject.match.severity
    if pace.break_through and RANK[severity] >= RANK[pace.break_through]:
        return Told(f"{severity} breaks through")
    hold = _digest(pace, now) or _grouped(path, node, pace, subject, now)
    quiet_end = quiet_until(pace.quiet, hold.until if hold else now, pace.zone)
    if quiet_end:
        return Held(_until_loud(pace, quiet_end))
    surplus = _budget(pace, now)
    if hold and hold.reason is HoldReason.GROUP:
        hold = replace(hold, surplus=surplus)
    hold = hold or surplus
    return Held(hold) if hold else Told()


def _until_loud(pace: Pace, quiet_end: datetime) -> Hold:
    """Hold for the end of quiet hours: everything of them is one digest, whatever it would have waited for."""
    hours = ", ".join(map(str, pace.quiet))
    return Hold(
        group=f"quiet until {_utc(quiet_end)}",
        reason=HoldReason.QUIET_HOURS,
        until=quiet_end,
        detail=f"{hours} {pace.zone_name}",
    )


def _digest(pace: Pace, now: datetime) -> Hold | None:
    schedule = pace.schedule
    if isinstance(schedule, Immediate):
        return None
    until = next_digest(schedule, now, pace.zone)
    return Hold(
        group=f"digest at {_utc(until)}",
        reason=HoldReason.DIGEST,
        until=until,
        detail=f"{schedule} {pace.zone_name}",
    )


def _grouped(path: Path, node: Route, pace: Pace, subject: Subject, now: datetime) -> Hold | None:
    """Hold for a group, if the route asks for it; without a wait the first of a group is told at once."""
    wait, interval = node.group_wait or timedelta(), node.group_interval or timedelta()
    if not wait and not interval:
        return None
    by = node.group_by or ()
    names = (*_ALL, *sorted(subject.match.labels)) if EVERYTHING in by else by
    said = ", ".join(_in_common(name, subject) for name in by if name != EVERYTHING)
    return Hold(
        group=f"group {_group_key(path, names, subject)}",
        reason=HoldReason.GROUP,
        until=now + wait,
        interval=interval,
        closed=quiet_times(pace.quiet, now + wait, interval, pace.zone),
        detail=said or node.title,
    )


_ALL = ("article", "rule")
_UNSPOKEN = ("story", "article")  # ids that say nothing to a reader


def _in_common(name: str, subject: Subject) -> str:
    return f"same {name}" if name in _UNSPOKEN else f"{name} {subject.said(name) or 'unknown'}"


def _group_key(path: Path, names: Sequence[str], subject: Subject) -> str:
    route = "/".join(node.title for node in path)
    values = (f"{name}={subject.said(name)}" for name in names)
    return blake2b("\0".join((route, *values)).encode(), digest_size=8).hexdigest()


def _budget(pace: Pace, now: datetime) -> Hold | None:
    if pace.budget is None:
        return None
    hour_ends = next_hour(now, pace.zone)
    until = quiet_until(pace.quiet, hour_ends, pace.zone) or hour_ends
    return Hold(
        group=f"surplus until {_utc(until)}",
        reason=HoldReason.ALLOWANCE,
        until=until,
        free=pace.budget,
        detail=f"{pace.budget} an hour",
    )


def _utc(instant: datetime) -> str:
    """Write an instant as a part of the name of a group, the same whatever the clocks of the subscriber are."""
    return to_the_minute(instant, UTC)
