"""The rule set asks only some rules; it must answer as if it asked them all."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.engine import Evaluation, RuleSet, compile_rules
from monitor.core.engine.anchors import anchors, features
from monitor.core.engine.evaluation import Bindings
from monitor.core.engine.ruleset import CompiledRule
from monitor.core.entities import Gazetteer
from monitor.core.model import Article
from monitor.core.query.expression import EntityRef, Expression, ListRef, RuleRef, disjunction
from monitor.core.text import analyse
from tests.factories import NOW, rule
from tests.strategies import articles, expressions, terms, unhurried

GAZETTEER = Gazetteer.from_records(
    [{"id": "e", "type": "org", "names": {"en": ["UN draft", {"n": "Syria", "case": "title"}]}}]
)
references = st.sampled_from([EntityRef("e"), ListRef("l"), RuleRef("r")])


@unhurried
@given(
    st.lists(expressions | references, max_size=4),
    st.lists(terms, min_size=1, max_size=3),
    expressions,
    articles,
)
def test_rule_set_agrees_with_asking_every_rule(
    asked: list[Expression], listed: list[Expression], referred: Expression, article: Article
) -> None:
    bindings = Bindings({"r": referred}, {"l": disjunction(listed)}, GAZETTEER)
    compiled = [CompiledRule(rule(id=str(n)), e, "") for n, e in enumerate(asked)]
    found = [match.rule_id for match in RuleSet(compiled, bindings).match(article, NOW)]
    oracle = Evaluation(analyse(article), bindings, NOW)
    assert found == [str(n) for n, e in enumerate(asked) if oracle.matches(e)]


@unhurried
@given(expressions, articles)
def test_what_matches_has_an_anchor(expression: Expression, article: Article) -> None:
    analysed = analyse(article)
    needed = anchors(expression, Bindings())
    if needed is not None and Evaluation(analysed, Bindings(), NOW).matches(expression):
        assert needed & features(analysed.vocabulary())


def test_rules_on_other_words_are_not_asked() -> None:
    queries = [
        "syria",
        '"un draft"',
        "syria OR resol*",
        "2 OF (a, b, syria) -b",
        "SCORE(a:3, b:1) >= 3",
    ]
    rules = compile_rules([rule(id=str(n), query=query) for n, query in enumerate(queries)]).rules
    candidates = rules._candidates(analyse(Article(id="x", title="UN a")))
    assert [compiled.rule.query for compiled in candidates] == [
        "2 OF (a, b, syria) -b",
        "SCORE(a:3, b:1) >= 3",
    ]
