"""Judges what is sent by the schemas of the AsyncAPI document, closed: what they do not name is a mistake too."""

from typing import Any

from jsonschema import Draft202012Validator

from monitor.web.api.asyncapi import document


def validator(name: str) -> Draft202012Validator:
    """Return what judges by the component `name`."""
    described = document()
    closed = {each: _closed(schema) for each, schema in described["components"]["schemas"].items()}
    checks = Draft202012Validator.FORMAT_CHECKER
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": closed}}
    return Draft202012Validator(schema, format_checker=checks)


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _closed(each) for name, each in schema.items()}
    return inner | ({"additionalProperties": False} if "properties" in inner else {})
