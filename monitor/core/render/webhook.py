"""An alert as the JSON of a webhook: a Standard Webhooks payload that is also a CloudEvent 1.0."""

from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

import msgspec

from monitor.core.model import Alert, Article, Delivery, Match, Span
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
_SOURCES_KNOWN = 1024


def message_id(delivery: Delivery) -> str:
    """Return the id that a receiver sees on every attempt of this delivery."""
    return f"msg_{delivery.id}"


def payload(delivery: Delivery) -> bytes:
    """Say the delivery as JSON. Every attempt gets the same.

    Texts are as the article has them, not escaped for any display; offsets count characters of those texts. The
    body of the article is left out.
    """
    said = _event(delivery)
    try:
        return msgspec.json.encode(said)
    except UnicodeEncodeError:
        return msgspec.json.encode(_mended(said))


def _mended(said: object) -> object:
    """Replace lone surrogates, which no encoding can carry, in all texts."""
    match said:
        case str():
            return whole(said)
        case list():
            return [_mended(each) for each in said]
        case dict():
            return {whole(name): _mended(each) for name, each in said.items()}
        case _:
            return said


def _event(delivery: Delivery) -> Json:
    alert = delivery.alert
    created = _utc(alert.created_at)
    return {
        "specversion": "1.0",
        "id": message_id(delivery),
        "source": _source(alert.article.feed_id),
        "type": DIGEST_TYPE if delivery.is_digest else TYPE,
        "time": created,
        "timestamp": created,
        "datacontenttype": "application/json",
        "data": {
            "target": delivery.target_id,
            "subscriber": alert.subscriber,
            **({"seq": delivery.seq} if delivery.seq else {}),
            **(_digest(delivery) if delivery.is_digest else _alert(alert)),
        },
    }


@lru_cache(_SOURCES_KNOWN)
def _source(feed_id: str) -> str:
    return f"urn:monitor:feed:{quote(whole(feed_id), safe='')}"


def _digest(delivery: Delivery) -> Json:
    """Say several alerts, the newest first, and why they come together."""
    alerts = delivery.alerts[::-1]
    return {
        "severity": severity_of(match for alert in alerts for match in alert.matches),
        "because": delivery.because,
        "because_of": delivery.because_of[:_SHORT_LIMIT],
        "alerts": [
            {"time": _utc(alert.created_at), **_alert(alert)} for alert in alerts[:ALERTS_LIMIT]
        ],
        "alerts_left_out": max(0, len(alerts) - ALERTS_LIMIT),
    }


def _alert(alert: Alert) -> Json:
    return {
        "severity": severity_of(alert.matches),
        "article": _article(alert.article),
        "matches": [_match(match) for match in alert.matches[:_MATCHES_LIMIT]],
        "matches_left_out": max(0, len(alert.matches) - _MATCHES_LIMIT),
    }


def _article(article: Article) -> Json:
    return {
        "id": article.id,
        "kind": article.kind,
        "feed": article.feed_id,
        "feed_name": article.feed_name[:_SHORT_LIMIT],
        "url": article.url if len(article.url) <= _TEXT_LIMIT else "",
        "title": article.title[:_TEXT_LIMIT],
        **({"was_title": article.was_title[:_TEXT_LIMIT]} if article.was_title else {}),
        "summary": article.summary[:_TEXT_LIMIT],
        "author": article.author[:_SHORT_LIMIT],
        "lang": article.lang[:_SHORT_LIMIT] if article.lang else None,
        "country": article.country[:_SHORT_LIMIT] if article.country else None,
        "category": article.category[:_SHORT_LIMIT] if article.category else None,
        "tags": [tag[:_SHORT_LIMIT] for tag in article.tags[:_LABELS_LIMIT]],
        "published_at": article.published_at and _utc(article.published_at),
        "seen_at": article.seen_at and _utc(article.seen_at),
        "trace_id": article.trace_id,
    }


def _match(match: Match) -> Json:
    labels = sorted(match.labels.items())[:_LABELS_LIMIT]
    return {
        "rule": match.rule_id,
        "rule_name": match.rule_name[:_SHORT_LIMIT],
        "rule_version": match.rule_version,
        "severity": match.severity,
        "labels": {name[:_SHORT_LIMIT]: value[:_SHORT_LIMIT] for name, value in labels},
        "score": match.score,
        "spans": [_span(span) for span in match.spans[:_SPANS_LIMIT]],
        "spans_left_out": max(0, len(match.spans) - _SPANS_LIMIT),
    }


def _span(span: Span) -> Json:
    return {
        "field": span.field,
        "start": span.start,
        "end": span.end,
        "text": span.text[:_SHORT_LIMIT],
        "part": span.part[:_SHORT_LIMIT],
    }


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo is UTC else at.astimezone(UTC)
