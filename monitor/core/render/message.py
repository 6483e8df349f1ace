"""What one message says: an alert, or in a digest several, by story."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from monitor.core.links import NO_LINKS, Links
from monitor.core.model import Alert, Delivery, Severity
from monitor.core.outcome import HoldReason
from monitor.core.render.clean import line
from monitor.core.render.view import AlertView, view
from monitor.core.stories import story_of
from monitor.core.wording import counted

STORIES_SHOWN = 50
_SOURCES_SHOWN = 5
_REASON_LIMIT = 160
_RANK = tuple(Severity)
# Why several are told at once, or one later than it was found.
_BECAUSE = {
    HoldReason.GROUP: "gathered by the route",
    HoldReason.DIGEST: "your digest",
    HoldReason.QUIET_HOURS: "held over your quiet hours",
    HoldReason.ALLOWANCE: "more than you want in an hour",
    HoldReason.CATCH_UP: "could not be sent earlier",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an operator's template made; a part that is empty is ours to write."""

    subject: str = ""
    text: str = ""
    body: str = ""


NO_PARTS = Parts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A delivery, ready to be put in a format.

    `stories` are the gravest first, one alert for each; those beyond `STORIES_SHOWN` are counted in `left_out`.
    `count` is how many alerts there are in all. `because` says why they come together or late, and is empty for one
    that is told at once. `target` and `number` name the delivery for people: the how manieth it is for this target.
    `failed` says what is wrong with a template that could not be used.
    """

    id: str
    target: str
    subscriber: str
    stories: tuple[AlertView, ...]
    left_out: int
    count: int
    because: str
    number: int
    links: Links = NO_LINKS
    parts: Parts = NO_PARTS
    failed: str = ""

    @property
    def first(self) -> AlertView:
        """The only alert, or the gravest."""
        return self.stories[0]

    @property
    def is_digest(self) -> bool:
        """Whether several alerts are told."""
        return self.count > 1

    @property
    def severity(self) -> Severity:
        """The gravest there is."""
        return self.first.severity

    @property
    def heading(self) -> str:
        """The headline, or how many there are."""
        if not self.is_digest:
            return self.first.heading
        stories = len(self.stories) + self.left_out
        return f"{self.count} alerts" + (
            f" on {counted(stories, 'story', 'stories')}" if stories < self.count else ""
        )


def message(delivery: Delivery, links: Links = NO_LINKS, zone: tzinfo = UTC) -> Message:
    """Choose what to show of a delivery to a reader whose clocks are in `zone`."""
    stories: dict[str, list[Alert]] = {}
    for alert in delivery.alerts:
        stories.setdefault(story_of(alert.article), []).append(alert)
    told = sorted(stories.values(), key=_gravity, reverse=True)
    return Message(
        id=delivery.id,
        target=line(delivery.target_id, _REASON_LIMIT),
        subscriber=line(delivery.alert.subscriber, _REASON_LIMIT),
        stories=tuple(_story(alerts, zone) for alerts in told[:STORIES_SHOWN]),
        left_out=max(0, len(told) - STORIES_SHOWN),
        count=len(delivery.alerts),
        because=_because(delivery),
        number=delivery.seq,
        links=links,
    )


def _story(alerts: Sequence[Alert], zone: tzinfo) -> AlertView:
    """Show the alert that speaks for its story, and name where else it stood."""
    lead = max(alerts, key=lambda alert: _gravity((alert,)))
    shown = view(lead, zone)
    others = [view(alert).source for alert in alerts[:STORIES_SHOWN] if alert is not lead]
    return replace(
        shown,
        also=tuple(name for name in dict.fromkeys(others) if name and name != shown.source)[
            :_SOURCES_SHOWN
        ],
    )


def _gravity(alerts: Sequence[Alert]) -> int:
    return max((_RANK.index(m.severity) for alert in alerts for m in alert.matches), default=0)


def _because(delivery: Delivery) -> str:
    if delivery.because is None:
        return ""
    said, detail = _BECAUSE[delivery.because], line(delivery.because_of, _REASON_LIMIT)
    return f"{said} ({detail})" if detail else said
