"""The OpenAPI 3.1 document, made from the operations and the types that they read and write."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from monitor import __version__
from monitor.web.api.operation import Nothing, Operation

_COMPONENTS = "#/components/schemas/{name}"
_PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail"],
}
_ALWAYS = (400, 401, 403, 429, 503)
_NO_REQUEST = {
    "text/plain": {"schema": {"type": "string", "description": "What came is no HTTP request."}}
}
STREAM = "/api/stream"


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document."""
    shapes = {
        shape for each in operations for shape in (each.body, each.answer) if shape is not Nothing
    }
    named = sorted(shapes, key=lambda shape: shape.__name__)
    schemas, components = msgspec.json.schema_components(named, ref_template=_COMPONENTS)
    refs = dict(zip(named, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {STREAM: {"get": _stream()}}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "monitor",
            "version": __version__,
            "description": "Feeds, rules, alerts and the archive of a news monitor.",
        },
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(operation: Operation, refs: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"Needs a token with the scope `{operation.scope}`.",
        "parameters": [*_path_parameters(operation), *_query_parameters(operation)],
        "responses": _responses(operation, refs),
    }
    if operation.body is not Nothing:
        content = {"application/json": {"schema": refs[operation.body]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": operation.path_texts.get(name, "An id."),
            "schema": {"type": "string"},
        }
        for name in re.findall(r"{(\w+)}", operation.path)
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    schema = msgspec.json.schema(operation.query)
    shape = _inlined(schema, schema["$defs"])
    required = set(shape.get("required", ()))
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": one.get("description", name),
            "schema": {key: value for key, value in one.items() if key != "description"},
        }
        for name, one in shape.get("properties", {}).items()
    ]


def _inlined(schema: Any, defined: Mapping[str, Any]) -> Any:
    """Return a schema in which no part is defined elsewhere: parameters have small types."""
    if isinstance(schema, list):
        return [_inlined(each, defined) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(defined[schema["$ref"].rpartition("/")[2]], defined)
    return {name: _inlined(each, defined) for name, each in schema.items() if name != "$defs"}


def _responses(operation: Operation, refs: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer is not Nothing:
        good["content"] = {"application/json": {"schema": refs[operation.answer]}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    problems = {*_ALWAYS, *operation.errors}
    if operation.body is not Nothing:
        problems |= {413, 415, 422}
    described = {
        str(status): {"description": HTTPStatus(status).phrase, "content": problem}
        for status in sorted(problems)
    }
    described["400"]["content"] = problem | _NO_REQUEST
    return {str(operation.status): good, **described}


def _stream() -> dict[str, Any]:
    after = {
        "name": "Last-Event-ID",
        "in": "header",
        "required": False,
        "description": "Go on after this event; without it, with the next one.",
        "schema": {"type": "string"},
    }
    return {
        "operationId": "stream",
        "summary": "Matches as they come, as server-sent events.",
        "description": "Needs a token with the scope `read`. The data of an event is an entry of `monitor:matches`.",
        "parameters": [after],
        "responses": {
            "200": {"description": "Events", "content": {"text/event-stream": {"schema": {}}}}
        },
    }
