from typing import Any

import pytest

from monitor.core.matchers import (
    Matcher,
    MatcherError,
    Matchers,
    Operator,
    Subject,
    parse_matchers,
    read_matchers,
)
from monitor.core.model import Severity, Span
from tests.factories import article, match

ENTITIES = tuple(
    Span(field="title", start=0, end=1, text="x", part=part)
    for part in ("entity:syria", "talks", 'entity:"Sergey Lavrov"', "entity:syria")
)


def subject(**changes: Any) -> Subject:
    told = match(severity=Severity.WARNING, labels={"region": "europe"}, spans=ENTITIES)
    found_in = article(lang="en-GB", category="Politics", country="GB", **changes)
    return Subject(found_in, told, "desk", "desk/slack")


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("rule=talks", True),
        ("rule!=talks", False),
        ("rule=Talks", False),
        ("rule=~t.*s", True),
        ("rule=~t", False),
        ("rule!~t", True),
        ('rule=~"talks|vote"', True),
        ("severity=warning", True),
        ("severity=critical", False),
        ("feed=example-world", True),
        ("lang=en", True),
        ("lang=EN-gb", True),
        ("lang=de", False),
        ("lang!=en", False),
        ("lang=~en.*", True),
        ("lang!~e.", False),
        ("category=politics", True),
        ("category=Politics", True),
        ("country=~G.", True),
        ("entity=syria", True),
        ("entity=sergey lavrov", True),
        ("entity=Syria", True),
        ("entity=assad", False),
        ("entity!=syria", False),
        ("entity!=assad", True),
        ("entity=~s.*v", True),
        ("entity!~x.*", True),
        ("region=europe", True),
        ("region=Europe", False),
        ("desk=europe", False),
        ("desk=", True),
        ("desk!=europe", True),
        ("desk!=", False),
        ('desk=~"|europe"', True),
        ("desk=~.+", False),
        ("desk!~europe", True),
        ("article=a1", True),
        ("subscriber=desk", True),
        ("target=desk/slack", True),
        ("target=~desk/.*", True),
    ],
)
def test_matcher_compares_as_alertmanager_does(text: str, accepted: bool) -> None:
    [matcher] = parse_matchers(text)
    assert matcher.accepts(subject()) is accepted


def test_story_is_that_of_the_headline() -> None:
    [matcher] = parse_matchers(f"story={subject().values('story')[0]}")
    assert matcher.accepts(subject(title="TALKS resume in Geneva"))
    assert not matcher.accepts(subject(title="Talks end in Geneva"))


def test_match_without_entities_has_an_empty_one() -> None:
    bare = Subject(article(), match())
    assert [each.accepts(bare) for each in parse_matchers("entity=, entity!=x, entity=~.+")] == [
        *(True, True, False)
    ]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a=b", [("a", "=", "b")]),
        (" a = b ", [("a", "=", "b")]),
        ("{a=b}", [("a", "=", "b")]),
        (
            "a=b,c!=d , e=~f,g!~h",
            [("a", "=", "b"), ("c", "!=", "d"), ("e", "=~", "f"), ("g", "!~", "h")],
        ),
        ('a="b, c"', [("a", "=", "b, c")]),
        ('a="b" , c=d', [("a", "=", "b"), ("c", "=", "d")]),
        (r'a="say \"x\" \\ and\n"', [("a", "=", 'say "x" \\ and\n')]),
        ("a=world news", [("a", "=", "world news")]),
        ("a=", [("a", "=", "")]),
        ("a=,b=c,", [("a", "=", ""), ("b", "=", "c")]),
        ("a==b", [("a", "=", "=b")]),
        ("a-b.c_d=e", [("a-b.c_d", "=", "e")]),
        ("область=x", None),
        ('a="Киев"', [("a", "=", "Киев")]),
    ],
)
def test_matchers_are_read_as_alertmanager_writes_them(text: str, read: Any) -> None:
    if read is None:
        with pytest.raises(MatcherError):
            parse_matchers(text)
        return
    found = parse_matchers(text)
    assert [(each.name, each.operator, each.value) for each in found] == read
    assert parse_matchers(",".join(map(str, found))) == found


def test_places_of_matchers_and_their_values_are_known() -> None:
    reads = read_matchers('{a=b, cd =~ "e"}')
    assert [(read.start, read.value) for read in reads] == [(1, 3), (6, 12)]


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "no matcher here"),
        ("{}", 0, "no matcher here"),
        ("  ", 0, "no matcher here"),
        ("=b", 0, "expected a name"),
        ("a=b,=c", 4, "expected a name"),
        ("a", 1, "expected =, !=, =~ or !~ after 'a'"),
        ("a b=c", 2, "expected =, !=, =~ or !~ after 'a'"),
        ("a>b", 1, "expected =, !=, =~ or !~ after 'a'"),
        ('a="b', 2, "a quote that is not closed"),
        ('a=b"c', 3, "more after the value"),
        ('a="b"c', 5, "more after the value"),
        ("{a=b", 0, "a brace that is not closed"),
        ("a=b}", 3, "more after the value"),
        ("a=~(b", 3, "not a regular expression: missing ): (b"),
        (r"a=~(?=b)", 3, "not a regular expression: invalid perl operator: (?="),
        ("a=~" + "b" * 1001, 3, "a pattern of more than 1000 characters"),
    ],
)
def test_mistake_in_a_matcher_has_its_place(text: str, position: int, message: str) -> None:
    with pytest.raises(MatcherError) as caught:
        parse_matchers(text)
    assert (caught.value.position, caught.value.message) == (position, message)


@pytest.mark.parametrize("value", ["b c", "b,c", 'b"c', "b\\c", "b\nc", "", " b", "{b}", "b=c"])
def test_matcher_is_written_so_that_it_is_read_again(value: str) -> None:
    matcher = Matcher("a", Operator.IS, value)
    assert parse_matchers(str(matcher)) == (matcher,)


def test_conditions_are_written_in_one_line() -> None:
    asks = Matchers(
        severity=Severity.CRITICAL,
        rule=frozenset({"b", "a"}),
        labels={"region": frozenset({"asia"})},
        entity=frozenset({"syria"}),
        texts=parse_matchers('lang!="ru"'),
    )
    assert str(asks) == "severity>=critical, rule=a|b, entity=syria, region=asia, lang!=ru"
