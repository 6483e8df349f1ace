"""Compiles the rules of a configuration, with every problem of a query at its place inside of the file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import thread_time

from monitor.config import records
from monitor.config.files import Item, Source
from monitor.config.problems import at, place_of
from monitor.config.querypos import place_in
from monitor.config.schema import ExamplesSettings, RuleSettings, RulesFile
from monitor.config.yamlpos import Document, Node
from monitor.core.engine import Budget, Explanation, RuleSet, compile_rules
from monitor.core.entities import Gazetteer
from monitor.core.model import Article, Rule
from monitor.core.query import Expression, parse_list
from monitor.errors import Problem, QueryError

ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # an example has no date, so no condition asks for one
# For one article, in CPU time: hundreds of times what a million rules take.
BUDGET = Budget(timedelta(seconds=10), thread_time)


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule, where its query is written, and its settings if they are sound."""

    rule: Rule
    query: Node
    document: Document
    item: Item[RuleSettings] | None = None


@dataclass(frozen=True, slots=True)
class TriedExample:
    """An article that a rule must find, or must not; `path` leads to it in the settings of the rule."""

    article: Article
    wanted: bool
    path: tuple[str | int, ...]


def compile_written(
    written: Iterable[WrittenRule],
    lists: Mapping[str, Expression],
    gazetteer: Gazetteer,
    problems: list[Problem],
    *,
    try_examples: bool = True,
) -> RuleSet:
    """Compile rules, then try the examples of those that can be used."""
    written = tuple(written)
    rules = [each.rule for each in written]
    compilation = compile_rules(rules, gazetteer=gazetteer, lists=lists, budget=BUDGET)
    for each in written:
        errors = compilation.problems.get(each.rule.id, ())
        for error in errors:
            place = place_in(each.document.lines, each.query, error.position)
            problems.append(at(each.document, place, error.message, error.hint))
        if try_examples and not errors:
            problems += [
                failed_example(each, example)
                for example in examples(each)
                if explain_example(each, example, compilation.rules).matched is not example.wanted
            ]
    return compilation.rules


def written_rules(sources: Iterable[Source[RulesFile]]) -> tuple[WrittenRule, ...]:
    """Return every rule that has a query, in the order of the files."""
    return tuple(_written(sources))


def _written(sources: Iterable[Source[RulesFile]]) -> Iterator[WrittenRule]:
    """Yield every rule that has a query, also a broken one, so that its query is checked all the same.

    What has no id of its own gets one that no id can be.
    """
    ids: set[str] = set()
    for source in sources:
        sound = {id(item.node): item for item in source.items("rules", source.settings.rules)}
        for number, node in enumerate(source.root.items("rules")):
            query, name = node.children.get("query"), node.children.get("id")
            if query is not None and isinstance(query.value, str):
                item = sound.get(id(node))
                rule = records.rule(item.settings) if item else Rule(id="", query=query.value)
                rule_id = name.value if name and isinstance(name.value, str) else ""
                if not rule_id or rule_id in ids:
                    rule_id = f"{source.document.file}#{number}"
                ids.add(rule_id)
                if rule.id != rule_id:
                    rule = replace(rule, id=rule_id)
                yield WrittenRule(rule, query, source.document, item)


def place_of_rule(written: WrittenRule) -> str:
    """Return the file and the line in which a rule begins."""
    node = written.item.node if written.item else written.query
    return f"{written.document.file}:{place_of(node).line}"


def read_lists(
    sources: Iterable[Source[RulesFile]], problems: list[Problem]
) -> dict[str, Expression]:
    """Read the named lists; of a broken one a stand-in stays, so that references to it are not refused too."""
    lists: dict[str, Expression] = {}
    for source in sources:
        defined = source.root.children.get("lists")
        for name, node in defined.children.items() if defined else ():
            lists[str(name)] = parse_list(["stand-in"])
            entries = [entry for entry in node.children.values() if isinstance(entry.value, str)]
            errors = [problem for entry in entries for problem in _entry(entry, source.document)]
            if not entries and node.value == []:
                errors = [at(source.document, place_of(node), "the list is empty", "add a term")]
            if entries and not errors:
                try:
                    lists[str(name)] = parse_list([str(entry.value) for entry in entries])
                except QueryError as error:
                    place = place_of(node)
                    errors = [at(source.document, place, error.message, error.hint)]
            problems += errors
    return lists


def _entry(entry: Node, document: Document) -> Iterator[Problem]:
    try:
        parse_list([str(entry.value)])
    except QueryError as error:
        place = place_in(document.lines, entry, error.position)
        yield at(document, place, error.message, error.hint)


def examples(written: WrittenRule) -> Iterator[TriedExample]:
    """Return the examples of a rule, those that must match first."""
    return examples_in(written.item.settings.examples) if written.item else iter(())


def examples_in(settings: ExamplesSettings) -> Iterator[TriedExample]:
    """Yield examples, those that must match first."""
    for key, given, wanted in (
        ("match", settings.match, True),
        ("no_match", settings.no_match, False),
    ):
        for number, example in enumerate(given):
            article = records.example(example, f"{key}-{number}")
            yield TriedExample(article, wanted, ("examples", key, number))


def explain_example(written: WrittenRule, example: TriedExample, rules: RuleSet) -> Explanation:
    """Return why a rule finds an example or does not."""
    return rules.explain(written.rule.id, example.article, ANY_TIME)


def failed_example(written: WrittenRule, example: TriedExample) -> Problem:
    """Return the problem of an example that contradicts its rule."""
    what = "does not find this example" if example.wanted else "finds this example"
    message = f"the rule '{written.rule.id}' {what}"
    if written.item is None:  # pragma: no cover - what has examples has settings
        return at(written.document, written.query.place, message)
    return written.item.problem(example.path, message)
