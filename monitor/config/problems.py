"""What pydantic found wrong, said for a person and put in its place in the file."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from monitor.config.excerpt import excerpt
from monitor.config.querypos import place_in
from monitor.config.section import Section
from monitor.config.values import WrongValueError, nearest, shown
from monitor.config.yamlpos import Document, Node, Place
from monitor.errors import Problem

Path = tuple[str | int, ...]

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


def at(document: Document, place: Place, message: str, hint: str = "") -> Problem:
    """Return a problem at a place in a file, with its line."""
    line = excerpt(document.lines, place.line)
    return Problem(document.file, place.line, place.column, message, hint, line)


def place_of(node: Node) -> Place:
    """Return where to point for a value: at a scalar itself, else at the key that leads there."""
    plain = isinstance(node.value, dict | list) or node.value is None
    return node.key if plain and node.key else node.place


def translate(
    document: Document, schema: type[Section], error: ValidationError
) -> Iterator[Problem]:
    """Yield a problem for each thing that pydantic found in a document read by `schema`."""
    said = {(problem.line, problem.column) for problem in document.problems}
    for details in error.errors(include_url=False):
        path = tuple(step for step in details["loc"] if step != "[key]")
        node = document.root.find(path)
        place = place_of(node)
        if details["type"] == "extra_forbidden" or details["loc"][-1:] == ("[key]",):
            place = node.key or node.place
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, WrongValueError):
            place = place_of(node.find((cause.key,))) if cause.key else place
            if cause.position is not None:
                place = place_in(document.lines, node, cause.position)
            yield at(document, place, cause.message, cause.hint)
        elif (place.line, place.column) not in said:
            yield at(document, place, *_say(details, schema, path))


def in_words(error: ValidationError) -> tuple[str, str]:
    """Say in a sentence the first thing that is wrong with what came from no file; return the path to it as well."""
    details = error.errors(include_url=False)[0]
    cause = details.get("ctx", {}).get("error")
    where = ".".join(str(step) for step in details["loc"] if step != "[key]")
    if isinstance(cause, WrongValueError):
        hint = f" ({cause.hint})" if cause.hint else ""
        return f"{where}: {cause.message}{hint}", where
    return f"{where}: {details['msg'][:1].lower()}{details['msg'][1:]}", where


def _say(details: ErrorDetails, schema: type[Section], path: Path) -> tuple[str, str]:
    """Return message and hint for one finding. Only values of closed lists are quoted: others may be secret."""
    kind, value = details["type"], details["input"]
    if kind == "extra_forbidden":
        return _unknown_key(schema, path)
    if kind == "missing":
        return f"missing key '{path[-1]}'", ""
    if kind == "bool_type":
        return f"expected true or false, not {shown(value)}", _as_truth(value)
    if kind in _EXPECTED:
        quotes = kind == "string_type" and isinstance(value, bool | int | float)
        hint = "put it in quotes" if quotes else ""
        return f"expected {_EXPECTED[kind]}, not {_kind(value)}", hint
    return _say_limit(value, details.get("ctx", {}))


def _say_limit(value: object, limit: Mapping[str, Any]) -> tuple[str, str]:
    """Return message and hint for a value that is not one of several, too long or too short."""
    if "expected" in limit:
        choices = limit["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        hint = nearest(value, choices) if isinstance(value, str) else ""
        return f"expected {limit['expected']}, not {shown(value)}", hint
    if "max_length" in limit:
        return f"this has more than {limit['max_length']:,} characters", ""
    return "this must not be empty", ""


def _kind(value: object) -> str:
    return "a text" if isinstance(value, str) else shown(value)


def _as_truth(value: object) -> str:
    word = value.lower() if isinstance(value, str) else ""
    if word in ("true", "yes", "on"):
        return "write true"
    return "write false" if word in ("false", "no", "off") else ""


def _unknown_key(schema: type[Section], path: Path) -> tuple[str, str]:
    key = str(path[-1])
    section = _section_at(schema, path[:-1])
    for secret in get_close_matches(key.lower(), section.SECRETS, n=1, cutoff=0.8):
        return (
            f"{shown(key)} is a secret, which must not stand in a configuration file",
            f"put it in a file and write {secret}_file, or in the environment and write {secret}_env",
        )
    if key in section.ELSEWHERE:
        return f"unknown key {shown(key)}", section.ELSEWHERE[key]
    known = [field.alias or name for name, field in section.model_fields.items()]
    name, colon, _ = key.partition(":")
    if colon:  # what follows may be a secret
        return f"unknown key '{name}:…'", "put a blank after the colon"
    return f"unknown key {shown(key)}", nearest(key, known)


def _section_at(schema: type[Section], path: Path) -> type[Section]:
    """Return the schema of the mapping at `path`."""
    for step in path:
        if isinstance(step, str):
            fields = {field.alias or name: field for name, field in schema.model_fields.items()}
            if step in fields:  # else it is a name of the operator's own
                schema = next(_sections(fields[step].annotation), schema)
    return schema


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections(inner)
