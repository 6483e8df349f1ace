"""Every entity that queries can name."""

from collections.abc import Iterable, Iterator, Mapping

from monitor.core.entities.record import Entity, RecordError, read_entity
from monitor.errors import ConfigError, Problem

_FILE = "entities"


class Gazetteer:
    """The entities, found by id, Wikidata id or label, in any case. Contains the references it can resolve."""

    def __init__(self, entities: Iterable[Entity] = ()) -> None:
        self.entities = {entity.id.casefold(): entity for entity in entities}
        self._ids: dict[str, str] = {}
        for id_, entity in self.entities.items():
            for reference in (entity.label, entity.qid):
                if reference:
                    self._ids.setdefault(" ".join(reference.casefold().split()), id_)

    @classmethod
    def from_records(cls, records: Iterable[Mapping[str, object]]) -> "Gazetteer":
        """Read plain mappings. Raise `ConfigError` with every problem; `line` is the number of the record, from 1."""
        entities: dict[str, Entity] = {}
        problems: list[Problem] = []
        for number, record in enumerate(records, start=1):
            try:
                entity = read_entity(record)
            except RecordError as error:
                problems.append(Problem(_FILE, number, 0, f"entity {record.get('id')!r}: {error}"))
                continue
            if entities.setdefault(entity.id.casefold(), entity) is not entity:
                problems.append(
                    Problem(_FILE, number, 0, f"entity {entity.id!r}: the id is used twice")
                )
        if problems:
            raise ConfigError(tuple(problems))
        return cls(entities.values())

    def get(self, reference: str) -> Entity | None:
        """Return the entity that a reference names."""
        return self.entities.get(reference) or self.entities.get(self._ids.get(reference, ""))

    def __contains__(self, reference: object) -> bool:
        return isinstance(reference, str) and self.get(reference) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.entities)

    def __len__(self) -> int:
        return len(self.entities)
