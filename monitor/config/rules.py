"""From configured rules to rules that can be asked of an article."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from monitor.config.settings import Settings
from monitor.core.engine import Compilation, RuleSet, compile_rules
from monitor.core.entities import Gazetteer
from monitor.core.model import Rule
from monitor.core.query import parse_list
from monitor.errors import ConfigError, Problem


def rule_set(settings: Settings) -> RuleSet:
    """Return the rules of settings that were checked when they were loaded."""
    return compiled(settings.rules, settings.lists, settings.entities).rules


def compiled(
    rules: Sequence[Rule],
    lists: Mapping[str, Sequence[str]],
    entities: Iterable[Mapping[str, object]],
) -> Compilation:
    """Make rules ready, with what their queries refer to; the problems of a query are in the result."""
    return compile_rules(
        rules,
        gazetteer=Gazetteer.from_records(entities),
        lists={name: parse_list(terms) for name, terms in lists.items()},
    )


def load_rule_set(file: Path, entities: Path | None) -> RuleSet:
    """Read a rules file, YAML or one query a line in a `.txt`, and make it ready; raise `ConfigError`."""
    raise ConfigError((Problem(str(file), 0, 0, "not read yet"),))
