"""Finds the entities of the shipped gazetteer in single sentences.

python -m tests.quality.names
"""

import csv
import sys
from pathlib import Path

from monitor.config.seed import shipped_records
from monitor.core.engine import RuleSet, compile_rules
from monitor.core.entities import Gazetteer
from monitor.core.model import Article, Rule
from tests.factories import NOW

_DATA = Path(__file__).parents[1] / "data" / "entities"

Row = dict[str, str]


def rows(file: str) -> list[Row]:
    """Read a table of sentences."""
    with (_DATA / file).open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


def rule_set(table: list[Row]) -> RuleSet:
    """Compile a rule for each entity in a table."""
    ids = sorted({row["entity"] for row in table})
    rules = [Rule(id=id_, query=f"entity:{id_}") for id_ in ids]
    compiled = compile_rules(rules, gazetteer=Gazetteer.from_records([], shipped_records()))
    assert compiled.problems == {}
    return compiled.rules


def found(rules: RuleSet, sentence: str) -> dict[str, set[str]]:
    """Return what stands in the sentence for each entity that was found."""
    matches = rules.match(Article(id="sentence", body=sentence), NOW)
    return {match.rule_id: {span.text for span in match.spans} for match in matches}


def missed(table: list[Row]) -> list[Row]:
    """Return the rows whose name is not found where it stands."""
    rules = rule_set(table)
    return [row for row in table if not _finds(found(rules, row["sentence"]), row)]


def _finds(entities: dict[str, set[str]], row: Row) -> bool:
    return any(row["form"] in text for text in entities.get(row["entity"], ()))


def confusion(table: list[Row]) -> tuple[int, list[Row], list[Row]]:
    """Return how many sentences name their entity and are found, those found in error, and those missed."""
    rules = rule_set(table)
    right, errors, lost = 0, [], []
    for row in table:
        is_found = row["entity"] in found(rules, row["sentence"])
        if is_found and row["named"] == "yes":
            right += 1
        elif is_found:
            errors.append(row)
        elif row["named"] == "yes":
            lost.append(row)
    return right, errors, lost


def main() -> None:
    """Print the figures, and what went wrong."""
    table = rows("aliases.tsv")
    gone = missed(table)
    sys.stdout.write(f"names: {len(table) - len(gone)} of {len(table)} found\n")
    right, errors, lost = confusion(rows("ambiguous.tsv"))
    sys.stdout.write(
        f"ambiguous: precision {right / (right + len(errors)):.3f},"
        f" recall {right / (right + len(lost)):.3f} of {right + len(lost)}\n"
    )
    for what, wrong in (("missed", gone + lost), ("in error", errors)):
        for row in wrong:
            sys.stdout.write(f"  {what}: {row}\n")


if __name__ == "__main__":
    main()
