"""Whatever files and people say, in whatever order, what is in force is what a fresh start would put in force."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monitor.config.made import merge
from monitor.config.rulebase import Rulebase
from monitor.core.engine import compile_rules
from monitor.core.engine.revision import revise
from monitor.core.made import Made
from monitor.core.model import Rule
from tests.factories import NOW, article

IDS = ("a", "b", "c", "d")
OF_FILES = st.dictionaries(st.sampled_from(IDS), st.sampled_from(("talks", "vote", "flood")))
QUERIES = ("talks", "vote", "@a", "@b AND talks", "@d OR vote", "talks AND (", "list:@gone", "@c")
OF_PEOPLE = st.dictionaries(st.sampled_from(IDS), st.sampled_from(QUERIES))
ARTICLE = article(title="Talks on the flood before the vote")


def of_files(said: dict[str, str], base: Rulebase | None = None) -> Rulebase:
    """What loading gives: without a base all is compiled, with one what differs is left to be carried out."""
    rules = {id_: Rule(id=id_, query=query) for id_, query in said.items()}
    if base is None:
        return Rulebase(rules=rules, rule_set=compile_rules([*rules.values()]).rules)
    revision = revise(base.rules, rules)
    return replace(base, rules=rules, revision=revision, made=frozenset(), left_out={})


def found(rulebase: Rulebase) -> set[str]:
    return {each.rule_id for each in rulebase.rule_set.match(ARTICLE, NOW)}


@given(st.lists(st.tuples(OF_FILES, OF_PEOPLE), min_size=1, max_size=5))
def test_what_is_in_force_does_not_depend_on_what_was(
    turns: list[tuple[dict[str, str], dict[str, str]]],
) -> None:
    standing = of_files({})
    for said, asked in turns:
        made = {id_: Made(settings={"query": query}) for id_, query in asked.items()}
        standing = merge(of_files(said, standing), made, standing).carried_out()
        afresh = merge(of_files(said), made, of_files(said)).carried_out()
        assert found(standing) == found(afresh)
        assert standing.rules == afresh.rules
        assert standing.left_out.keys() == afresh.left_out.keys()
        assert len(standing.rule_set) == len(standing.rules)


@given(OF_FILES, OF_PEOPLE)
def test_of_two_rules_with_one_id_the_one_of_a_file_is_in_force(
    said: dict[str, str], asked: dict[str, str]
) -> None:
    made = {id_: Made(settings={"query": query}) for id_, query in asked.items()}
    files = of_files(said)
    merged = merge(files, made, files).carried_out()
    assert {id_: merged.rules[id_].query for id_ in said} == said
    assert merged.made | merged.left_out.keys() == asked.keys() - said.keys()
