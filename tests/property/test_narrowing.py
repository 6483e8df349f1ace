"""A narrowing leaves out no article that the query finds."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.engine import Bindings, Evaluation
from monitor.core.entities import Gazetteer
from monitor.core.model import Article
from monitor.core.narrowing import AllOf, AnyOf, HasPrefix, HasWord, Narrowing, index_words, narrow
from monitor.core.query import parse
from monitor.core.query.expression import Expression
from monitor.core.text import analyse
from tests.factories import NOW
from tests.strategies import articles, expressions, unhurried

BINDINGS = Bindings(
    rules={"other": parse("syria AND draft")},
    lists={"places": parse("syria OR laos")},
    gazetteer=Gazetteer(),
)


def has(words: frozenset[str], narrowing: Narrowing) -> bool:
    match narrowing:
        case HasWord(word=word):
            return word in words
        case HasPrefix(prefix=prefix):
            return any(word.startswith(prefix) for word in words)
        case AllOf(parts=parts):
            return all(has(words, part) for part in parts)
        case AnyOf(parts=parts):
            return any(has(words, part) for part in parts)


@unhurried
@given(expressions, articles)
def test_what_a_query_finds_is_not_left_out(expression: Expression, article: Article) -> None:
    if Evaluation(analyse(article), BINDINGS, NOW).matches(expression):
        assert has(index_words(article), narrow(expression, BINDINGS))


@unhurried
@given(st.sampled_from(["@other", "list:@places", "@other AND list:@places"]), articles)
def test_references_are_followed(query: str, article: Article) -> None:
    expression = parse(query)
    if Evaluation(analyse(article), BINDINGS, NOW).matches(expression):
        assert has(index_words(article), narrow(expression, BINDINGS))
