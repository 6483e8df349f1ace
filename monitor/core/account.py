"""The whole story of an article in order: seen, found or not, decided, sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from monitor.core.chapter import Decided, Decision, Kept
from monitor.core.localtime import to_the_second
from monitor.core.model import Article, ArticleKind, Attempt, Delivery, DeliveryState, Match
from monitor.core.outcome import Suppression

_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, when, in words. `depth` says how far it is a part of what stands before it."""

    at: datetime | None
    said: str
    depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A delivery with its attempts; the clocks of its reader are in `zone`."""

    delivery: Delivery
    attempts: Sequence[Attempt]
    zone: tzinfo = UTC


def account(
    versions: Sequence[Kept], decided: Sequence[Decided], sent: Sequence[Sent]
) -> tuple[Event, ...]:
    """Tell what is known of an article, oldest first; what belongs to something stands below it.

    What is said of one subscriber tells the time by the clocks there, everything else in UTC.
    """
    told = {each.delivery.id: each for each in sent}
    blocks = [_seen(kept) for kept in versions]
    for each in decided:
        blocks += [_decision(each.at, decision, told) for decision in each.decisions]
    mentioned = {decision.delivery_id for each in decided for decision in each.decisions}
    blocks += [_delivery(each) for id_, each in told.items() if id_ not in mentioned]
    # A block stays together, in the place of its first event; what happened at once keeps its order.
    blocks.sort(key=lambda block: block[0].at or _LAST)
    return tuple(event for block in blocks for event in block)


def _seen(kept: Kept) -> list[Event]:
    article = kept.article
    what = "edit seen" if article.kind is ArticleKind.EDITED else "seen"
    published = (
        f", published {to_the_second(article.published_at, UTC)}" if article.published_at else ""
    )
    source = f"in {article.feed_name or article.feed_id}"
    seen = Event(at=article.seen_at, said=f"{what} {source}{published}, poll {article.trace_id}")
    if kept.suppressed:
        why = f"alerts nobody: {kept.suppressed}, {WORDS[kept.suppressed]}"
        return [seen, Event(at=article.seen_at, said=why, depth=1)]
    if not kept.matches:
        why = f"alerts nobody: {Suppression.NO_RULE}, {WORDS[Suppression.NO_RULE]}"
        return [seen, Event(at=article.seen_at, said=why, depth=1)]
    return [seen, *(_matched(article, match) for match in kept.matches)]


def _matched(article: Article, match: Match) -> Event:
    words = ", ".join(dict.fromkeys(f"“{span.text}”" for span in match.spans))
    score = f", score {match.score}" if match.score is not None else ""
    name = match.rule_name or match.rule_id
    said = f"found by {name} ({match.rule_id}, {match.severity}){score}: {words}"
    return Event(at=article.seen_at, said=said, depth=1)


def _decision(at: datetime, decision: Decision, sent: dict[str, Sent]) -> list[Event]:
    rules = ", ".join(decision.rule_ids)
    whom = decision.target_id or decision.subscriber
    to = f" to {whom}" if whom else ""
    by = f" by the route {decision.route}" if decision.route else ""
    detail = f": {decision.detail}" if decision.detail else ""
    if decision.suppressed:
        why = decision.detail or WORDS[decision.suppressed]
        said = f"{rules}: not told{to}{by}, {decision.suppressed}: {why}"
        return [Event(at=at, said=said)]
    held = f"held, {decision.held}{detail}" if decision.held else f"told at once{detail}"
    events = [Event(at=at, said=f"{rules}: routed{to}, {held}")]
    found = sent.get(decision.delivery_id)
    if found is None:
        gone = f"delivery {decision.delivery_id} is past its retention"
        return [*events, Event(at=None, said=gone, depth=1)]
    return [*events, *(_deeper(event) for event in _delivery(found))]


def _delivery(sent: Sent) -> list[Event]:
    delivery = sent.delivery
    head = f"delivery {delivery.id} to {delivery.target_id}"
    digest = f", a digest of {len(delivery.alerts)}" if delivery.is_digest else ""
    events = [Event(at=delivery.created_at, said=f"{head}{digest}")]
    events += [_attempt(each) for each in sent.attempts]
    return [*events, Event(at=None, said=_state(delivery, sent.zone), depth=1)]


def _attempt(attempt: Attempt) -> Event:
    ms = round(attempt.duration.total_seconds() * 1000)
    status = f" {attempt.status}" if attempt.status else ""
    why = f", {attempt.reason}: {attempt.detail}" if attempt.reason else ""
    said = f"try {attempt.number}: {attempt.verdict}{status} in {ms} ms{why}"
    return Event(at=attempt.started_at, said=said, depth=1)


def _state(delivery: Delivery, zone: tzinfo) -> str:
    why = f", {delivery.reason}: {delivery.detail}" if delivery.reason else ""
    due = to_the_second(delivery.due_at, zone)
    match delivery.state:
        case DeliveryState.RETRY | DeliveryState.PENDING:
            return f"now {delivery.state}{why}, next try {due}"
        case DeliveryState.HELD:
            return f"now held ({delivery.because}), until {due}"
        case DeliveryState.FOLDED:
            return f"told in the digest {delivery.detail}"
        case _:
            return f"now {delivery.state}{why}"


def _deeper(event: Event) -> Event:
    return Event(at=event.at, said=event.said, depth=event.depth + 1)


WORDS = {
    Suppression.BASELINE: "it stood in the first document of its feed",
    Suppression.LATE: "it is older than everything known and slid back into the feed",
    Suppression.NO_RULE: "no rule finds it",
    Suppression.SHADOW: "the rule is in shadow: it is tried, and tells nobody",
    Suppression.NO_ROUTE: "no route leads anywhere",
    Suppression.SILENCED: "a silence keeps it back",
    Suppression.INHIBITED: "another match said more, not long before",
    Suppression.MUTED: "the route tells nobody at this time",
    Suppression.UNSUBSCRIBED: "the reader wants no more",
    Suppression.NO_TARGET: "no target of the subscriber is switched on",
    Suppression.ALREADY_TOLD: "it was told of this article for this rule before",
    Suppression.OLD_EDIT: "it is an edit of an article older than the memory of who was told",
}
