"""The rule set asks only some rules; it must answer as if it asked them all, also while rules come and go."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.engine import Evaluation, RuleSet, compile_rules
from monitor.core.engine.catalogue import CompiledRule
from monitor.core.engine.evaluation import Bindings, go_on
from monitor.core.engine.explain import spans
from monitor.core.entities import Gazetteer
from monitor.core.model import Article, Rule
from monitor.core.query import to_text
from monitor.core.query.expression import (
    EntityRef,
    Expression,
    ListRef,
    RuleRef,
    children,
    disjunction,
    walk,
    with_parts,
)
from monitor.core.text import analyse
from monitor.errors import QueryError
from tests.factories import NOW, rule
from tests.matchers import MATCHERS
from tests.strategies import articles, expressions, terms, unhurried

GAZETTEER = Gazetteer.from_records(
    [
        {
            "id": "e",
            "type": "org",
            "names": {
                "en": [
                    "UN draft",
                    {"n": "Syria", "case": "title"},
                    {"n": "UN", "not": ["UN Syria"]},
                ]
            },
        }
    ]
)
references = st.sampled_from([EntityRef("e"), ListRef("l"), RuleRef("r")])
many = st.lists(terms, min_size=5, max_size=9).map(disjunction)
asked = st.lists(
    st.one_of(
        expressions,
        references,
        many,
        st.tuples(many, expressions).map(lambda pair: disjunction([*pair])),
    ),
    max_size=6,
)


@unhurried
@given(asked, st.lists(terms, min_size=1, max_size=6), expressions, articles)
def test_rule_set_agrees_with_asking_every_rule(
    queries: list[Expression], listed: list[Expression], referred: Expression, article: Article
) -> None:
    bindings = Bindings({"r": referred}, {"l": disjunction(listed)}, GAZETTEER)
    compiled = [CompiledRule(rule(id=str(n)), query, "") for n, query in enumerate(queries)]
    analysed = analyse(article)
    oracle = Evaluation(analysed, bindings, NOW)
    expected = {
        str(n): spans(oracle.leaves(query), analysed)
        for n, query in enumerate(queries)
        if oracle.matches(query)
    }
    for native in MATCHERS.values():
        found = RuleSet(compiled, bindings, native=native).match(article, NOW)
        assert {match.rule_id: match.spans for match in found} == expected


@unhurried
@given(expressions)
def test_a_node_made_of_its_own_parts_is_the_same(expression: Expression) -> None:
    for node in walk(expression):
        assert with_parts(node, children(node)) == node


_IDS = ("a", "b", "c")
_queries = st.one_of(
    expressions.map(to_text),
    many.map(to_text),
    st.sampled_from(["@a", "@b AND un", "@c OR syria", "un", "un AND syria", "url:talks"]),
)
_changes = st.lists(
    st.tuples(st.sampled_from(["add", "change", "remove"]), st.sampled_from(_IDS), _queries),
    max_size=12,
)


@pytest.mark.parametrize("matcher", MATCHERS)
@unhurried
@given(_changes, articles)
def test_changed_step_by_step_is_as_made_at_once(
    matcher: str, changes: list[tuple[str, str, str]], article: Article
) -> None:
    rules = compile_rules([], native=MATCHERS[matcher]).rules
    present: dict[str, Rule] = {}
    for what, id_, query in changes:
        given_rule = rule(id=id_, query=query, version="")
        with suppress(QueryError):
            if what == "remove":
                rules.remove(id_)
                del present[id_]
            else:
                (rules.add if what == "add" else rules.change)(given_rule)
                present[id_] = given_rule
        rebuilt = compile_rules(list(present.values()), native=MATCHERS[matcher])
        assert rebuilt.problems == {}
        assert rules.match(article, NOW) == rebuilt.rules.match(article, NOW)
        assert len(rules) == len(present)


@pytest.mark.parametrize("matcher", MATCHERS)
@unhurried
@given(st.lists(st.tuples(st.sampled_from(_IDS), _queries), max_size=8), articles)
def test_what_is_taken_out_leaves_nothing_behind(
    matcher: str, added: list[tuple[str, str]], article: Article
) -> None:
    rules = compile_rules([], native=MATCHERS[matcher]).rules
    for id_, query in added:
        with suppress(QueryError):
            rules.remove(id_) if id_ in rules else rules.add(rule(id=id_, query=query))
    waiting = {id_ for id_ in _IDS if id_ in rules}
    while waiting:
        for id_ in sorted(waiting):
            try:
                rules.remove(id_)
            except QueryError:
                continue
            waiting.remove(id_)
    assert rules.match(article, NOW) == ()
    assert rules.held() == 0


def test_rules_on_other_words_are_not_asked() -> None:
    queries = ["syria", '"un draft"', "un AND resol*", "2 OF (a, b, syria) -b", "un NEAR/3 a"]
    given_rules = [rule(id=str(n), query=query) for n, query in enumerate(queries)]
    rules = compile_rules(given_rules, native=None).rules
    analysed = analyse(Article(id="x", title="UN a b"))
    candidates = rules._catalogue.candidates(analysed, NOW, go_on)
    assert {to_text(query.expression) for query in candidates.others} == {
        "2 OF (a, b, syria) AND NOT b",
        "un NEAR/3 a",
    }
    assert not candidates.sure
