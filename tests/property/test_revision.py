"""Rules that are revised step by step answer as those that are compiled at once."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.engine import compile_rules
from monitor.core.engine.revision import concerned, revise
from monitor.core.model import Rule
from monitor.core.query import parse
from monitor.core.query.expression import RuleRef, walk
from monitor.errors import QueryError
from tests.factories import NOW, article, rule
from tests.strategies import unhurried

_IDS = ("a", "b", "c", "d")
_QUERIES = ("un", "syria", "@a", "@b un", "@c OR syria", "@ d un", "un NOT @a", "draft")
_TITLES = ("UN", "Syria", "UN Syria", "draft")
_books = st.dictionaries(st.sampled_from(_IDS), st.sampled_from(_QUERIES)).map(
    lambda queries: {id_: rule(id=id_, query=query, version="") for id_, query in queries.items()}
)


@unhurried
@given(st.lists(_books, min_size=2, max_size=5))
def test_revised_is_as_compiled_at_once(books: list[dict[str, Rule]]) -> None:
    sound = [book for book in books if not compile_rules([*book.values()]).problems]
    rules = compile_rules([]).rules
    before: dict[str, Rule] = {}
    for after in sound:
        with suppress(QueryError):  # references were traded: then all are compiled again
            revise(before, after).carry_out(rules)
            expected = compile_rules([*after.values()]).rules
            assert len(rules) == len(expected)
            for title in _TITLES:
                asked = article(title=title, summary="")
                assert rules.match(asked, NOW) == expected.match(asked, NOW)
            before = after
            continue
        rules, before = compile_rules([*after.values()]).rules, after


@unhurried
@given(_books, st.sets(st.sampled_from(_IDS)))
def test_what_a_change_concerns_holds_all_that_it_can_change_and_all_that_they_need(
    book: dict[str, Rule], changed: set[str]
) -> None:
    found = concerned(book, changed)
    targets = {
        id_: {node.id for node in walk(parse(each.query)) if isinstance(node, RuleRef)}
        for id_, each in book.items()
    }
    for id_ in found:
        assert targets[id_] & book.keys() <= found.keys()
    for id_, needed in targets.items():
        if id_ in changed or needed & changed:
            assert id_ in found
