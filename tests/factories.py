"""Records with sensible defaults, for tests that care about one or two fields."""

from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.core.model import (
    Alert,
    Article,
    Delivery,
    Feed,
    Match,
    MatchedArticle,
    Rule,
    Span,
)

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def feed(**changes: Any) -> Feed:
    defaults: dict[str, Any] = {
        "id": "example-world",
        "url": "http://news.example/rss",
        "name": "Example World",
        "every": timedelta(minutes=15),
    }
    return Feed(**defaults | changes)


def article(**changes: Any) -> Article:
    defaults: dict[str, Any] = {
        "id": "a1",
        "feed_id": "example-world",
        "feed_name": "Example World",
        "url": "http://news.example/2026/01/15/talks",
        "title": "Talks resume in Geneva",
        "summary": "Delegates returned to the table on Thursday.",
        "lang": "en",
        "published_at": NOW - timedelta(minutes=3),
        "seen_at": NOW,
        "fingerprint": "f1",
        "trace_id": "t1",
    }
    return Article(**defaults | changes)


def rule(**changes: Any) -> Rule:
    defaults: dict[str, Any] = {"id": "talks", "name": "Talks", "query": "talks", "version": "v1"}
    return Rule(**defaults | changes)


def match(**changes: Any) -> Match:
    defaults: dict[str, Any] = {
        "rule_id": "talks",
        "article_id": "a1",
        "rule_version": "v1",
        "rule_name": "Talks",
        "spans": (Span(field="title", start=0, end=5, text="Talks", part="talks"),),
    }
    return Match(**defaults | changes)


def matched(**changes: Any) -> MatchedArticle:
    defaults: dict[str, Any] = {"article": article(), "matches": (match(),)}
    return MatchedArticle(**defaults | changes)


def alert(**changes: Any) -> Alert:
    defaults: dict[str, Any] = {
        "subscriber": "desk",
        "article": article(),
        "matches": (match(),),
        "created_at": NOW,
    }
    return Alert(**defaults | changes)


def delivery(**changes: Any) -> Delivery:
    if "alert" in changes:
        changes["alerts"] = (changes.pop("alert"),)
    defaults: dict[str, Any] = {
        "id": "d1",
        "target_id": "desk/hook",
        "alerts": (alert(),),
        "attempts": 1,
        "created_at": NOW,
        "due_at": NOW,
    }
    return Delivery(**defaults | changes)
