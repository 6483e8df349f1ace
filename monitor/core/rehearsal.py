"""How many alerts a rule would have made, by the routes and paces in force, over articles of the past."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from monitor.core.holding import Hold
from monitor.core.model import Article, Match, MatchedArticle, Rule
from monitor.core.telling import Circumstances, RoutingTable, answers, messages

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING_ELSE = Circumstances()


@dataclass(slots=True)
class Rehearsal:
    """Takes what a rule finds, in any order. Silences, readers' choices and inhibition by others are left out.

    An article counts when it came first: an edit is not told again. With a `rule`, matches are routed as if its own.
    """

    table: RoutingTable
    rule: Rule | None = None
    _told: dict[str, tuple[datetime, tuple[tuple[str, Hold | None], ...]]] = field(
        default_factory=dict
    )

    def add(self, article: Article, match: Match) -> None:
        """Route a match as it would have been routed when its article was seen."""
        at = article.seen_at or _ANY_TIME
        known = self._told.get(article.id)
        if known and known[0] <= at:
            return
        rule = self.rule
        if rule:
            match = replace(match, rule_id=rule.id, severity=rule.severity, labels=rule.labels)
        matched = MatchedArticle(article=article, matches=(match,))
        aloud = replace(
            self.table, shadow=frozenset()
        )  # what a rule in shadow would tell is the question
        given = tuple(answers(aloud, _NOTHING_ELSE, matched, at))
        self._told[article.id] = (at, tuple((one.target_id, one.hold) for one in messages(given)))

    @property
    def alerts(self) -> int:
        """How many messages there would have been, to all targets together; a digest is one."""
        releases: dict[tuple[str, str], datetime] = {}
        used: dict[tuple[str, str], int] = {}
        count = 0
        for at, told in sorted(self._told.values(), key=lambda each: each[0]):
            for target_id, hold in told:
                if hold is None:
                    count += 1
                    continue
                key = (target_id, hold.group)
                used[key] = used.get(key, 0) + 1
                count += used[key] <= hold.free or _opens(releases, key, hold, at)
        return count


def _opens(
    releases: dict[tuple[str, str], datetime], key: tuple[str, str], hold: Hold, at: datetime
) -> bool:
    """Tell whether what is held waits for a message of its own, and not for one that others wait for."""
    before = releases.get(key)
    if before is not None and at <= before:
        return False
    releases[key] = max(hold.until, before + hold.interval) if before else hold.until
    return True
