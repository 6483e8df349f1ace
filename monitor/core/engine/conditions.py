"""What a query may ask of an article besides its text."""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import assert_never
from urllib.parse import urlsplit

from monitor.core.model import Article
from monitor.core.query.expression import Attribute, Compare, Comparison, Condition, Has, Quantity
from monitor.core.text import AnalysedArticle

_COMPARE: Mapping[Comparison, Callable[[float, float], bool]] = {
    Comparison.LESS: operator.lt,
    Comparison.AT_MOST: operator.le,
    Comparison.MORE: operator.gt,
    Comparison.AT_LEAST: operator.ge,
}


def is_met(condition: Condition, article: AnalysedArticle, now: datetime) -> bool:
    """Tell whether an article meets a condition."""
    match condition:
        case Has():
            return _has(condition, article.article)
        case Compare(quantity=Quantity.WORDS):
            return _COMPARE[condition.comparison](article.word_count, condition.value)
        case Compare():
            return _COMPARE[condition.comparison](_age(article.article, now), condition.value)
        case _:
            assert_never(condition)


def _has(condition: Has, article: Article) -> bool:
    match condition.attribute:
        case Attribute.LANG:
            return _is_language(article.lang or "", condition.value)
        case Attribute.FEED:
            return article.feed_id.casefold() == condition.value
        case Attribute.SITE:
            return f".{_host(article.url)}".endswith(f".{condition.value}")
        case Attribute.COUNTRY:
            return (article.country or "").casefold() == condition.value
        case Attribute.CATEGORY:
            return " ".join((article.category or "").casefold().split()) == condition.value
        case _:
            assert_never(condition.attribute)


def _is_language(lang: str, wanted: str) -> bool:
    """Tell whether a language is the wanted one or a variety of it: `pt-BR` is `pt`."""
    return f"{lang.casefold().replace('_', '-')}-".startswith(f"{wanted}-")


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _age(article: Article, now: datetime) -> float:
    """Return the seconds since publication; a missing or future date hides no article, so it counts as now."""
    published = article.published_at or article.seen_at or now
    return max(0.0, (now - published).total_seconds())
