"""Every entity that queries can name."""

from collections.abc import Iterable, Iterator, Mapping

from monitor.core.entities.record import Entity, RecordError, read_entity
from monitor.errors import ConfigError, Problem

_FILE = "entities"
_NONE: Mapping[str, Mapping[str, object]] = {}

Record = Mapping[str, object]


class Gazetteer:
    """The entities, found by id, Wikidata id or label, in any case. Contains the references it can resolve.

    `shipped` are records by id that came with the program and are known to be sound: each is read when it is first
    asked for, since making the forms of them all takes a second. An entity of the same id replaces one.
    """

    def __init__(
        self, entities: Iterable[Entity] = (), shipped: Mapping[str, Record] = _NONE
    ) -> None:
        self.entities = {entity.id.casefold(): entity for entity in entities}
        self._unread = {id_: shipped[id_] for id_ in shipped if id_ not in self.entities}
        self._ids: dict[str, str] = {}
        for id_, entity in self.entities.items():
            self._refer(id_, entity.label, entity.qid)
        for id_, record in self._unread.items():
            self._refer(id_, id_, record.get("label"), record.get("qid"))

    @classmethod
    def from_records(
        cls, records: Iterable[Record], shipped: Mapping[str, Record] = _NONE
    ) -> "Gazetteer":
        """Read plain mappings. Raise `ConfigError` with every problem; `line` is the number of the record, from 1."""
        entities: dict[str, Entity] = {}
        problems: list[Problem] = []
        for number, record in enumerate(records, start=1):
            try:
                entity = read_entity(_extended(record, shipped))
            except RecordError as error:
                problems.append(Problem(_FILE, number, 0, f"entity {record.get('id')!r}: {error}"))
                continue
            if entities.setdefault(entity.id.casefold(), entity) is not entity:
                problems.append(
                    Problem(_FILE, number, 0, f"entity {entity.id!r}: the id is used twice")
                )
        if problems:
            raise ConfigError(tuple(problems))
        return cls(entities.values(), shipped)

    def get(self, reference: str) -> Entity | None:
        """Return the entity that a reference names."""
        id_ = reference if reference in self.entities else self._ids.get(reference, "")
        if id_ in self._unread:
            self.entities[id_] = read_entity(self._unread[id_])
            self._unread.pop(id_, None)
        return self.entities.get(id_)

    def __contains__(self, reference: object) -> bool:
        return reference in self.entities or reference in self._ids

    def __iter__(self) -> Iterator[str]:
        yield from self.entities
        yield from self._unread

    def __len__(self) -> int:
        return len(self.entities) + len(self._unread)

    def _refer(self, id_: str, *references: object) -> None:
        for reference in references:
            if isinstance(reference, str) and reference:
                self._ids.setdefault(" ".join(reference.casefold().split()), id_)


def _extended(record: Record, shipped: Mapping[str, Record]) -> Record:
    """Add the names of the shipped entry, if the record asks for that."""
    if not record.get("extend"):
        return record
    base = shipped.get(str(record.get("id")).casefold())
    if base is None:
        raise RecordError("it cannot extend an entry that is not shipped; leave out 'extend'")
    names, more = base.get("names"), record.get("names")
    if not isinstance(names, Mapping) or not isinstance(more, Mapping):
        return record  # reading it says what is wrong
    merged = {lang: [*names.get(lang, ()), *more.get(lang, ())] for lang in {**names, **more}}
    return {**base, **record, "names": merged}
