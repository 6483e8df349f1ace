"""The AsyncAPI 3.0 document of what monitor sends: the public stream, its events over HTTP, and webhooks."""

from typing import Any

import msgspec

from monitor import __version__
from monitor.core.model import Severity
from monitor.ports import Publication
from monitor.web.api.events import AlertEvent, DigestEvent
from monitor.web.api.openapi import STREAM

ASYNCAPI = "/api/asyncapi.json"
_SCHEMAS = "#/components/schemas/{name}"
_TEXT = {"type": "string"}
_JSON, _CLOUD = "application/json", "application/cloudevents+json"
_FLAT = {
    "v": {"const": "1", "description": "Version of this format."},
    "rule": {**_TEXT, "description": "Id of the rule that matched."},
    "article": {**_TEXT, "description": "Id of the article; the same over edits and feeds."},
    "feed": {**_TEXT, "description": "Id of the feed that brought it."},
    "severity": {"enum": [each.value for each in Severity]},
    "lang": {**_TEXT, "description": "Language of the article, or empty."},
    "url": {**_TEXT, "description": "Address of the article."},
    "data": {
        **_TEXT,
        "contentMediaType": _JSON,
        "contentSchema": {"$ref": _SCHEMAS.format(name=Publication.__name__)},
    },
}
_RECEIVER = {
    "host": "{host}",
    "protocol": "https",
    "description": "Whatever the `url` of a webhook target names.",
    "variables": {"host": {}},
}
_HEADERS = {
    "content-type": {"const": f"{_CLOUD}; charset=utf-8"},
    "webhook-id": {**_TEXT, "description": "Names the delivery: the same on every attempt."},
    "webhook-timestamp": {**_TEXT, "description": "Of this attempt, in seconds since 1970."},
    "webhook-signature": {
        **_TEXT,
        "description": "One for each secret of the target, after Standard Webhooks 1.0.",
    },
    "user-agent": _TEXT,
}


def document() -> dict[str, Any]:
    """Return the document."""
    _, schemas = msgspec.json.schema_components(
        (Publication, AlertEvent, DigestEvent), ref_template=_SCHEMAS
    )
    schemas["Entry"] = {"type": "object", "properties": _FLAT, "required": list(_FLAT)}
    schemas["WebhookHeaders"] = {
        "type": "object",
        "properties": _HEADERS,
        "required": [name for name in _HEADERS if name != "webhook-signature"],
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "monitor",
            "version": __version__,
            "description": "What a news monitor tells other programs: matches as they come, and alerts.",
        },
        "defaultContentType": _JSON,
        "servers": {"store": _store(), "web": _web(), "receiver": _RECEIVER},
        "channels": _channels(),
        "operations": {
            "publishMatch": _sends("matches", "match"),
            "streamMatch": _sends("events", "event"),
            "postAlert": _sends("webhook", "alert", "digest"),
        },
        "components": {
            "messages": _messages(),
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _store() -> dict[str, Any]:
    return {
        "host": "{address}",
        "protocol": "redis",
        "description": "The Redis or Valkey that `REDIS_URL` names, or the socket of the embedded one.",
        "variables": {"address": {"default": "127.0.0.1:6379"}},
    }


def _web() -> dict[str, Any]:
    return {
        "host": "{address}",
        "protocol": "http",
        "variables": {"address": {"default": "127.0.0.1:8080"}},
        "security": [{"$ref": "#/components/securitySchemes/token"}],
    }


def _channels() -> dict[str, Any]:
    return {
        "matches": {
            "address": "monitor:matches",
            "description": "A stream of the store, read with XREADGROUP: one entry a match.",
            "servers": [{"$ref": "#/servers/store"}],
            "messages": _carried("match"),
        },
        "events": {
            "address": STREAM,
            "description": "The same matches as server-sent events; `Last-Event-ID` goes on after an entry.",
            "servers": [{"$ref": "#/servers/web"}],
            "messages": _carried("event"),
        },
        "webhook": {
            "address": None,
            "description": "A POST to the address of a webhook target.",
            "servers": [{"$ref": "#/servers/receiver"}],
            "messages": _carried("alert", "digest"),
        },
    }


def _carried(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _sends(channel: str, *names: str) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
    }


def _messages() -> dict[str, Any]:
    return {
        "match": {
            "summary": "A rule found an article: the fields of an entry.",
            "payload": {"$ref": _SCHEMAS.format(name="Entry")},
        },
        "event": {
            "summary": "A rule found an article: the data of an event.",
            "payload": {"$ref": _SCHEMAS.format(name=Publication.__name__)},
        },
        "alert": _posted("An alert.", AlertEvent),
        "digest": _posted("Alerts that were held, in one message.", DigestEvent),
    }


def _posted(summary: str, event: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "summary": summary,
        "contentType": _CLOUD,
        "headers": {"$ref": _SCHEMAS.format(name="WebhookHeaders")},
        "payload": {"$ref": _SCHEMAS.format(name=event.__name__)},
    }
