"""Turns tables of names, as other collections give them out, into entities YAML."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from monitor.core.entities import RecordError, read_entity
from monitor.errors import ConfigError, Problem

COLUMNS = ("id", "type", "label", "qid", "lang", "name")
MAX_BYTES = 64 * 1024 * 1024
_NEEDED = ("id", "type", "lang", "name")
_HEADER = "# yaml-language-server: $schema=../schema/entities.json\n"


def import_entities(path: Path) -> str:
    """Return a table as entities YAML. Raise `ConfigError` with every row that cannot be used.

    A table has a row for each name: CSV with the columns in its first line, or JSON, a list of objects with those keys.
    Rows of one id are one entity; type, label and qid are those of its first row that has them.
    """
    records: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    for line, row in _rows(path):
        missing = [column for column in _NEEDED if not row.get(column)]
        if missing:
            problems.append(Problem(str(path), line, 1, f"no {', '.join(missing)}"))
            continue
        record = records.setdefault(row["id"], {"id": row["id"], "type": row["type"]})
        for key in ("label", "qid"):
            if row.get(key):
                record.setdefault(key, row[key])
        names = record.setdefault("names", {}).setdefault(row["lang"], [])
        if row["name"] not in names:
            names.append(row["name"])
        try:
            read_entity({**record, "names": {row["lang"]: [row["name"]]}})
        except RecordError as error:
            problems.append(Problem(str(path), line, 1, f"entity {row['id']!r}: {error}"))
    if problems:
        raise ConfigError(tuple(problems))
    text = yaml.safe_dump(
        {"entities": [{**record, "names": record["names"]} for record in records.values()]},
        allow_unicode=True,
        sort_keys=False,
        width=110,
    )
    return _HEADER + text


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each row with its line, or its number from 1 where the format has no lines."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _refused(path, "not UTF-8: save the file as UTF-8") from error
    if len(raw) > MAX_BYTES:
        raise _refused(path, f"larger than {MAX_BYTES // 1024**2} MiB: split it")
    yield from _json(path, text) if path.suffix == ".json" else _csv(path, text)


def _csv(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.DictReader(text.splitlines())
    unknown = set(_NEEDED) - set(reader.fieldnames or ())
    if unknown:
        raise _refused(path, f"no column {', '.join(sorted(unknown))} in the first line")
    try:
        for row in reader:
            cells = {key: str(value or "").strip() for key, value in row.items() if key in COLUMNS}
            yield reader.line_num, cells
    except csv.Error as error:
        raise _refused(path, f"not CSV: {error}", reader.line_num) from error


def _json(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"not JSON: {error}") from error
    if not isinstance(rows, list):
        raise _refused(path, "expected a list of objects")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise _refused(path, "expected an object", number)
        cells = {key: str(row[key] or "").strip() for key in COLUMNS if key in row}
        yield number, cells


def _refused(path: Path, message: str, line: int = 0) -> ConfigError:
    return ConfigError((Problem(str(path), line, 0, message),))
