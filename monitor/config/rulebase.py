"""The rules of a configuration, ready to match; of those that are matched already, only what changed is changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from monitor.config.entities import entity_records, read_gazetteer
from monitor.config.files import Source
from monitor.config.rules import (
    BUDGET,
    WrittenRule,
    compile_written,
    place_of_rule,
    read_lists,
    written_rules,
)
from monitor.config.schema import EntitiesFile, ExamplesSettings, RulesFile
from monitor.core.engine import RuleSet, compile_rules
from monitor.core.engine.revision import Revision, concerned, revise
from monitor.core.entities import Gazetteer
from monitor.core.made import LeftOut
from monitor.core.model import Rule
from monitor.core.query import Expression
from monitor.errors import Problem, QueryError

_MOST = 4  # where more than a fourth of the rules changed, all are compiled again


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What queries can name: lists, and the entities in `gazetteer`, of which `records` come from files."""

    lists: Mapping[str, Expression] = field(default_factory=dict)
    records: Sequence[Mapping[str, object]] = ()
    gazetteer: Gazetteer = field(default_factory=Gazetteer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebase:
    """Rules by id in the order of the files, and the same in `rule_set`, once the `revision` was carried out.

    `places` say where each of a file is written: file and line. `made` are those that people made while it runs, and
    `left_out` those of them that cannot be used.
    """

    rules: Mapping[str, Rule] = field(default_factory=dict)
    rule_set: RuleSet = field(default_factory=lambda: compile_rules(()).rules)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    examples: dict[str, ExamplesSettings] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    revision: Revision | None = None
    made: frozenset[str] = frozenset()
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)

    @property
    def shadow(self) -> frozenset[str]:
        """The ids of rules in shadow."""
        return frozenset(rule.id for rule in self.rules.values() if rule.shadow)

    def carried_out(self) -> "Rulebase":
        """Return the same with nothing left to do. Matching goes on meanwhile; the next article sees what changed."""
        if self.revision is None:
            return self
        rule_set = self.rule_set
        try:
            self.revision.carry_out(rule_set)
        except QueryError:  # sound in the end, but no step by step leads there
            names = self.vocabulary
            compiled = compile_rules(
                [*self.rules.values()],
                gazetteer=names.gazetteer,
                lists=names.lists,
                budget=BUDGET,
            )
            rule_set = compiled.rules
        return replace(self, rule_set=rule_set, revision=None)


def compile_rulebase(
    rules: Iterable[Source[RulesFile]],
    entities: Iterable[Source[EntitiesFile]],
    problems: list[Problem],
    standing: Rulebase | None = None,
) -> Rulebase:
    """Compile every rule that can be used and try its examples; add what is wrong to `problems`.

    With a `standing` one, only what differs from it is compiled, tried and left to be carried out.
    """
    rules, entities = tuple(rules), tuple(entities)
    written = written_rules(rules)
    found = Rulebase(
        rules={each.rule.id: each.rule for each in written},
        examples=dict(_examples(written)),
        places={each.rule.id: place_of_rule(each) for each in written},
        vocabulary=_vocabulary(rules, entities, problems, standing),
    )
    names = found.vocabulary
    if standing and names is standing.vocabulary:
        revision = revise(standing.rules, found.rules)
        if len(revision) * _MOST <= len(found.rules):
            _try(_to_try(found, standing, revision), written, names, problems)
            return replace(found, rule_set=standing.rule_set, revision=revision)
    rule_set = compile_written(written, names.lists, names.gazetteer, problems)
    return replace(found, rule_set=rule_set)


def _examples(written: Iterable[WrittenRule]) -> Iterator[tuple[str, ExamplesSettings]]:
    for each in written:
        given = each.item.settings.examples if each.item else None
        if given and (given.match or given.no_match):
            yield each.rule.id, given


def _vocabulary(
    rules: Sequence[Source[RulesFile]],
    entities: Sequence[Source[EntitiesFile]],
    problems: list[Problem],
    standing: Rulebase | None,
) -> Vocabulary:
    """Read the vocabulary; return the standing one if it is the same."""
    lists, records = read_lists(rules, problems), entity_records(entities)
    known = standing.vocabulary if standing else None
    if known and known.lists == lists and known.records == records:
        return known
    gazetteer = read_gazetteer(entities, problems)
    return Vocabulary(lists=lists, records=records, gazetteer=gazetteer)


def _to_try(found: Rulebase, standing: Rulebase, revision: Revision) -> Mapping[str, Rule]:
    """Return the rules that may find other examples than before, and those they need."""
    changed = {rule.id for rule in revision.put}.union(revision.drop)
    changed |= {id_ for id_, given in found.examples.items() if standing.examples.get(id_) != given}
    return concerned(found.rules, changed)


def _try(
    rules: Mapping[str, Rule],
    written: Iterable[WrittenRule],
    names: Vocabulary,
    problems: list[Problem],
) -> None:
    some = [each for each in written if each.rule.id in rules]
    compile_written(some, names.lists, names.gazetteer, problems)
