"""What a query may ask of an article besides its text."""

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import assert_never
from urllib.parse import urlsplit

from monitor.core.model import Article
from monitor.core.query.expression import Attribute, Compare, Comparison, Condition, Has, Quantity
from monitor.core.text import AnalysedArticle

_LONGEST_TAG = 64
_LONGEST_HOST = 253
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


def attributes(article: Article) -> Iterator[Has]:
    """Yield every condition on an attribute that an article meets."""
    lang = _language(article)
    for length in (at for at, letter in enumerate(f"{lang}-") if letter == "-"):
        yield Has(Attribute.LANG, lang[:length])
    host = _host(article.url)
    for start in (at for at, letter in enumerate(f".{host}") if letter == "."):
        yield Has(Attribute.SITE, host[start:])
    for attribute in (Attribute.FEED, Attribute.COUNTRY, Attribute.CATEGORY):
        yield Has(attribute, _single(attribute, article))


def _has(condition: Has, article: Article) -> bool:
    match condition.attribute:
        case Attribute.LANG:
            return f"{_language(article)}-".startswith(f"{condition.value}-")
        case Attribute.SITE:
            return f".{_host(article.url)}".endswith(f".{condition.value}")
        case attribute:
            return _single(attribute, article) == condition.value


def _single(attribute: Attribute, article: Article) -> str:
    """Return an attribute that has one value, as conditions name it."""
    match attribute:
        case Attribute.FEED:
            return article.feed_id.casefold()
        case Attribute.COUNTRY:
            return (article.country or "").casefold()
        case _:
            return " ".join((article.category or "").casefold().split())


def _language(article: Article) -> str:
    """Return the language as conditions name it: `pt-BR`, a variety of `pt`, is `pt-br`."""
    lang = article.lang or ""
    return lang.casefold().replace("_", "-") if len(lang) <= _LONGEST_TAG else ""


def _host(url: str) -> str:
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""
    return host if len(host) <= _LONGEST_HOST else ""


def _age(article: Article, now: datetime) -> float:
    """Return the seconds since publication; a missing or future date hides no article, so it counts as now."""
    published = article.published_at or article.seen_at or now
    return max(0.0, (now - published).total_seconds())
