"""What queries mean, and where the ones that mean nothing go wrong."""

import pytest

from monitor.core.query import lint, parse, rule_version, to_text
from monitor.errors import QueryError


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("Syria", "syria"),
        ("a b", "a AND b"),
        ("a OR b c", "a OR (b AND c)"),
        ("a AND b OR c AND d", "(a AND b) OR (c AND d)"),
        ("(a OR b) c", "(a OR b) AND c"),
        ("a NEAR b OR c", "a NEAR/4 b OR c"),
        ("a b NEAR/2 c d", "a AND b NEAR/2 c AND d"),
        ("a NEAR/1 b NEAR/2 c", "(a NEAR/1 b) NEAR/2 c"),
        ("a EXCEPT b NEAR c", "(a EXCEPT b) NEAR/4 c"),
        ("a NOT NEAR b", "a NOT NEAR/4 b"),
        ("a NOT b", "a AND NOT b"),
        ('a NOT "NEAR"', "a AND NOT near"),
        ("a -b -(c OR d)", "a AND NOT b AND NOT (c OR d)"),
        ("a NOT NOT b", "a AND b"),
        ("a AND (b AND (c AND d))", "a AND b AND c AND d"),
        ("title:a b", "title:a AND b"),
        ("title: (a OR b)", "title:(a OR b)"),
        ("lead:(a b)", "LEAD(a AND b)"),
        ("TITLE:a Lang:EN", "title:a AND lang:en"),
        ("and or near", "and AND or AND near"),
        ('"a"', "a"),
        ("“UN resolution”", '"un resolution"'),
        ("cease-fire", '"cease fire"'),
        ('="US"', "=US"),
        ("=NOT", "=NOT"),
        ("AT&T", '"at t"'),
        ("9/11", '"9 11"'),
        ("U.N.", "un"),
        ("拉夫罗夫", '"拉夫罗夫"'),
        ("COVID19 G20", "covid19 AND g20"),
        ('"draft resol** now"', '"draft resol* now"'),
        ("age<120m a", "age<2h AND a"),
        ("age<=90s words>=10 a", "age<=90s AND words>=10 AND a"),
        ("2 OF (a, b OR c, d e)", "2 OF (a, b OR c, d AND e)"),
        (
            "SCORE(a b:3, title:c:-2, lang:en:1) >= 3",
            "SCORE(a AND b:3, title:c:-2, lang:en:1) >= 3",
        ),
        ("re:/a\\/b[)]/", "re:/a\\/b[)]/"),
        ('entity:"Sergey  Lavrov"', 'entity:"sergey lavrov"'),
        ("SENT (a b)", "SENT(a AND b)"),
        ("anti-miss* wom?n's", '"anti miss*" AND wom?n'),
        ("snake_cas*", '"snake cas*"'),
        ("सीरि*", "सीरि*"),
        ('או"ם OR "החלטת או"ם"', 'אום OR "החלטת אום"'),
        ("NEARBY", "nearby"),
        ("NEAR-by", '"near by"'),
    ],
)
def test_query_is_read_as(query: str, canonical: str) -> None:
    assert to_text(parse(query)) == canonical
    assert parse(canonical) == parse(query)


@pytest.mark.parametrize(
    ("query", "position", "length", "message", "hint"),
    [
        ("", 0, 1, "the query is empty", ""),
        ("   ", 3, 1, "the query is empty", ""),
        ("a (b OR c", 2, 1, "this '(' is never closed", "')'"),
        ("a b)", 3, 1, "there is no '(' for this ')'", ""),
        ('a "b c', 2, 1, "the quotes are never closed", ""),
        ("a AND", 5, 1, "something is missing at the end", ""),
        ("a ()", 3, 1, "something is missing before ')'", ""),
        ("AND a", 0, 3, "AND has nothing to stand between", "write and"),
        ("a OR OR b", 5, 2, "OR has nothing to stand between", "write or"),
        ("a NAER/3 b", 2, 6, "unknown operator 'NAER/3'", "did you mean 'NEAR'?"),
        ("a near/3 b", 2, 6, "unknown operator 'near/3'", "NEAR/3"),
        ("a NEAR5 b", 2, 5, "unknown operator 'NEAR5'", "NEAR/5"),
        ("a NEAR/x b", 2, 6, "'NEAR/x' needs a whole number", "NEAR/5"),
        ("a NEAR/-1 b", 2, 7, "'NEAR/-1' needs a whole number", ""),
        ("a NEAR/101 b", 2, 8, "NEAR/101 is out of range", "0 to 100"),
        ("ATLEAST/0(a)", 0, 9, "ATLEAST/0 is out of range", "1 to 100"),
        ("FIRST(a)", 0, 5, "FIRST needs a number", "FIRST/3"),
        ("FRIST/5(a)", 0, 7, "unknown operator 'FRIST/5'", "did you mean 'FIRST'?"),
        ("sent(a)", 0, 4, "unknown operator 'sent('", "did you mean 'SENT'?"),
        ("LEAD poisoning", 0, 4, "LEAD needs '('", "write lead"),
        ("a NOT ONEAR b", 6, 5, "NOT ONEAR does not exist", "NOT NEAR"),
        ("titel:a", 0, 5, "unknown scope 'titel'", "did you mean 'title'?"),
        ("a http://x", 2, 4, "unknown scope 'http'", "quotes"),
        ("NOT sport", 0, 9, "nothing positive to look for", "add a word"),
        ("words>3 age<6h", 0, 14, "nothing positive to look for", ""),
        ("2 OF (a, NOT b, NOT c)", 0, 22, "nothing positive to look for", ""),
        ("SCORE(NOT a:5, b:5) >= 5", 0, 24, "nothing positive to look for", ""),
        ("a ab*", 2, 3, "the wildcard 'ab*' would match too much", "3 letters"),
        ('"so ab* c"', 4, 3, "the wildcard 'ab*' would match too much", ""),
        ("拉夫*", 0, 3, "'拉夫*' cannot have a wildcard", "matched by characters"),
        ("=San*", 0, 5, "an exact form has no wildcards", ""),
        ("a NEAR/3 NOT b", 9, 5, "NOT cannot stand inside NEAR", "NOT (a NEAR b)"),
        ("NOT a NEAR/3 b", 0, 5, "NOT cannot stand inside NEAR", ""),
        ("a EXCEPT (b c)", 10, 3, "AND cannot stand inside EXCEPT", ""),
        ("ATLEAST/2(a b)", 10, 3, "AND cannot stand inside ATLEAST", ""),
        ("re:/(?=a)/", 0, 10, "the regular expression cannot be used", "look-around"),
        ("re:/a*/", 0, 7, "the regular expression cannot be used: it matches nothing", ""),
        ("a re:/b", 2, 4, "the regular expression is never closed", "end it with '/'"),
        ("re:x", 0, 2, "'re:' needs a regular expression", ""),
        ("3 OF (a, b)", 0, 1, "'3 OF' cannot be asked of 2 parts", ""),
        ("OF (a)", 0, 2, "OF needs a number before it", ""),
        ("x OF (a)", 0, 1, "OF needs a number before it", ""),
        ("SCORE(a:1)", 10, 1, "SCORE needs '>='", "SCORE(a:30"),
        ("SCORE(a:1) < 3", 11, 1, "SCORE cannot be compared with '<'", ""),
        ("SCORE(a) >= 1", 7, 1, "a part of SCORE needs ':'", ""),
        ("SCORE(a:x) >= 1", 8, 1, "a whole number is missing", ""),
        ("a & b", 2, 1, "'&' is not an operator", "write AND"),
        ("a !b", 2, 1, "'!' has no meaning here", "write NOT"),
        ('"a b"~5', 5, 1, "'~' has no meaning here", "quotes"),
        ("- a", 0, 1, "'-' stands alone", ""),
        ("a …", 2, 1, "nothing to look for in '…'", ""),
        ("=(a)", 0, 1, "'=' needs a word", ""),
        ("lang:english", 5, 7, "'english' cannot be a lang", "lang:en"),
        ("country:", 8, 1, "a value for 'country:' is missing", ""),
        ("entity:(a)", 7, 1, "the id of an entity is missing", ""),
        ("list:x", 5, 1, "'list:' needs '@'", "list:@my-list"),
        ("a @", 3, 1, "a rule's id is missing", ""),
        ("age<6", 4, 1, "'age<' needs a number", "age<6h"),
        ("words>many", 6, 4, "'words>' needs a number", ""),
        ("size>3", 0, 4, "'size' cannot be compared", "words>300"),
        ("stem(a b)", 7, 1, "'b' cannot stand here", ""),
        ('stem("a b")', 5, 5, "stem() takes one word", ""),
        ("a, b", 1, 1, "',' cannot stand here", ""),
        ("(" * 60 + "a" + ")" * 60, 50, 1, "nested deeper than 50 levels", "@"),
        ("lead:" * 99 + "a", 250, 4, "nested deeper than 50 levels", ""),
        (" AND ".join(["a"] * 10_001), 0, 1, "the query has 10001 terms", "list"),
        (" OR ".join(["*abcd"] * 201), 1800, 1, "201 regular expressions and wildcards", "200"),
        (" NEAR ".join("abcdefg"), 0, 1, "NEAR, ONEAR, NOT NEAR and EXCEPT stand inside", "SENT"),
        (" NEAR ".join(["a"] * 60), 0, 1, "nested deeper than 50 levels", "@"),
        (f"re:/{'a' * 501}/", 0, 506, "the regular expression cannot be used: longer than 500", ""),
        ("a" * 200_001, 200_000, 1, "the query is longer than 200000 characters", ""),
    ],
)  # fmt: skip
def test_query_is_refused_at(
    query: str, position: int, length: int, message: str, hint: str
) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    error = caught.value
    assert (error.position, error.length) == (position, length)
    assert error.message.startswith(message)
    assert hint in error.hint


@pytest.mark.parametrize(
    "query",
    [
        "lang:en",
        "feed:bbc NOT sport",
        "SCORE(a:5, NOT b:3) >= 5",
        "2 OF (a, NOT b, c)",
        "a OR title:b",
    ],
)
def test_something_positive_is_enough(query: str) -> None:
    assert parse(to_text(parse(query))) == parse(query)


def test_mixture_without_parentheses_is_doubted_at_its_place() -> None:
    doubts = lint(parse("x OR a b OR (c AND d)"))
    assert [(d.position, d.length) for d in doubts] == [(5, 3)]
    assert "mixed" in doubts[0].message


def test_version_names_what_a_query_means() -> None:
    assert rule_version("a   b") == rule_version("(A AND b)") == "3550e417cdc8"
    assert rule_version("a b") != rule_version("a OR b")
