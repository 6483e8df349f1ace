"""Merges rules that people made while the system runs with those of files. Of two with the same id the file's counts.

Rules that were made may refer to those of files and to each other; files may not refer to them, so that
`monitor check` says the same wherever it runs.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from pydantic import ValidationError

from monitor.config import records
from monitor.config.problems import in_words
from monitor.config.rulebase import Rulebase
from monitor.config.rules import ANY_TIME, BUDGET, examples_in
from monitor.config.schema import ExamplesSettings, RuleSettings
from monitor.core.engine import Compilation, compile_rules
from monitor.core.engine.revision import concerned, referred, revise
from monitor.core.made import LeftOut, Made
from monitor.core.model import Rule
from monitor.core.notice import is_our_own
from monitor.errors import QueryError, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeRule:
    """A rule that was made, with its examples."""

    rule: Rule
    examples: ExamplesSettings


def read_rule(rule_id: str, made: Made) -> MadeRule:
    """Read settings as `rules.yaml` is read; raise `RefusedError` with what is wrong first."""
    try:
        settings = RuleSettings.model_validate({**made.settings, "id": rule_id})
    except ValidationError as error:
        raise RefusedError(*in_words(error)) from error
    if is_our_own(rule_id):
        raise RefusedError(f"the id '{rule_id}' is the monitor's own: take another", "id")
    return MadeRule(rule=records.rule(settings), examples=settings.examples)


def merge(files: Rulebase, made: Mapping[str, Made], base: Rulebase) -> Rulebase:
    """Return the rules of files with those that were made and can be used, as a revision of `base`.

    `base` has the vocabulary of `files`, and its rule set holds exactly its rules. Nothing changes in it here.
    """
    read, left_out = _read({id_: each for id_, each in made.items() if id_ not in files.rules})
    rules = {**files.rules, **{id_: each.rule for id_, each in read.items()}}
    while broken := _broken(rules, read, base):
        left_out |= {id_: LeftOut(rule=rules.pop(id_), why=why) for id_, why in broken.items()}
    used = {id_: each for id_, each in read.items() if id_ in rules}
    return replace(
        files,
        rules=rules,
        examples=files.examples | {id_: each.examples for id_, each in used.items()},
        rule_set=base.rule_set,
        revision=revise(base.rules, rules),
        made=frozenset(used),
        left_out=left_out,
    )


def _read(made: Mapping[str, Made]) -> tuple[dict[str, MadeRule], dict[str, LeftOut]]:
    read: dict[str, MadeRule] = {}
    left_out: dict[str, LeftOut] = {}
    for id_, each in made.items():
        try:
            read[id_] = read_rule(id_, each)
        except RefusedError as error:
            left_out[id_] = LeftOut(rule=Rule(id=id_, query=""), why=str(error))
    return read, left_out


def _broken(rules: Mapping[str, Rule], read: Collection[str], base: Rulebase) -> dict[str, str]:
    """Return what is wrong with rules that were made, among those that the difference to `base` concerns."""
    problems = _compiled(rules, base).problems
    return {id_: _said(errors[0]) for id_, errors in problems.items() if id_ in read}


def _compiled(rules: Mapping[str, Rule], base: Rulebase, also: Iterable[str] = ()) -> Compilation:
    """Compile what differs from `base`, and `also` some others, with all that these concern."""
    revision = revise(base.rules, rules)
    changed = {rule.id for rule in revision.put}.union(revision.drop, also)
    some = [*concerned(rules, changed).values()]
    names = base.vocabulary
    return compile_rules(some, gazetteer=names.gazetteer, lists=names.lists, budget=BUDGET)


def _said(error: QueryError) -> str:
    place = f"at character {error.position + 1}: {error.message}"
    return f"{place} ({error.hint})" if error.hint else place


def try_rule(rule_id: str, made: Made, base: Rulebase) -> None:
    """Raise `QueryError` or `RefusedError` unless the rule can be put in force beside those of `base`."""
    given = read_rule(rule_id, made)
    rules = {**base.rules, rule_id: given.rule}
    compilation = _compiled(rules, base, also=(rule_id,))
    for error in compilation.problems.get(rule_id, ()):
        raise error
    for other, errors in compilation.problems.items():
        raise RefusedError(f"the rule '{other}' refers to it and would break: {_said(errors[0])}")
    for example in examples_in(given.examples):
        explanation = compilation.rules.explain(rule_id, example.article, ANY_TIME)
        if explanation.matched is not example.wanted:
            what = "does not find" if example.wanted else "finds"
            where = ".".join(str(step) for step in example.path)
            raise RefusedError(f"the rule '{rule_id}' {what} the example {where}", where)


def referring(rule_id: str, base: Rulebase) -> str | None:
    """Return a rule that refers to this one, if some do."""
    return next((each.id for each in base.rules.values() if rule_id in referred(each)), None)
