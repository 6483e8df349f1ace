"""A query asked of what was seen, before it alerts anyone."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from monitor.core.chapter import Kept
from monitor.core.engine import Explanation, RuleSet
from monitor.core.model import Article, Match, Rule
from monitor.core.narrowing import Narrowing, narrow
from monitor.core.stories import story_of

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class Trial:
    """One rule, asked alone, over the lists, entities and rules of a set. `narrowing` is for the archive."""

    def __init__(self, rule: Rule, rules: RuleSet) -> None:
        """Compile the rule; raise `QueryError` if it cannot be used."""
        self.rule = rule
        self._rules, expression, bindings = rules.alone(replace(rule, expires_at=None))
        self.narrowing: Narrowing = narrow(expression, bindings)

    def find(self, article: Article) -> Match | None:
        """Return the match as it would have been when the article came, if there is one."""
        at = article.seen_at or article.published_at or _ANY_TIME
        return next(iter(self._rules.match(article, at)), None)

    def explain(self, article: Article) -> Explanation:
        """Return why the rule finds an article or does not."""
        at = article.seen_at or article.published_at or _ANY_TIME
        return self._rules.explain(self.rule.id, article, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An archived article that a trial finds; `told` says whether its rule found it when it came."""

    kept: Kept
    match: Match
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTally:
    """What a rule would have found in a day, in UTC."""

    day: date
    articles: int
    stories: int


@dataclass(slots=True)
class Tally:
    """Counts what a trial finds, article by article, in any order. An edit counts with its article.

    An alert tells of an article once, so that `articles` is also how many alerts a subscriber would have had, and
    `stories` how many if those of one headline were told as one.
    """

    _articles: dict[str, date] = field(default_factory=dict)
    _stories: dict[tuple[date, str], None] = field(default_factory=dict)

    def add(self, article: Article) -> None:
        """Count an article."""
        day = (article.seen_at or _ANY_TIME).astimezone(UTC).date()
        before = self._articles.get(article.id)
        if before is None or day < before:
            self._articles[article.id] = day
        self._stories[day, story_of(article)] = None

    @property
    def articles(self) -> int:
        """How many articles were found."""
        return len(self._articles)

    @property
    def stories(self) -> int:
        """How many stories they tell; one that goes on for days counts once."""
        return len({story for _, story in self._stories})

    def days(self, every: Iterable[date] = ()) -> tuple[DayTally, ...]:
        """Return the days on which something was found, and those in `every`, oldest first."""
        articles = Counter(self._articles.values())
        stories = Counter(day for day, _ in self._stories)
        return tuple(
            DayTally(day=day, articles=articles[day], stories=stories[day])
            for day in sorted({*every, *articles, *stories})
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What one query finds and another does not: article ids, with the newest version of each."""

    gained: Mapping[str, Article]
    lost: Mapping[str, Article]
