"""Writes what is derived from the schema: `config/schema/*.json`, and the reference page.

python -m monitor.config.generate
"""

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from monitor.config.schema import (
    EntitiesFile,
    FeedsFile,
    MonitorFile,
    RulesFile,
)
from monitor.config.section import Section
from monitor.config.subscriberschema import SubscribersFile
from monitor.config.values import format_size
from monitor.core.wording import format_duration

FILES: Mapping[str, type[Section]] = {
    "monitor": MonitorFile,
    "feeds": FeedsFile,
    "rules": RulesFile,
    "subscribers": SubscribersFile,
    "entities": EntitiesFile,
}
_INTRODUCTION = """\
# Configuration

The configuration is a directory, `config` unless `--config` or `MONITOR_CONFIG` names another.
`monitor check` validates all of it and lists every problem with its place.
Every file may be absent; `feeds`, `rules`, `subscribers` and `entities` may also be folders of files.

This page is generated from the schema by `python -m monitor.config.generate`; so are the JSON Schemas in
`config/schema/`, which an editor takes up from the first line of each file.

## How values are written

| kind | written as |
| --- | --- |
| duration | `250ms`, `30s`, `15m`, `1h30m`, `7d`, `2w` |
| size | `512KiB`, `15MiB`, `2GiB` |
| id | up to 100 of `a-z`, `0-9`, `.`, `_`, `-`, first and last a letter or digit |
| date or instant | `2026-12-31` (the end of that day in UTC) or `2026-12-31T18:00Z` |
| secret | never in the configuration itself: `NAME_file` names a file that holds it, `NAME_env` a variable |

The files are YAML without its surprises: only `true`, `false`, `null` and plain decimal numbers are special, so
`NO`, `on`, `22:30` and `2012-06-28` are texts.
A repeated key, a tag (`!x`), an anchor (`&x`), an alias (`*x`) and `<<` are mistakes.
A file has at most 10 MiB.

## Environment

| variable | instead of |
| --- | --- |
| `MONITOR_CONFIG` | `--config` |
| `REDIS_URL` | `store.url` |
| `MONITOR_DATA` | `store.directory` |
| `LISTEN` | `listen.host` and `listen.port`, as `host:port` |
| `PORT` | `listen.port` |
"""


class _Generator(GenerateJsonSchema):
    """JSON Schema with defaults as an operator writes them, and without titles that repeat the keys."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        """Say of each key what stands below it in the source."""
        described = super().model_schema(schema)
        section = schema["cls"]
        for name, meaning in _meanings(section).items():
            key = section.model_fields[name].alias or name
            described["properties"][key]["description"] = meaning
        return described

    def encode_default(self, dft: Any) -> Any:
        """Write a default as it would stand in a file."""
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def _meanings(section: type[BaseModel]) -> Mapping[str, str]:
    """Return the texts below the keys of a section.

    Pydantic could read them when it makes the class: that would be a tenth of the start of every command.
    """
    found: dict[str, str] = {}
    for part in reversed(section.__mro__):
        if issubclass(part, Section):
            [written] = ast.parse(dedent(inspect.getsource(part))).body
            found |= _below(written)
    return found


def _below(written: ast.stmt) -> Iterator[tuple[str, str]]:
    for key, said in pairwise(getattr(written, "body", [])):
        match key, said:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(str(meaning))):
                yield name, inspect.cleandoc(meaning)
            case _:
                pass


def schema_of(file: type[Section]) -> dict[str, Any]:
    """Return the JSON Schema of a file."""
    schema: dict[str, Any] = _tidied(file.model_json_schema(schema_generator=_Generator))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _tidied(value: Any) -> Any:
    if isinstance(value, list):
        return [_tidied(each) for each in value]
    if not isinstance(value, dict):
        return value
    tidy = {key: _tidied(each) for key, each in value.items()}
    if isinstance(tidy.get("title"), str):
        del tidy["title"]
    if tidy.get("x-kind") == "size" and isinstance(tidy.get("default"), int):
        tidy["default"] = format_size(tidy["default"])
    return tidy


def reference() -> str:
    """Return the reference page."""
    return "\n".join([_INTRODUCTION, *(line for name in FILES for line in _file_lines(name))])


def _file_lines(name: str) -> Iterator[str]:
    schema = schema_of(FILES[name])
    where = f"{name}/*.yaml" if name == "entities" else f"{name}.yaml"
    yield f"## {where}\n"
    waiting = [("", schema)]
    seen = set()
    while waiting:
        path, section = waiting.pop(0)
        below_here = []
        if path:
            yield f"### `{path}`\n"
        yield f"{section.get('description', '')}\n"
        if section.get("properties"):
            yield "| key | value | default | meaning |\n| --- | --- | --- | --- |"
            for key, field in section["properties"].items():
                yield _row(key, field, key in section.get("required", ()), schema)
                below = _reference_in(field)
                if below and below not in seen and "enum" not in schema["$defs"][below]:
                    seen.add(below)
                    inner = f"{path}.{key}" if path else key
                    inner += "[]" if field.get("type") == "array" else ""
                    below_here.append((inner, schema["$defs"][below]))
            yield ""
        waiting = below_here + waiting


def _row(key: str, field: Mapping[str, Any], required: bool, schema: Mapping[str, Any]) -> str:
    default = "required" if required else _default(field)
    meaning = field.get("description", "")
    below = _reference_in(field)
    if not meaning and below:
        meaning = schema["$defs"][below].get("description", "")
    return f"| `{key}` | {_kind(field, schema)} | {default} | {' '.join(meaning.split())} |"


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    if default in (None, [], {}) or _reference_in(field):
        return f"`{default}`" if isinstance(default, str) else ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _kind(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "$ref" in field:
        target = schema["$defs"][_reference_in(field)]
        return _kind(target, schema) if "enum" in target else "mapping"
    if "anyOf" in field:
        choices = [_kind(each, schema) for each in field["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(choices))
    if "enum" in field:
        return ", ".join(f"`{each}`" for each in field["enum"])
    if field.get("type") == "array":
        return f"list of {_kind(field.get('items', {}), schema)}"
    if field.get("type") == "object":
        return "mapping"
    kinds = {"string": "text", "integer": "number", "boolean": "`true` or `false`"}
    return str(field.get("x-kind") or kinds.get(field.get("type", ""), ""))


def _reference_in(field: Mapping[str, Any]) -> str:
    """Return the name of the definition that a field refers to, however deep; nothing if to none."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    inner = [*field.get("anyOf", ()), field.get("items"), field.get("additionalProperties")]
    found = (_reference_in(each) for each in inner if isinstance(each, dict))
    return next((name for name in found if name), "")


def written() -> Iterator[tuple[str, str]]:
    """Yield the path and the content of every derived file, from the root of the project."""
    for name, file in FILES.items():
        text = json.dumps(schema_of(file), ensure_ascii=False, indent=2)
        yield f"config/schema/{name}.json", f"{text}\n"
    yield "docs/reference/configuration.md", reference()


def write(root: Path) -> None:
    """Write every derived file."""
    for path, content in written():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, encoding="utf-8")


if __name__ == "__main__":  # pragma: no cover - the test calls `write`
    write(Path())
