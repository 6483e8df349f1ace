"""Turns checked settings of routing into the records of the core. Nothing here can fail."""

from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from monitor.config.records import target_id
from monitor.config.routeschema import (
    InhibitSettings,
    MatchSettings,
    PaceSettings,
    QuietSettings,
    RouteSettings,
    SpanSettings,
    TimeIntervalSettings,
)
from monitor.config.subscriberschema import SubscriberSettings
from monitor.core.inhibition import InhibitRule
from monitor.core.intervals import Range, Span, TimeInterval
from monitor.core.matchers import Matcher, Matchers
from monitor.core.pace import EVERY_DAY, IMMEDIATE, Pace, Quiet
from monitor.core.routing import BreakThrough, Route
from monitor.core.telling import Desk

Intervals = Mapping[str, TimeInterval]


def desk(settings: SubscriberSettings) -> Desk:
    """Make the record of a subscriber with the pace of each target that is switched on."""
    zone = ZoneInfo(settings.timezone)
    return Desk(
        paces={
            target_id(settings.name, target): _pace((target, settings), zone)
            for target in settings.targets
            if settings.enabled and target.enabled
        }
    )


def _pace(settings: tuple[PaceSettings, ...], zone: ZoneInfo) -> Pace:
    """Make a pace of several settings, those before others that count first."""
    schedules = (each.schedule for each in settings if each.schedule)
    quiet = (each.quiet_hours for each in settings if each.quiet_hours is not None)
    least = (each.break_through for each in settings if each.break_through)
    budgets = (each.budget for each in settings if each.budget is not None)
    return Pace(
        schedule=next(schedules, IMMEDIATE),
        quiet=tuple(map(quiet_of, next(quiet, ()))),
        zone=zone,
        break_through=next(least, BreakThrough.CRITICAL).severity,
        budget=next(budgets, None),
    )


def quiet_of(settings: QuietSettings) -> Quiet:
    """Make a part of quiet hours."""
    days = frozenset().union(*settings.days) if settings.days else EVERY_DAY
    return Quiet(start=settings.start, end=settings.end, days=days)


def interval(settings: TimeIntervalSettings) -> TimeInterval:
    """Make a named time interval."""
    return TimeInterval(settings.name, tuple(map(_span, settings.time_intervals)))


def _span(settings: SpanSettings) -> Span:
    return Span(
        minutes=tuple(Range(each.start_time, each.end_time) for each in settings.times),
        weekdays=frozenset().union(*settings.weekdays),
        days_of_month=settings.days_of_month,
        months=settings.months,
        years=settings.years,
        zone=ZoneInfo(settings.location),
    )


def inhibit_rule(settings: InhibitSettings) -> InhibitRule:
    """Make an inhibition."""
    return InhibitRule(
        source=_joined(settings.source_matchers),
        target=_joined(settings.target_matchers),
        equal=settings.equal,
        window=settings.window,
        name=settings.name or "",
    )


def route(settings: RouteSettings, intervals: Intervals) -> Route:
    """Make a tree of routes; an interval that is not defined is left out, and was reported."""
    return Route(
        name=settings.name or "",
        subscriber=settings.subscriber,
        matchers=_matchers(settings.match or MatchSettings(), settings.matchers),
        continue_=settings.continue_,
        group_by=settings.group_by,
        group_wait=settings.group_wait,
        group_interval=settings.group_interval,
        schedule=settings.schedule,
        break_through=settings.break_through,
        muted=_named(settings.mute_time_intervals, intervals),
        active=_named(settings.active_time_intervals, intervals),
        routes=tuple(route(child, intervals) for child in settings.routes),
    )


def _named(names: Iterable[str], intervals: Intervals) -> tuple[TimeInterval, ...]:
    return tuple(intervals[name] for name in names if name in intervals)


def _matchers(settings: MatchSettings, texts: tuple[tuple[Matcher, ...], ...]) -> Matchers:
    return Matchers(
        rule=frozenset(settings.rule),
        severity=settings.severity,
        labels={name: frozenset(values) for name, values in settings.labels.items()},
        feed=frozenset(settings.feed),
        lang=frozenset(settings.lang),
        category=frozenset(settings.category),
        country=frozenset(settings.country),
        entity=frozenset(name.casefold() for name in settings.entity),
        texts=_joined(texts),
    )


def _joined(texts: tuple[tuple[Matcher, ...], ...]) -> tuple[Matcher, ...]:
    return tuple(matcher for text in texts for matcher in text)
