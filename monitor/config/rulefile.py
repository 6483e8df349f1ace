"""Reads rules outside of a configuration directory: a rules YAML, or a text with one query a line."""

from pathlib import Path

from monitor.config.entities import read_gazetteer
from monitor.config.files import check, read, yaml_files
from monitor.config.rulebase import compile_rulebase
from monitor.config.rules import WrittenRule, compile_written
from monitor.config.schema import EntitiesFile, RulesFile
from monitor.config.yamlpos import Document, Node, Place
from monitor.core.engine import RuleSet
from monitor.core.model import Rule
from monitor.errors import ConfigError, Problem


def load_rule_set(path: Path, entities: Path | None = None) -> RuleSet:
    """Compile the rules in a file, or raise `ConfigError` with every problem.

    In a `.txt` each line that is not blank is a query, and the id of the rule is the number of the line, from 0.
    `entities` is a directory of gazetteer files.
    """
    problems: list[Problem] = []
    sources = tuple(
        check(read(file), EntitiesFile, problems)
        for file in (yaml_files(entities) if entities else ())
    )
    if path.suffix == ".txt":
        written = _queries(path, problems)
        rules = compile_written(written, {}, read_gazetteer(sources, problems), problems)
    else:
        rules = compile_rulebase(
            [check(read(path), RulesFile, problems)], sources, problems
        ).rule_set
    if problems:
        raise ConfigError(tuple(sorted(set(problems))))
    return rules


def _queries(path: Path, problems: list[Problem]) -> list[WrittenRule]:
    try:
        lines = tuple(path.read_text(encoding="utf-8-sig").split("\n"))
    except OSError as error:
        problems.append(Problem(str(path), 0, 0, f"cannot be read: {error.strerror}"))
        return []
    except UnicodeDecodeError:
        problems.append(Problem(str(path), 0, 0, "not UTF-8", "save the file as UTF-8"))
        return []
    document = Document(file=str(path), lines=lines)
    return [
        WrittenRule(
            Rule(id=str(number), query=line),
            Node(value=line, place=Place(number + 1, 1)),
            document,
        )
        for number, line in enumerate(lines)
        if line.strip()
    ]
