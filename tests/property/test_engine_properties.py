"""What holds of any query asked of any article."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.engine import Bindings, Evaluation
from monitor.core.engine.explain import Explanation, explain_node, spans
from monitor.core.model import Article
from monitor.core.query.expression import (
    And,
    AtLeastOf,
    Compare,
    Except,
    Expression,
    Has,
    Not,
    NotNear,
    Or,
    Score,
    conjunction,
    disjunction,
    negation,
    walk,
)
from monitor.core.text import analyse
from tests.factories import NOW
from tests.strategies import articles, expressions, positional, prose, unhurried


def evaluation(article: Article) -> Evaluation:
    return Evaluation(analyse(article), Bindings(), NOW)


def matches(expression: Expression, article: Article) -> bool:
    return evaluation(article).matches(expression)


def nodes(explanation: Explanation) -> Iterator[Explanation]:
    yield explanation
    for child in explanation.children:
        yield from nodes(child)


@unhurried
@given(expressions, articles)
def test_spans_are_what_stands_in_the_article(expression: Expression, article: Article) -> None:
    analysed = analyse(article)
    asked = Evaluation(analysed, Bindings(), NOW)
    found = spans(asked.leaves(expression), analysed)
    texts = {
        "title": [article.title],
        "summary": [article.summary],
        "body": [article.body],
        "author": [article.author],
        "url": [article.url],
        "tag": list(article.tags),
    }
    assert len(set(found)) == len(found)
    assert asked.matches(expression) or not found
    for span in found:
        assert span.text
        assert span.text in {text[span.start : span.end] for text in texts[span.field]}


@unhurried
@given(positional, articles)
def test_what_has_a_place_matches_where_it_has_one(
    expression: Expression, article: Article
) -> None:
    asked = evaluation(article)
    assert asked.matches(expression) == bool(list(asked.leaves(expression)))


@unhurried
@given(expressions, articles)
def test_explanation_agrees_with_the_match(expression: Expression, article: Article) -> None:
    analysed = analyse(article)
    asked = Evaluation(analysed, Bindings(), NOW)
    explanation = explain_node(expression, analysed, asked)
    assert explanation.matched == matches(expression, article)
    assert explanation.spans == spans(asked.leaves(expression), analysed)
    assert all(node.matched or not node.spans for node in nodes(explanation))


@unhurried
@given(st.lists(expressions, min_size=2, max_size=3), articles)
def test_order_of_parts_does_not_count(parts: list[Expression], article: Article) -> None:
    backwards = parts[::-1]
    assert matches(conjunction(parts), article) == matches(conjunction(backwards), article)
    assert matches(disjunction(parts), article) == matches(disjunction(backwards), article)


@unhurried
@given(st.lists(expressions, min_size=2, max_size=3), articles)
def test_operators_agree_with_each_other(parts: list[Expression], article: Article) -> None:
    held = [matches(part, article) for part in parts]
    assert matches(And(tuple(parts)), article) == all(held)
    assert matches(Or(tuple(parts)), article) == any(held)
    for count in range(1, len(parts) + 1):
        assert matches(AtLeastOf(count, tuple(parts)), article) == (sum(held) >= count)


@unhurried
@given(expressions, articles)
def test_negation_turns_the_answer_round(expression: Expression, article: Article) -> None:
    asked = evaluation(article)
    assert asked.matches(Not(expression)) != asked.matches(expression)
    assert asked.matches(Not(Not(expression))) == asked.matches(expression)
    assert asked.matches(negation(Not(expression))) == asked.matches(expression)
    assert list(asked.leaves(Not(expression))) == []


@unhurried
@given(expressions, articles, prose)
def test_a_paragraph_more_takes_no_match_away(
    expression: Expression, article: Article, more: str
) -> None:
    negative = (Not, NotNear, Except, Compare, Has)
    if any(isinstance(node, negative) for node in walk(expression)):
        return
    if any(w.weight < 0 for n in walk(expression) if isinstance(n, Score) for w in n.parts):
        return
    longer = type(article)(
        **{name: getattr(article, name) for name in article.__dataclass_fields__}
        | {"body": article.body + "\n\n" + more}
    )
    assert matches(expression, longer) or not matches(expression, article)
