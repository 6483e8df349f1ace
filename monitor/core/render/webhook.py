"""An alert as the JSON of a webhook: a Standard Webhooks payload that is also a CloudEvent 1.0."""

from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

from monitor.core.model import Alert, Article, Delivery, Match, Severity, Span
from monitor.core.render.clean import whole
from monitor.core.render.view import severity_of

Json = dict[str, object]

TYPE = "monitor.alert.v1"
DIGEST_TYPE = "monitor.digest.v1"
ALERTS_LIMIT = 100
# A whole payload stays near the 20 kB that Standard Webhooks recommends; the article itself is one request away.
_TEXT_LIMIT = 2000
_SHORT_LIMIT = 500
_MATCHES_LIMIT = 50
_SPANS_LIMIT = 20
_LABELS_LIMIT = 20


def message_id(delivery: Delivery) -> str:
    """Return the id that a receiver sees on every attempt of this delivery."""
    return f"msg_{delivery.id}"


def payload(delivery: Delivery) -> Json:
    """Say the delivery as JSON values. Every attempt gets the same.

    Texts are as the article has them, not escaped for any display; offsets count characters of those texts. The
    body of the article is left out.
    """
    alert = delivery.alert
    created = _instant(alert.created_at)
    return {
        "specversion": "1.0",
        "id": message_id(delivery),
        "source": f"urn:monitor:feed:{quote(whole(alert.article.feed_id), safe='')}",
        "type": DIGEST_TYPE if delivery.is_digest else TYPE,
        "time": created,
        "timestamp": created,
        "datacontenttype": "application/json",
        "data": {
            "target": whole(delivery.target_id),
            "subscriber": whole(alert.subscriber),
            **({"seq": delivery.seq} if delivery.seq else {}),
            **(_digest(delivery) if delivery.is_digest else _alert(alert)),
        },
    }


def _digest(delivery: Delivery) -> Json:
    """Say several alerts, the newest first, and why they come together."""
    alerts = delivery.alerts[::-1]
    return {
        "severity": severity_of(match for alert in alerts for match in alert.matches).value,
        "because": delivery.because.value if delivery.because else None,
        "because_of": _short(delivery.because_of),
        "alerts": [
            {"time": _instant(alert.created_at), **_alert(alert)} for alert in alerts[:ALERTS_LIMIT]
        ],
        "alerts_left_out": max(0, len(alerts) - ALERTS_LIMIT),
    }


def _alert(alert: Alert) -> Json:
    return {
        "severity": severity_of(alert.matches).value,
        "article": _article(alert.article),
        "matches": [_match(match) for match in alert.matches[:_MATCHES_LIMIT]],
        "matches_left_out": max(0, len(alert.matches) - _MATCHES_LIMIT),
    }


def _article(article: Article) -> Json:
    return {
        "id": whole(article.id),
        "kind": article.kind.value,
        "feed": whole(article.feed_id),
        "feed_name": _short(article.feed_name),
        "url": whole(article.url) if len(article.url) <= _TEXT_LIMIT else "",
        "title": whole(article.title[:_TEXT_LIMIT]),
        **({"was_title": whole(article.was_title[:_TEXT_LIMIT])} if article.was_title else {}),
        "summary": whole(article.summary[:_TEXT_LIMIT]),
        "author": _short(article.author),
        "lang": _short(article.lang or "") or None,
        "country": _short(article.country or "") or None,
        "category": _short(article.category or "") or None,
        "tags": [_short(tag) for tag in article.tags[:_LABELS_LIMIT]],
        "published_at": article.published_at and _instant(article.published_at),
        "seen_at": article.seen_at and _instant(article.seen_at),
        "trace_id": whole(article.trace_id),
    }


def _match(match: Match) -> Json:
    return {
        "rule": whole(match.rule_id),
        "rule_name": _short(match.rule_name),
        "rule_version": whole(match.rule_version),
        "severity": Severity(match.severity).value,
        "labels": {
            _short(name): _short(value)
            for name, value in sorted(match.labels.items())[:_LABELS_LIMIT]
        },
        "score": match.score,
        "spans": [_span(span) for span in match.spans[:_SPANS_LIMIT]],
        "spans_left_out": max(0, len(match.spans) - _SPANS_LIMIT),
    }


def _span(span: Span) -> Json:
    return {
        "field": str(span.field),
        "start": span.start,
        "end": span.end,
        "text": _short(span.text),
        "part": _short(span.part),
    }


def _short(text: str) -> str:
    short = text if len(text) <= _SHORT_LIMIT else text[:_SHORT_LIMIT]
    return short if short.isascii() else whole(short)


def _instant(at: datetime) -> str:
    """Write an instant as RFC 3339 does; the standard library takes six times as long."""
    said: str = msgspec.to_builtins(at if at.tzinfo is UTC else at.astimezone(UTC))
    return said
