"""What the monitor says of itself: alerts like any other, so that every channel can carry them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import sha1

from monitor.core.breaker import HEALTHY, TargetHealth
from monitor.core.burst import Burst
from monitor.core.localtime import written
from monitor.core.model import Alert, Article, Delivery, Feed, Match, Severity
from monitor.core.moves import plain_address
from monitor.core.routing import take
from monitor.core.targets import Target
from monitor.core.telling import RoutingTable

_LEAST_SAID = 0.05
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
FEED = "monitor"
TARGET_DISABLED = f"{FEED}.target-disabled"
RULE_BURST = f"{FEED}.rule-burst"
BURST_OF = "burst_of"
"""The label of a burst that names the rule which has it."""
_OF_FEEDS = ("feed-gone", "feed-failing", "feed-silent", "feed-same", "feed-well")
OWN_SEVERITIES = {
    TARGET_DISABLED: Severity.CRITICAL,
    RULE_BURST: Severity.WARNING,
    **{f"{FEED}.{what}": Severity.WARNING for what in _OF_FEEDS},
}
OWN_RULES = frozenset(OWN_SEVERITIES)
"""The rules that find what the monitor writes itself. Routes may name them; nobody else may use the names."""


OWN_LABELS = frozenset({BURST_OF})


def is_our_own(name: str) -> bool:
    """Tell whether an id is one of those under which the monitor itself speaks."""
    return name == FEED or name.startswith(f"{FEED}.")


def target_disabled(
    subscriber: str, target_id: str, health: TargetHealth, now: datetime, zone: tzinfo = UTC
) -> Alert:
    """Return the alert that a target was switched off; the same whoever finds it out first.

    Whoever reads it has clocks in `zone`.
    """
    since = health.gone_at or health.failing_since or now
    article = Article(
        id=f"{FEED}:disabled:{target_id}:{since.isoformat()}",
        feed_id=FEED,
        feed_name="Monitor",
        title=f"{target_id} is switched off",
        summary=(
            f"Nothing has arrived there since {written(since.astimezone(zone))}: {health.reason}, {health.detail}."
            f" Alerts wait. When it works again: monitor targets enable {target_id}"
        ),
        lang="en",
        published_at=now,
        seen_at=now,
    )
    match = Match(
        rule_id=TARGET_DISABLED,
        article_id=article.id,
        rule_name="Target switched off",
        severity=OWN_SEVERITIES[TARGET_DISABLED],
    )
    return Alert(subscriber=subscriber, article=article, matches=(match,), created_at=now)


def told_elsewhere(
    target: Target, targets: Sequence[Target], table: RoutingTable
) -> tuple[str, ...]:
    """Return by which targets it is told that this one was switched off: the others of its subscriber.

    Where there are none, those of whomever the routes lead the rule `monitor.target-disabled` to.
    """
    others = [each for each in targets if each.id != target.id]
    same = tuple(each.id for each in others if each.subscriber == target.subscriber)
    if same:
        return same
    alert = target_disabled(target.subscriber, target.id, HEALTHY, _ANY_TIME)
    [match] = alert.matches
    operators = {visit.subscriber for visit in take(table.tree, alert.article, match)}
    return tuple(each.id for each in others if each.subscriber in operators)


def feed_notice(feed: Feed, what: str, title: str, text: str, now: datetime) -> Article:
    """Return an article of our own about a feed: found by the reserved rule `monitor.WHAT`, and routed as any other."""
    return Article(
        id=f"{FEED}:{what}:{feed.id}:{now.isoformat()}",
        feed_id=FEED,
        feed_name="Monitor",
        url=plain_address(feed.url),
        title=f"{feed.name} {title}",
        summary=text,
        lang="en",
        tags=(f"{FEED}.{what}",),
        published_at=now,
        seen_at=now,
        fingerprint=what,
    )


def rule_burst(match: Match, burst: Burst, now: datetime) -> Article:
    """Return an article of our own that a rule finds far more than usual: one for each rule and slot."""
    minutes = burst.lasts // timedelta(minutes=1)
    usual = f"about {burst.usual:.1f}" if burst.usual >= _LEAST_SAID else "next to none"
    return Article(
        id=f"{FEED}:rule-burst:{match.rule_id}:{burst.slot}",
        feed_id=FEED,
        feed_name="Monitor",
        title=(
            f"{match.rule_name or match.rule_id}: {burst.stories} stories from {burst.sources} sources"
            f" in {minutes} minutes"
        ),
        summary=(
            f"Usual at this time of day: {usual}. The stories themselves are told as ever, and this once in six hours."
            f" To be told no more of it: monitor silence add rule={RULE_BURST} {BURST_OF}={match.rule_id}"
        ),
        lang="en",
        tags=(RULE_BURST, match.rule_id),
        published_at=now,
        seen_at=now,
        fingerprint="rule-burst",
    )


def own_matches(article: Article) -> tuple[Match, ...] | None:
    """Return the match of an article that the monitor wrote itself; None for an article of a publisher."""
    if article.feed_id == FEED:
        rule_id = article.tags[0]
    elif article.feed_id.startswith(f"{FEED}."):
        rule_id = article.feed_id
    else:
        return None
    is_burst = rule_id == RULE_BURST
    match = Match(
        rule_id=rule_id,
        article_id=article.id,
        rule_name="Bursts" if is_burst else "Feeds",
        severity=Severity.WARNING,
        labels={BURST_OF: article.tags[1]} if is_burst else {},
    )
    return (match,)


def target_test(target: Target, now: datetime) -> Delivery:
    """Return a delivery that says of itself that it is a test, unlike any other in its id."""
    article = Article(
        id=f"{FEED}:test:{target.id}:{now.isoformat()}",
        feed_id=FEED,
        feed_name="Monitor",
        title=f"Test: alerts for {target.id} arrive here",
        summary="Somebody ran `monitor targets test`. Nothing has happened, and nothing is to be done.",
        lang="en",
        published_at=now,
        seen_at=now,
    )
    match = Match(rule_id=f"{FEED}.test", article_id=article.id, rule_name="Test")
    alert = Alert(subscriber=target.subscriber, article=article, matches=(match,), created_at=now)
    return Delivery(
        id=sha1(article.id.encode(), usedforsecurity=False).hexdigest()[:26],
        target_id=target.id,
        alerts=(alert,),
        attempts=1,
        created_at=now,
        due_at=now,
    )
