"""Reads the rules of a configuration directory alone, for those who work on rules.

Feeds, subscribers and secrets are not looked at, and examples are not enforced: who tries them wants to see why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.config.checks import repeated, repeated_lists
from monitor.config.entities import read_gazetteer
from monitor.config.files import check, find_files, read
from monitor.config.rules import WrittenRule, compile_written, read_lists, written_rules
from monitor.config.schema import EntitiesFile, RulesFile
from monitor.core.engine import RuleSet
from monitor.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules by id, in the order of the files, and the same ready to match."""

    written: Mapping[str, WrittenRule]
    rules: RuleSet


def load_rulebook(directory: Path) -> Rulebook:
    """Compile the rules of a directory, or raise `ConfigError` with every problem of rules and entities."""
    paths, problems = find_files(directory)
    sources = tuple(check(read(path), RulesFile, problems) for path in paths.get("rules", ()))
    entities = tuple(
        check(read(path), EntitiesFile, problems) for path in paths.get("entities", ())
    )
    problems += repeated(sources, "rules", "id")
    problems += repeated_lists(sources)
    written = written_rules(sources)
    lists, gazetteer = read_lists(sources, problems), read_gazetteer(entities, problems)
    rules = compile_written(written, lists, gazetteer, problems, try_examples=False)
    if problems:
        raise ConfigError(tuple(sorted(set(problems))))
    return Rulebook({each.rule.id: each for each in written}, rules)
