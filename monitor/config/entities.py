"""Reads the gazetteer of a configuration, with every problem of an entry at its place."""

from collections.abc import Iterable, Mapping

from monitor.config.files import Source
from monitor.config.problems import at, place_of
from monitor.config.schema import EntitiesFile
from monitor.config.seed import shipped_records
from monitor.config.yamlpos import Document, Node
from monitor.core.entities import Gazetteer
from monitor.errors import ConfigError, Problem


def entity_records(sources: Iterable[Source[EntitiesFile]]) -> list[Mapping[str, object]]:
    """Return what the files say of entities, as it is written."""
    return [record for record, _, _ in _entries(sources)]


def read_gazetteer(sources: Iterable[Source[EntitiesFile]], problems: list[Problem]) -> Gazetteer:
    """Read every entry, with those that are shipped.

    Of a broken one its names for references stay, so that queries are not refused too.
    """
    entries = _entries(sources)
    records = [record for record, _, _ in entries]
    try:
        return Gazetteer.from_records(records, shipped_records())
    except ConfigError as error:
        broken = {problem.line - 1: problem for problem in error.problems}  # line: which record
    for number, problem in broken.items():
        _, node, document = entries[number]
        problems.append(at(document, place_of(node), problem.message, problem.hint))
    usable = {
        str(record["id"]).casefold(): _stand_in(record) if number in broken else record
        for number, record in reversed(list(enumerate(records)))
    }
    return Gazetteer.from_records(usable.values(), shipped_records())


def _entries(
    sources: Iterable[Source[EntitiesFile]],
) -> list[tuple[Mapping[str, object], Node, Document]]:
    return [
        (node.value, node, source.document)
        for source in sources
        for node in source.kept.get("entities", ())
        if isinstance(node.value, dict)
    ]


def _stand_in(record: Mapping[str, object]) -> Mapping[str, object]:
    """Return an entry that is found by the same references and has one name that nobody uses."""
    kept = {key: record[key] for key in ("label", "qid") if isinstance(record.get(key), str)}
    references = {key: text for key, text in kept.items() if str(text).strip()}
    names = {"en": ["stand-in"]}
    return {**references, "id": record["id"], "type": "topic", "names": names}
