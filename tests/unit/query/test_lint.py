import pytest

from monitor.core.query import lint, parse
from monitor.core.query.lint import LintId, duplicates


@pytest.mark.parametrize(
    ("query", "id_", "place"),
    [
        ("a1 OR b1 c1", LintId.MIXED_OPERATORS, "b1 c1"),
        ("syria or iraq", LintId.SMALL_OPERATOR, "or"),
        ("syria not sport", LintId.SMALL_OPERATOR, "not"),
        ("syria near iraq", LintId.SMALL_OPERATOR, "near"),
        ("рutin OR trump", LintId.MIXED_SCRIPTS, "рutin"),  # noqa: RUF001 - the first is Cyrillic
        ('"Vladimir Рutin"', LintId.MIXED_SCRIPTS, '"Vladimir Рutin"'),  # noqa: RUF001
        ("рut* OR trump", LintId.MIXED_SCRIPTS, "рut*"),  # noqa: RUF001
        ("FIRST/50(syria AND title:iraq)", LintId.NEVER_THERE, "title:iraq"),
        ("title:FIRST/50(syria)", LintId.NEVER_THERE, "FIRST/50(syria)"),
        ("LEAD(author:smith)", LintId.NEVER_THERE, "author:smith"),
        ("url:LEAD(syria)", LintId.NEVER_THERE, "LEAD(syria)"),
        ("syria AND iraq AND NOT syria", LintId.CONTRADICTION, "NOT syria"),
        ("syria feed:one feed:two", LintId.CONTRADICTION, "feed:two"),
        ("syria country:gb country:fr", LintId.CONTRADICTION, "country:fr"),
        ("syria lang:en lang:fr", LintId.CONTRADICTION, "lang:fr"),
        ("syria site:bbc.com site:cnn.com", LintId.CONTRADICTION, "site:cnn.com"),
        ("syria words>300 words<200", LintId.CONTRADICTION, "words<200"),
        ("syria words>300 words<=300", LintId.CONTRADICTION, "words<=300"),
        ("syria age<1h age>=2h", LintId.CONTRADICTION, "age>=2h"),
        (
            "SCORE(syria:20, un:10, sport:-5) >= 31",
            LintId.NEVER_MATCHES,
            "SCORE(syria:20, un:10, sport:-5) >= 31",
        ),
        ('FIRST/2("no fly zone")', LintId.NEVER_MATCHES, '"no fly zone"'),
        ("re:/no fly/", LintId.NEVER_MATCHES, "re:/no fly/"),
        (r"re:/@\w+/", LintId.NEVER_MATCHES, r"re:/@\w+/"),
        ("title:syria NEAR/3 body:un", LintId.NEVER_MATCHES, "title:syria NEAR/3 body:un"),
        (
            "(title:a1 OR tag:b1) NEAR body:un",
            LintId.NEVER_MATCHES,
            "(title:a1 OR tag:b1) NEAR body:un",
        ),
        ("SENT(title:syria AND body:un)", LintId.NEVER_MATCHES, "SENT(title:syria AND body:un)"),
        ("(iran OR ira*) NEAR/9 talks", LintId.SHORT_WILDCARD, "ira*"),
        ("syria EXCEPT syr*", LintId.SHORT_WILDCARD, "syr*"),
    ],
)
def test_doubt_is_raised_at_its_place(query: str, id_: LintId, place: str) -> None:
    doubts = lint(parse(query))
    found = [(one.id, query[one.position : one.position + one.length]) for one in doubts]
    assert found == [(id_, place)]
    assert all(one.message and one.hint for one in doubts)


@pytest.mark.parametrize(
    "query",
    [
        "a1 OR (b1 c1)",
        '"war and peace"',
        "or",
        "Путин OR Putin",
        "3.5mm OR covid19",
        "FIRST/50(body:syria)",
        "LEAD(title:syria)",
        "body:LEAD(syria)",
        "syria AND NOT iraq",
        "syria EXCEPT (syria OR iraq)",
        "syria (feed:one OR feed:two)",
        "syria lang:pt lang:pt-br",
        "ira* AND talks",
        "syria site:bbc.com site:news.bbc.com",
        "syria words>300 words<302",
        "syria words>=300 words<=300",
        "syria words>300 words>400",
        "syria words>300 age>1h age<2h",
        "syria age>1h age<3601s",
        "syria feed:one lang:en",
        "SCORE(syria:20, un:10, sport:-5) >= 30",
        'FIRST/3("no fly zone")',
        "re:/(no fly|talks)/",
        "re:/a ?b/",
        r"re:/[^ @]+\.com/",
        "title:syria NEAR/3 un",
        "(title:a1 OR b1) NEAR body:un",
        "SENT(syria AND body:un)",
        "PARA(title:syria AND NOT body:un)",
        "iran* NEAR/9 talks",
    ],
)
def test_what_is_meant_raises_no_doubt(query: str) -> None:
    assert lint(parse(query)) == ()


def test_doubts_stand_in_the_order_of_the_text() -> None:
    doubts = lint(parse("syria or iraq OR FIRST/5(title:syria)"))
    assert [doubt.position for doubt in doubts] == sorted(doubt.position for doubt in doubts)
    assert len(doubts) == 3


def test_queries_that_say_the_same_are_found_however_they_are_written() -> None:
    queries = {"a": "Syria iraq", "b": "iraq", "c": "(Iraq AND syria)", "d": "SYRIA  IRAQ"}
    expressions = {id_: parse(query) for id_, query in queries.items()}
    assert list(duplicates(expressions)) == [("c", "a"), ("d", "a")]
