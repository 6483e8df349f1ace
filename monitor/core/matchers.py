"""What a route asks of a match and of the article it was found in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.core.model import Article, Match, Severity

_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Matchers:
    """Conditions that must all hold; an empty one asks nothing.

    A set holds when the value is in it, `severity` when the match is at least that severe, and `labels` when the
    match has every one of these labels with one of the values. Values in the sets are lower case; `lang` takes in
    regional forms: `en` accepts `en-GB`.
    """

    rule: frozenset[str] = frozenset()
    severity: Severity = Severity.INFO
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    feed: frozenset[str] = frozenset()
    lang: frozenset[str] = frozenset()
    category: frozenset[str] = frozenset()
    country: frozenset[str] = frozenset()

    def accept(self, article: Article, match: Match) -> bool:
        """Tell whether the match, found in this article, meets every condition."""
        return (
            _RANK[match.severity] >= _RANK[self.severity]
            and _one_of(self.rule, match.rule_id)
            and _one_of(self.feed, article.feed_id)
            and _one_of(self.category, article.category)
            and _one_of(self.country, article.country)
            and _speaks(self.lang, article.lang)
            and all(match.labels.get(name) in values for name, values in self.labels.items())
        )


ANYTHING = Matchers()


def _one_of(wanted: frozenset[str], value: str | None) -> bool:
    return not wanted or (value is not None and value.casefold() in wanted)


def _speaks(wanted: frozenset[str], lang: str | None) -> bool:
    return _one_of(wanted, lang) or _one_of(wanted, lang and lang.partition("-")[0])
