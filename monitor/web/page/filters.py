"""Which matches to show: what stands in the address of the view."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from monitor.core.engine import RuleSet
from monitor.core.model import Alert, Article, Match, Rule, Severity
from monitor.core.narrowing import EVERYTHING, Narrowing, all_of, narrow_to
from monitor.core.query.expression import Attribute
from monitor.core.render.view import AlertView, severity_of, view
from monitor.core.stories import story_of
from monitor.core.trial import Trial
from monitor.errors import QueryError

_ASKED = "?"  # the id of the query that is asked here; no rule is called so
_LONGEST = 2000
_RANK = tuple(Severity)
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is asked for. An empty text does not restrict; `severity` is the least one."""

    rule: str = ""
    feed: str = ""
    lang: str = ""
    severity: str = ""
    text: str = ""

    def address(self, **more: str) -> str:
        """Return it as it stands in an address."""
        given = {
            "rule": self.rule,
            "feed": self.feed,
            "lang": self.lang,
            "severity": self.severity,
            "q": self.text,
            **more,
        }
        return urlencode({name: value for name, value in given.items() if value})

    @property
    def any(self) -> bool:
        """Whether anything is asked for."""
        return self != Filters()


def filters_of(query: Mapping[str, str]) -> Filters:
    """Read filters from an address."""
    given = {name: query.get(name, "").strip()[:_LONGEST] for name in ("rule", "feed", "lang", "q")}
    severity = query.get("severity", "")
    return Filters(
        rule=given["rule"],
        feed=given["feed"],
        lang=given["lang"].casefold(),
        severity=severity if severity in set(Severity) else "",
        text=given["q"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A matched article, ready to be written."""

    article: Article
    view: AlertView
    story: str


@dataclass(frozen=True, slots=True)
class Sieve:
    """Filters, ready to be used; `error` says what is wrong with their text."""

    filters: Filters
    trial: Trial | None = None
    error: QueryError | None = None

    @property
    def narrowing(self) -> Narrowing:
        """What the archive has to look for."""
        asked = self.filters
        return all_of(
            narrow_to(Attribute.FEED, asked.feed.casefold()),
            narrow_to(Attribute.LANG, asked.lang.replace("_", "-")),
            self.trial.narrowing if self.trial else EVERYTHING,
        )

    def row(self, article: Article, matches: tuple[Match, ...]) -> Row | None:
        """Return what to show of an article; None if it was not asked for. Blocks while a text is looked for."""
        asked = self.filters
        kept = tuple(each for each in matches if asked.rule in {"", each.rule_id})
        if (
            not kept
            or (asked.feed and article.feed_id != asked.feed)
            or (asked.lang and (article.lang or "").casefold() != asked.lang)
            or (
                asked.severity
                and _RANK.index(severity_of(kept)) < _RANK.index(Severity(asked.severity))
            )
        ):
            return None
        found = self.trial.find(article) if self.trial else None
        if self.trial and not found:
            return None
        return row_of(article, matches, found)


def row_of(article: Article, matches: tuple[Match, ...], found: Match | None = None) -> Row:
    """Return what to show of an article, with what `found` marks besides."""
    marked = matches + ((found,) if found else ())
    at = article.seen_at or article.published_at or _ANY_TIME
    shown = view(Alert(subscriber="", article=article, matches=marked, created_at=at))
    rules = tuple(each for each in shown.rules if each.id != _ASKED)
    left_out = max(0, len(matches) - len(rules))
    severity = severity_of(matches)
    shown = replace(shown, rules=rules, rules_left_out=left_out, severity=severity)
    return Row(article=article, view=shown, story=story_of(article))


def sieve(filters: Filters, rules: RuleSet) -> Sieve:
    """Make filters usable, over the lists and entities of `rules`."""
    if not filters.text:
        return Sieve(filters)
    try:
        return Sieve(filters, Trial(Rule(id=_ASKED, query=filters.text), rules))
    except QueryError as error:
        return Sieve(replace(filters, text=""), error=error)
