"""Whatever is given to an importer, it says what is wrong or gives a query that can be read."""

from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.core.query import check, parse, to_text
from monitor.core.query.dialects import DIALECTS, Conversion, convert
from monitor.errors import QueryError
from tests.strategies import unhurried

PIECES = [
    "(", ")", "[", "]", '"', "AND", "OR", "NOT", "-", "+", "!", "NEAR/3", "ONEAR", "NEAR/2f", "near5",
    "adj2", "w/3", "pre/3", "not w/2", "w/s", "w/p", "same", "atleast3", "/N3/", "/F5/", "title:",
    "hd=", "site:", "headline(", "atleast2(", "allcaps(", "language:", "*", "?", "!", "$2", "~3",
    "^2", "~", "{", "}", "<<<", ">>>", "&&", "|", "wc>300", "when:7d", "AROUND(3)", "begin or",
    "end or", "begin not", "end not", "define alert", "define patterns", "end patterns", "words threshold",
    "define combination", "end combination", "proximity", "30", "-5", "%", "_", ",", "/", "\\", ":",
    "syria", "resol*", "لافروف", "拉夫罗夫", 'או"ם', "bbc.co.uk", "o'brien", "title", "re", "\u0130",
]  # fmt: skip
queries = st.one_of(
    st.text(max_size=60),
    st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(["", " "])), max_size=14).map(
        lambda pairs: "".join(piece + blank for piece, blank in pairs)
    ),
)


def converted(dialect: str, query: str) -> tuple[Conversion | None, QueryError | None]:
    try:
        return convert(dialect, query), None
    except QueryError as error:
        return None, error


@unhurried
@given(st.sampled_from(DIALECTS), queries)
def test_conversion_can_be_read_or_its_error_has_a_place(dialect: str, query: str) -> None:
    conversion, error = converted(dialect, query)
    if error:
        assert 0 <= error.position <= len(query)
        assert error.length >= 1
    if conversion:
        parse(conversion.query)
        for note in conversion.notes:
            assert 0 <= note.position < note.position + note.length <= len(query)


chains = st.lists(
    st.tuples(
        st.sampled_from([" AND ", " OR ", " ", " AND NOT ", " NEAR/3 ", " ONEAR/2 "]),
        st.sampled_from(["syria", '"un resolution"', "resol*", "(iran OR iraq)", "title:talks"]),
    ),
    max_size=6,
).map(lambda pairs: "lavrov" + "".join(operator + operand for operator, operand in pairs))


@unhurried
@given(chains)
def test_language_with_our_precedence_reads_as_ours(query: str) -> None:
    assume(not check(query))
    assert convert("meltwater", query).query == to_text(parse(query))
