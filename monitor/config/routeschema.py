"""Who is told, and when: what routing reads of `subscribers.yaml`, in Alertmanager's words where it has them."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from monitor.config.section import Section
from monitor.config.timevalues import quiet_text
from monitor.config.types import (
    Clock,
    DaysOfMonth,
    Duration,
    GroupBy,
    Id,
    Many,
    MatcherText,
    Months,
    Names,
    OneOrMany,
    ScheduleText,
    Text,
    Weekdays,
    Years,
    Zone,
    between,
    lasting,
)
from monitor.config.values import WrongValueError
from monitor.core.localtime import clock
from monitor.core.model import Severity
from monitor.core.routing import BreakThrough


class QuietSettings(Section):
    """Hours in which nobody is told; a text such as `22:00-07:00` is `from` and `to`."""

    start: Clock = Field(alias="from")
    """When they begin, on local clocks."""
    end: Clock = Field(alias="to")
    """When they end; on the next day, if that is not later."""
    days: OneOrMany[Weekdays] = ()
    """The days on which they begin, such as `monday:friday`. None: every day."""

    @model_validator(mode="after")
    def _takes_time(self) -> "QuietSettings":
        if self.start == self.end:
            raise WrongValueError(
                f"quiet hours from {clock(self.start)} to {clock(self.end)} never begin",
                "write 00:00-24:00 for a whole day",
                "to",
            )
        return self


Quiet = Annotated[
    QuietSettings,
    BeforeValidator(quiet_text, json_schema_input_type=str | QuietSettings),
]


class PaceSettings(Section):
    """How a subscriber, or one target of it, wants to be told."""

    schedule: ScheduleText | None = None
    """`immediate`, `hourly` or `daily at 08:00, 18:00`: in digests, at local times. None: immediate."""
    quiet_hours: OneOrMany[Quiet] | None = None
    """When alerts are held, to be told in one digest when the hours end."""
    break_through: BreakThrough | None = Field(default=None, strict=False)
    """What is told at once all the same, at least so severe; `never`: nothing. None: critical."""
    budget: Annotated[int, between(1, 10_000)] | None = None
    """How many alerts a target is told at once in an hour; the surplus is told in a digest when the hour ends."""


class MatchSettings(Section):
    """Conditions that must all hold. A list holds when one of its values does."""

    rule: OneOrMany[Id] = ()
    """The id of the rule."""
    severity: Severity = Field(default=Severity.INFO, strict=False)
    """The match is at least this severe."""
    labels: dict[Id, OneOrMany[Text]] = {}
    """The labels of the rule."""
    feed: OneOrMany[Id] = ()
    """The id of the feed."""
    lang: Names = ()
    """The language of the article; `en` takes in `en-GB`."""
    category: Names = ()
    """The category of the feed."""
    country: Names = ()
    """The country of the feed."""
    entity: OneOrMany[Text] = ()
    """An entity that the rule asks for and the article names, as the rule writes it."""


class RouteSettings(Section):
    """A node of the tree. A match goes to the first child that accepts it; if none does, the node takes it itself.

    Children have the subscriber, grouping, schedule and `break_through` of their parent, if they say nothing else.
    """

    ELSEWHERE: ClassVar = {
        "receiver": "write subscriber",
        "match_re": 'write matchers, such as rule=~"un-.*"',
        "repeat_interval": "leave it out: news does not keep firing, so nothing is repeated",
    }

    name: Text | None = None
    """For people."""
    match: MatchSettings | None = None
    """What the match must meet. The root has none: it takes every match."""
    matchers: OneOrMany[MatcherText] = ()
    """More of what the match must meet, as Alertmanager writes it: `severity!=info`, `rule=~"un-.*"`."""
    subscriber: Id | None = None
    """Who is told; without it, whom the parent tells."""
    continue_: bool = Field(default=False, alias="continue")
    """Whether the routes after this one see the match too."""
    group_by: OneOrMany[GroupBy] | None = None
    """What alerts have in common that are told together: `story`, `rule`, `feed`, a label …; `...` is everything."""
    group_wait: Annotated[Duration, lasting("0s", "1h")] | None = None
    """How long the first alert of a group waits for others. None at the root: not at all."""
    group_interval: Annotated[Duration, lasting("0s", "1d")] | None = None
    """The least time between two messages of a group. None at the root: none."""
    schedule: ScheduleText | None = None
    """As for a subscriber, and before it."""
    break_through: BreakThrough | None = Field(default=None, strict=False)
    """As for a subscriber, and before it."""
    mute_time_intervals: OneOrMany[Text] = ()
    """Names of times in which this route tells nobody: what it takes then is counted, and not told later."""
    active_time_intervals: OneOrMany[Text] = ()
    """Names of times outside of which it tells nobody."""
    routes: Many["RouteSettings"] = ()
    """The children, in order."""


class SpanSettings(Section):
    """Times at which everything holds that is given here."""

    times: Many["TimesSettings"] = ()
    """Hours of the day."""
    weekdays: OneOrMany[Weekdays] = ()
    """Days of the week: `monday`, `monday:friday`."""
    days_of_month: OneOrMany[DaysOfMonth] = ()
    """Days of the month: `1`, `1:5`, `-1` (the last)."""
    months: OneOrMany[Months] = ()
    """Months: `december`, `1:3`."""
    years: OneOrMany[Years] = ()
    """Years: `2026`, `2026:2028`."""
    location: Zone = "UTC"
    """Where the clocks are that show these times."""


class TimesSettings(Section):
    """Hours of a day."""

    start_time: Clock
    """When they begin."""
    end_time: Clock
    """When they end, at latest at 24:00."""

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> "TimesSettings":
        if self.start_time >= self.end_time:
            raise WrongValueError(
                f"{clock(self.start_time)} to {clock(self.end_time)} ends before it begins",
                "for a night write two: until 24:00, and from 00:00",
                "end_time",
            )
        return self


class TimeIntervalSettings(Section):
    """Times with a name."""

    name: Text
    """Stands in routes."""
    time_intervals: Many[SpanSettings]
    """The times: those of any of these."""


class InhibitSettings(Section):
    """Matches that keep others back for a time, because they say more."""

    name: Text | None = None
    """For people: it stands in the log when it keeps something back."""
    source_matchers: OneOrMany[MatcherText]
    """What a match meets that keeps others back."""
    target_matchers: OneOrMany[MatcherText]
    """What a match meets that is kept back."""
    equal: OneOrMany[GroupBy] = ()
    """What both must have in common: `story`, `feed`, a label …"""
    window: Annotated[Duration, lasting("1s", "7d")] = timedelta(hours=1)
    """For how long a source keeps others back: news does not resolve, so something has to end it."""

    ELSEWHERE: ClassVar = {
        "source_match": "write source_matchers",
        "source_match_re": "write source_matchers",
        "target_match": "write target_matchers",
        "target_match_re": "write target_matchers",
    }
