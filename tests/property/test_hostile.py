"""Whatever a query or an article holds, it costs a bounded time, and a query raises nothing but QueryError.

Times are CPU time of the process, with a margin of ten and more over what they take on a slow machine.
"""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from time import process_time, thread_time

import pytest

from monitor.core.engine import Budget, RuleSet, compile_rules
from monitor.core.entities import Gazetteer
from monitor.core.model import Rule
from monitor.core.query import check, lint, parse, parse_list, to_text
from monitor.core.query.dialects import DIALECTS, convert
from monitor.errors import MatchBudgetError, QueryError
from tests.factories import NOW, article

pytestmark = pytest.mark.no_cover  # what would be counted is counted elsewhere, at less cost

_CORPUS = os.environ.get("MONITOR_CORPUS", "")
_NAUGHTY = Path(_CORPUS, "hostile", "naughty-strings", "blns.json")

OWN_NAUGHTY = (
    "", "undefined", "NULL", "-1e309", "0x0", "../../etc/passwd\x00", "' OR 1=1 --", "<script>alert(1)</script>",
    "{{7*7}}", "%s%n%d", "\\", "\\\\\"'", "\x00\x01\x7f\x85\u2028", "\ufeff", "\ud800", "\udfff\ud800", "\U0010ffff",
    "Z̸̡̢a̷l̶g̴o̵", "e" + "\u0301" * 500, "👩‍👩‍👧‍👦🏳️‍🌈", "ﷺ", "ﬁ ﬂ ﬆ", "ⅨⅪ", "½⅓", "ǅ", "İıßẞ", "กำนำ", "ຳ", "ⁿ⁵",
    "\u202eevil\u202c", "\u200b\u200c\u200d\u2060", "مُنَاقَشَةُ", "𠜎𠜱", "ｶﾞ", "(((((", ")))))", '"""', "“”„‟«»",
    "NOT NOT NOT",
    "-----", "=====", "@@@@@", ":::::", "/////", "*****", "?????", "<<>>", "~~~", "^^^", "|||", "&&&", "re:/(/", "re://",
    "re:/" + "(a|b)*" * 60 + "/", "re:/a{1000}{1000}/", "re:/\\p{Han}+/", "stem()", "title:", "SCORE(", "2 OF",
    "NEAR/", "NEAR/99999999999999999999", "ATLEAST/0(a)", "a NEAR/٣ b", "words>99999999999999999999", "age<1y", "lang:",
    "lang:xx-",
)  # fmt: skip


def naughty() -> tuple[str, ...]:
    found = json.loads(_NAUGHTY.read_text(encoding="utf-8")) if _NAUGHTY.is_file() else []
    return (*OWN_NAUGHTY, *found)


@contextmanager
def costing_at_most(seconds: float) -> Iterator[None]:
    began = process_time()
    yield
    assert process_time() - began < seconds


# --- queries ---

_FRAMES = (
    "{}",
    '"{}"',
    "a {}",
    "title:{}",
    "a NEAR/3 {}",
    '="{}"',
    "2 OF (a, {})",
    "re:/{}/",
    "a OR -({})",
)


def read(query: str) -> None:
    """Do everything with a query that is done with one, and let QueryError pass alone."""
    with suppress(QueryError):
        expression = parse(query)
        assert parse(to_text(expression)) == expression
        lint(expression)
        compile_rules([Rule(id="x", query=query)])
    assert isinstance(check(query), tuple)


def test_naughty_strings_are_read_or_refused_as_queries() -> None:
    with costing_at_most(120):
        for text in naughty():
            for frame in _FRAMES:
                read(frame.replace("{}", text))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_naughty_strings_are_converted_or_refused(dialect: str) -> None:
    with costing_at_most(60):
        for text in naughty():
            for frame in _FRAMES[:5]:
                with suppress(QueryError):
                    parse(convert(dialect, frame.replace("{}", text)).query)


_NESTED = (
    "(",
    "NOT (",
    "-(",
    "LEAD(",
    "title:(",
    "SENT(",
    "a NEAR/3 (",
    "2 OF (a, ",
    "SCORE(",
    "stem(",
    "a AND (",
    "[",
    "{",
)
_REPEATED = (
    '"',
    "NOT ",
    "-",
    "a ",
    "a OR ",
    "a NEAR/3 ",
    "title:",
    "=",
    "@a ",
    "*a",
    "a*",
    "re:/a/ ",
    "a,",
    ":",
    "<",
    "\\",
    "/",
)


@pytest.mark.parametrize("depth", [60, 500])
def test_nesting_however_deep_is_read_or_refused(depth: int) -> None:
    with costing_at_most(60):
        for opening in _NESTED:
            read(opening * depth + "a" + ")" * depth)
            read(opening * depth)
        for piece in _REPEATED:
            read(piece * depth + "a")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nesting_however_deep_is_converted_or_refused(dialect: str) -> None:
    with costing_at_most(60):
        for piece in (
            *_NESTED,
            *_REPEATED,
            "headline(",
            "atleast5(",
            "+",
            "a w/3 ",
            "begin or ",
            "a adj3 ",
        ):
            for text in (piece * 300 + "a" + ")" * 300, piece * 300):
                with suppress(QueryError):
                    parse(convert(dialect, text).query)


@pytest.mark.parametrize(
    "join",
    [
        " OR ".join,
        " ".join,
        lambda words: f"2 OF ({', '.join(words)})",
        lambda words: f"SCORE({', '.join(f'{w}:1' for w in words)}) >= 2",
        lambda words: f"({' OR '.join(words[::2])}) NEAR/9 ({' OR '.join(words[1::2])})",
        lambda words: f'"{" ".join(words)}"',
        lambda words: " OR ".join(f"*{word}*" for word in words[:200]),
        lambda words: " OR ".join(f"-{word}" for word in words),
    ],
    ids=["or", "and", "of", "score", "near", "phrase", "wildcards", "not"],
)
def test_a_rule_of_ten_thousand_terms_is_compiled_and_matched(
    join: Callable[[list[str]], str],
) -> None:
    words = [f"word{number}" for number in range(10_000)]
    query = join(words)
    body = " ".join(words[::30]) + " talks"
    with costing_at_most(40), suppress(QueryError):
        parse(query)
        rules = compile_rules([Rule(id="large", query=query)]).rules
        rules.match(article(body=body), NOW)


# --- articles ---

_GAZETTEER = Gazetteer.from_records(
    [
        {
            "id": "un",
            "type": "org",
            "names": {"en": ["UN", "United Nations"], "th": ["กำนำ"], "zh": ["联合国"]},
        }
    ]
)
_LISTS = {"some": parse_list(["a", "=UN", "resol*", "两国"])}
_ASKING = (
    "a", '"a a"', "=A", "aa*a*", "aaa*", "*aaa", "re:/a+b?/", "stem(a)", "entity:un", "list:@some", "a NEAR/5 b",
    "a ONEAR/0 a", "a NOT NEAR/3 b", 'a EXCEPT "a b"', "SENT(a AND b)", "PARA(a AND NOT b)", "FIRST/50(a)", "LEAD(a b)",
    "ATLEAST/3(a)", "2 OF (a, b, 拉)", "SCORE(a:3, b:-2) >= 3", "title:a OR author:a OR tag:a OR url:a", "拉夫", "กำ",
    "words>3 a", "a lang:en", "NOT a b",
)  # fmt: skip


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    asked = [Rule(id=str(number), query=query) for number, query in enumerate(_ASKING)]
    budget = Budget(timedelta(seconds=1), thread_time)
    compiled = compile_rules(asked, gazetteer=_GAZETTEER, lists=_LISTS, budget=budget)
    assert compiled.problems == {}
    return compiled.rules


def test_naughty_strings_are_matched_as_articles(rules: RuleSet) -> None:
    with costing_at_most(60):
        for text in naughty():
            for whole in (text, f"a {text} b UN"):
                told = article(
                    title=whole,
                    summary=whole,
                    body=whole,
                    author=text,
                    tags=(text,),
                    url=text,
                    lang=text,
                )
                for match in rules.match(told, NOW):
                    for span in match.spans:
                        if span.field in ("title", "summary", "body"):
                            assert whole[span.start : span.end] == span.text


@pytest.mark.parametrize(
    "unit",
    [
        "a ", "a b. ", "拉夫", "กำ", "ab-", "a.", "'", "\n", "e\u0301", "\u0301", "½", "\u200d", "a" * 1000, "A.B.C. ",
        "ا ", "🏳️‍🌈",
    ],
)  # fmt: skip
def test_an_article_of_a_megabyte_is_matched_or_given_up_in_time(rules: RuleSet, unit: str) -> None:
    body = unit * (1_000_000 // len(unit.encode()))
    with costing_at_most(20), suppress(MatchBudgetError):
        rules.match(article(body=body), NOW)
