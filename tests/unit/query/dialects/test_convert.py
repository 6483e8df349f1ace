import contextlib
from types import ModuleType

import pytest

from monitor.core.engine import compile_rules
from monitor.core.query import parse, to_text
from monitor.core.query.dialects import DIALECTS, convert
from monitor.errors import QueryError
from tests.factories import NOW, article, rule
from tests.unit.query.dialects import brandwatch, emm, factiva, google, lexis, lucene, meltwater

TABLES: dict[str, ModuleType] = {
    "meltwater": meltwater,
    "brandwatch": brandwatch,
    "factiva": factiva,
    "lexis": lexis,
    "lucene": lucene,
    "google": google,
    "emm": emm,
}
CARRIED_OVER = [
    (dialect, theirs, ours)
    for dialect, table in TABLES.items()
    for theirs, ours in table.CARRIED_OVER
]
WITH_LOSS = [
    (dialect, theirs, ours, lost)
    for dialect, table in TABLES.items()
    for theirs, ours, lost in table.WITH_LOSS
]


def found(query: str, text: str) -> bool:
    compiled = compile_rules([rule(query=query)])
    assert compiled.problems == {}
    return bool(compiled.rules.match(article(title=text, summary=""), NOW))


def test_every_dialect_has_a_table_of_25_or_more() -> None:
    assert set(TABLES) == set(DIALECTS)
    assert all(len(one.CARRIED_OVER) + len(one.WITH_LOSS) >= 25 for one in TABLES.values())


@pytest.mark.parametrize(("dialect", "theirs", "ours"), CARRIED_OVER)
def test_query_means_here_what_it_meant_there(dialect: str, theirs: str, ours: str) -> None:
    conversion = convert(dialect, theirs)
    assert (conversion.query, conversion.complete) == (ours, True)
    assert to_text(parse(conversion.query)) == conversion.query


@pytest.mark.parametrize(("dialect", "theirs", "ours", "lost"), WITH_LOSS)
def test_what_is_lost_is_noted_at_its_place(
    dialect: str, theirs: str, ours: str, lost: str
) -> None:
    conversion = convert(dialect, theirs)
    places = [
        theirs[note.position : note.position + note.length]
        for note in conversion.notes
        if note.essential
    ]
    assert (conversion.query, conversion.complete, places) == (ours, False, [lost])


@pytest.mark.parametrize(
    ("dialect", "query", "furthest"),
    [
        ("meltwater", "alpha NEAR/3 omega", 3),
        ("meltwater", "alpha NEAR omega", 4),
        ("brandwatch", "alpha NEAR/3 omega", 3),
        ("brandwatch", '"alpha omega"~3', 3),
        ("brandwatch", "alpha NEAR/3f omega", 3),
        ("factiva", "alpha near3 omega", 2),
        ("factiva", "alpha adj3 omega", 2),
        ("factiva", "alpha w/3 omega", 2),
        ("factiva", "alpha/N3/omega", 2),
        ("factiva", "alpha omega", 0),
        ("lexis", "alpha w/3 omega", 2),
        ("lexis", "alpha pre/3 omega", 2),
        ("lucene", '"alpha omega"~3', 3),
        ("google", "alpha AROUND(3) omega", 3),
        ("google", '"alpha * omega"', 4),
        (
            "emm",
            "define combination proximity 3 begin or alpha end or begin or omega end or end combination",
            2,
        ),
    ],
)
def test_n_reaches_exactly_as_far_as_there(dialect: str, query: str, furthest: int) -> None:
    ours = convert(dialect, query).query
    reached = [words for words in range(8) if found(ours, f"alpha {'x ' * words}omega")]
    assert reached == list(range(furthest + 1))


@pytest.mark.parametrize(
    ("dialect", "query", "in_any_order"),
    [
        ("meltwater", "alpha NEAR/3 omega", True),
        ("meltwater", "alpha ONEAR/3 omega", False),
        ("brandwatch", "alpha NEAR/3f omega", False),
        ("factiva", "alpha near3 omega", True),
        ("factiva", "alpha adj3 omega", False),
        ("lexis", "alpha w/3 omega", True),
        ("lexis", "alpha pre/3 omega", False),
        ("lucene", '"alpha omega"~2', True),
        ("lucene", '"alpha omega"~1', False),
    ],
)
def test_order_counts_where_it_counted_there(dialect: str, query: str, in_any_order: bool) -> None:
    assert found(convert(dialect, query).query, "omega alpha") is in_any_order


@pytest.mark.parametrize(
    ("dialect", "query", "message", "place"),
    [
        ("meltwater", "", "the query is empty", 0),
        ("meltwater", "apple AND", "something is missing at the end", 9),
        ("meltwater", "(apple OR pear", "this '(' is never closed", 0),
        ("meltwater", "(apple OR )", "something is missing before ')'", 10),
        ("meltwater", "apple OR OR pear", "'OR' has nothing to stand between", 9),
        ("meltwater", '"" OR apple', "nothing to look for in ''", 0),
        ("lucene", "apache OR", "something is missing at the end", 9),
        ("lucene", "apache (NOT solr)", "nothing positive to look for", 0),
        (
            "lexis",
            "alpha w/2 beta w/3 gamma w/4 delta w/5 epsilon",
            "NEAR, ONEAR, NOT NEAR and EXCEPT stand inside one another more than 3 times",
            0,
        ),
        ("meltwater", "apple)", "there is no '(' for this ')'", 5),
        ("meltwater", 'pear "apple', "the quotes are never closed", 5),
        ("meltwater", "NOT apple", "nothing positive to look for", 0),
        ("meltwater", "sentiment:negative", "nothing of this query can be carried over", 0),
        ("meltwater", "pear OR d*", "the wildcard 'd*' would match too much", 8),
        ("meltwater", "(apple AND pear) NEAR/3 plum", "AND cannot stand inside NEAR", 1),
        ("meltwater", "apple NEAR/3 NOT pear", "NOT cannot stand inside NEAR", 13),
        ("lucene", "apple AND ]", "']' has no meaning here", 10),
        (
            "lucene",
            "/(a)\\1/",
            "the regular expression cannot be used: invalid escape sequence: \\1",
            0,
        ),
        ("google", "OR apple", "'OR' has nothing to stand between", 0),
        ("emm", "", "the query is empty", 0),
        ("emm", "flu", "the weight of a pattern is missing", 3),
        ("emm", "define alert X flu 10", "'end alert' is missing", 21),
        ("emm", "define combination end combination", "'begin or' is missing", 19),
        ("emm", "define combination begin or end or end combination", "the group is empty", 28),
    ],
)
def test_query_that_is_wrong_is_refused_at_its_place(
    dialect: str, query: str, message: str, place: int
) -> None:
    with pytest.raises(QueryError) as caught:
        convert(dialect, query)
    assert (caught.value.message, caught.value.position) == (message, place)


@pytest.mark.parametrize("opening", ["(", "-(", "title:(", "atleast2(", "[", "{"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_nesting_without_end_is_refused(dialect: str, opening: str) -> None:
    with pytest.raises(QueryError):
        convert(dialect, opening * 2_000)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "a1 ",
        "a1 OR ",
        "a1 NOT ",
        "a1 w/2 ",
        "a1 near2 ",
        "x:[ ",
        "<<< ",
        '"a1" ',
        "+a1 ",
        "NOT ",
        "- ",
        "/N1/",
    ],
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_long_query_is_read_or_refused_without_delay(dialect: str, piece: str) -> None:
    query = piece * (20_000 // len(piece)) + "a1"
    with contextlib.suppress(QueryError):  # too many terms, or too near to each other
        assert convert(dialect, query).query


def test_quote_inside_a_hebrew_abbreviation_does_not_begin_a_phrase() -> None:
    assert convert("meltwater", 'או"ם AND ישראל').query == to_text(parse('או"ם AND ישראל'))
