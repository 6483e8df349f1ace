"""What each operator finds, and where."""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

from typing import Any

import pytest

from monitor.core.engine import compile_rules
from monitor.core.entities import Gazetteer
from monitor.core.model import Match
from monitor.core.query import parse_list
from tests.factories import NOW, article, rule
from tests.matchers import MATCHERS

GAZETTEER = Gazetteer.from_records(
    [
        {
            "id": "lavrov",
            "type": "person",
            "label": "Sergey Lavrov",
            "qid": "Q58217",
            "names": {
                "en": ["Sergei Lavrov", "Lavrov"],
                "ru": ["Лавров"],
                "ar": ["لافروف"],
                "he": ["לברוב"],
                "zh": ["拉夫罗夫"],
                "ko": ["라브로프"],
            },
        },
        {"id": "who", "type": "org", "names": {"en": [{"n": "WHO", "case": "exact"}]}},
        {
            "id": "jordan",
            "type": "place",
            "names": {
                "en": [
                    {"n": "Jordan", "case": "title", "not": ["Michael Jordan", "Peterson"]},
                    {"n": "Kingdom", "needs": ["Amman", "Hashemite"]},
                ]
            },
        },
        {
            "id": "un",
            "type": "org",
            "names": {"en": ["United Nations", "UN"], "ar": ["الأمم المتحدة"]},
        },
    ]
)
LISTS = {"majors": parse_list(["Acme Corp", "=WHO", "globe*"])}


def find(query: str, text: str = "", **fields: Any) -> Match | None:
    given = {"title": "", "summary": "", "body": text} | fields
    others = [rule(id="other", query="draft OR paper"), rule(id="both", query="draft AND paper")]
    answers: list[Match | None] = []
    for native in MATCHERS.values():
        compiled = compile_rules(
            [rule(id="r", query=query), *others], gazetteer=GAZETTEER, lists=LISTS, native=native
        )
        assert compiled.problems == {}
        found = compiled.rules.match(article(**given), NOW)
        answers.append(next((match for match in found if match.rule_id == "r"), None))
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


def places(query: str, text: str = "", **fields: Any) -> list[str] | None:
    match = find(query, text, **fields)
    return None if match is None else [span.text for span in match.spans]


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        # words, in every script
        ("python", "用python写", ["python"]),
        ("写", "用python写", ["写"]),
        ("Лавров", "Министр Лавров, лавров.", ["Лавров", "лавров"]),
        ("Лавров", "Лаврова", None),
        ("拉夫罗夫", "俄罗斯外长拉夫罗夫说", ["拉夫罗夫"]),
        ("罗夫拉", "俄罗斯外长拉夫罗夫说", None),
        ("ลาฟรอฟ", "รัฐมนตรีลาฟรอฟกล่าว", ["ลาฟรอฟ"]),
        ("सीरिया", "आज सीरिया में", ["सीरिया"]),
        ("سوريا", "في سُورِيا اليوم", ["سُورِيا"]),
        ("istanbul", "İSTANBUL ıstanbul", ["İSTANBUL", "ıstanbul"]),
        ("UN", "The U.N.'s un-led", ["U.N", "un"]),
        ("ceasefire", "a cease-fire, a ceasefire", ["cease-fire", "ceasefire"]),
        ("cease-fire", "a cease-fire, a cease fire, a ceasefire", ["cease-fire", "cease fire"]),
        ("ONU", "conseil de l'ONU", ["l'ONU"]),
        ("ban", "urban banner", None),
        # exact forms
        ("=WHO", "Who is the WHO?", ["WHO"]),
        ("=US", "us, the U.S. and US", ["U.S", "US"]),
        ("=ONU", "l'ONU et l'onu", ["l'ONU"]),
        ("=Müller", "Muller and Müller", ["Müller"]),
        ('="the WHO"', "The WHO, the WHO", ["the WHO"]),
        # wildcards, expressions, stems
        ("sanction*", "Sanctions, sanctioned, sanction", ["Sanctions", "sanctioned", "sanction"]),
        ("*burg", "Hamburg burger Petersburg", ["Hamburg", "Petersburg"]),
        ("colo?r", "color colour coloor", ["colour", "coloor"]),
        ('"draft resol*"', "draft resolution, resolve", ["draft resolution"]),
        ("re:/S-?[34]00/", "S-400 and s300, not S-500 or XS-400", ["S-400", "s300"]),
        ("re:/mül+er/", "Muller müller miller", ["Muller", "müller"]),
        ("re:/onu/", "de l'ONU", ["l'ONU"]),
        ("stem(resolve)", "resolves, resolved, resolution", ["resolves", "resolved"]),
        # phrases
        ('"UN resolution"', "UN, resolution. UN Resolution", ["UN, resolution", "UN Resolution"]),
        ('"the the"', "the the the", ["the the", "the the"]),
        ('"ceasefire deal"', "cease-fire deal", ["cease-fire deal"]),
        # proximity
        ("a NEAR/1 d", "a b c d", None),
        ("a NEAR/2 d", "a b c d", ["a", "d"]),
        ("d NEAR/2 a", "a b c d", ["a", "d"]),
        ("d ONEAR/2 a", "a b c d", None),
        ("a ONEAR/2 d", "a b c d", ["a", "d"]),
        ("a NEAR/0 a", "a b a", None),
        ("a NEAR/1 a", "a b a", ["a", "a"]),
        ('"a b" NEAR/0 "c d"', "a b c d", ["a b", "c d"]),
        ('"a b" NEAR b', "a b", None),
        ("(a OR x) NEAR/0 (b OR y)", "a b. x y", ["a", "b", "x", "y"]),
        ("(a NEAR/1 c) NEAR/0 d", "a b c d", ["a", "c", "d"]),
        ("拉夫 NEAR/2 说", "拉夫罗夫说", ["拉夫", "说"]),
        ("拉夫 NEAR/1 说", "拉夫罗夫说", None),
        ("a NEAR @other", "a draft", ["a", "draft"]),
        ("a NEAR FIRST/2(b)", "b c a b", ["b", "a"]),
        ("a NEAR list:@majors", "a acme corp", ["a", "acme corp"]),
        # a place that another forbids
        ("a NOT NEAR/1 b", "a x b x x a", ["a"]),
        ("a NOT NEAR/1 b", "a x b", None),
        ('a NOT NEAR/1 "a b"', "a b", None),
        ("a NOT NEAR/9 a", "a", ["a"]),
        ("a NOT NEAR/9 a", "a b a", None),
        ('apple EXCEPT "apple juice"', "apple juice, apple pie", ["apple"]),
        ('apple EXCEPT "apple juice"', "apple juice", None),
        ("a EXCEPT a", "a", None),
        ("FIRST/1(a EXCEPT b)", "a b", ["a"]),
        ('FIRST/1(a EXCEPT "a b")', "a b", None),
        # sentences, paragraphs, beginnings
        ("SENT(a b)", "A x. B y. A b", ["A", "b"]),
        ("SENT(a b)", "A x. B y.", None),
        ("PARA(a b)", "A x. B y.\nA", ["A", "B"]),
        ("SENT(a -b)", "A b. A c. C d", ["A"]),
        ("SENT(a -b)", "A b. C a b", None),
        ("NOT SENT(a b) c", "A! B! C", ["C"]),
        ("PARA(SENT(a b) SENT(c d))", "A b.\nC d. A b.\nX", ["C", "d", "A", "b"]),
        ('SENT("a b")', "x a. B", None),
        ("SENT(2 OF (a, b, c))", "A! B! C a", ["C", "a"]),
        ("SENT(ATLEAST/2(a))", "A! A! A a", ["A", "a"]),
        ("SENT(SCORE(a:1, b:1) >= 2)", "A! B! A b", ["A", "b"]),
        ("SENT(@both)", "Draft! Paper! Now draft paper", ["draft", "paper"]),
        ("FIRST/4(SENT(a b))", "A x. A b.", ["A", "b"]),
        ("FIRST/3(SENT(a b))", "A x. A b.", None),
        ("FIRST/2(a -c)", "a b c", ["a"]),
        ("FIRST/3(a -c)", "a b c", None),
        ("FIRST/2(c)", "a b c", None),
        ("FIRST/3(c)", "a b c c", ["c"]),
        ('FIRST/2("b c")', "a b c", None),
        ("LEAD(c)", "a\nb c", None),
        ("LEAD(a NEAR b)", "a b\na b", ["a", "b"]),
        # counting
        ("ATLEAST/2(a)", "a", None),
        ("ATLEAST/2(a OR b)", "a b", ["a", "b"]),
        ('ATLEAST/2("un resolution" OR un)', "un resolution", None),
        ("2 OF (a, b, c)", "a c", ["a", "c"]),
        ("2 OF (a, b, c)", "a a", None),
        ("a -b", "a b", None),
        ("a OR b", "a", ["a"]),
        ("a OR (b AND c)", "a b", ["a"]),
        ("@other c", "draft c", ["draft", "c"]),
        ("NOT @other c", "draft c", None),
        ("list:@majors", "Who, WHO, Acme Corp, globes", ["WHO", "Acme Corp", "globes"]),
        # entities
        ("entity:lavrov", "Sergei Lavrov's aide", ["Sergei Lavrov"]),
        ("entity:q58217", "министр Лавров", ["Лавров"]),
        ('entity:"Sergey Lavrov"', "外长拉夫罗夫说", ["拉夫罗夫"]),
        ("entity:lavrov", "وقال لافروف ولافروف", ["لافروف", "ولافروف"]),
        ("entity:lavrov", "שר החוץ לברוב ולברוב", ["לברוב", "ולברוב"]),
        ("entity:lavrov", "라브로프는 말했다", ["라브로프는"]),
        ("entity:un", "قرار للأمم المتحدة", ["للأمم المتحدة"]),
        (
            "entity:un NEAR/1 resolution",
            "United Nations new resolution",
            ["United Nations", "resolution"],
        ),
        ("ATLEAST/2(entity:lavrov)", "Sergei Lavrov", None),
        ("entity:who", "Who? The WHO.", ["WHO"]),
        ("entity:jordan", "Jordan, jordan, Michael Jordan, Jordan Peterson", ["Jordan"]),
        ("entity:jordan", "the Kingdom", None),
        ("entity:jordan", "the Kingdom. In Amman", ["Kingdom"]),
    ],
)
def test_query_finds(query: str, text: str, found: list[str] | None) -> None:
    assert places(query, text) == found


@pytest.mark.parametrize(
    ("query", "fields", "found"),
    [
        ("a NEAR/9 b", {"title": "a", "summary": "b"}, None),
        ('"a b"', {"title": "a", "summary": "b"}, None),
        ("a b", {"title": "a", "summary": "b"}, ["a", "b"]),
        ("title:a", {"summary": "a"}, None),
        ("title:(a OR b)", {"title": "b", "summary": "a"}, ["b"]),
        ("summary:a body:a", {"summary": "a", "body": "a"}, ["a", "a"]),
        ("lead:a", {"summary": "a"}, ["a"]),
        ("author:smith", {"author": "John Smith"}, ["Smith"]),
        ("smith", {"author": "John Smith"}, None),
        ('tag:"middle east"', {"tags": ("Middle East",)}, ["Middle East"]),
        ('tag:"middle east"', {"tags": ("Middle", "East")}, None),
        ("tag:SENT(middle -east)", {"tags": ("Middle East", "Middle Kingdom")}, ["Middle"]),
        ("url:opinion", {"url": "http://news.example/opinion/x"}, ["opinion"]),
        ("title:SCORE(a:3, b:4) >= 7", {"title": "a b", "body": "x"}, ["a", "b"]),
        ("FIRST/3(a)", {"summary": "a"}, None),
    ],
)
def test_scope_says_where(query: str, fields: dict[str, Any], found: list[str] | None) -> None:
    assert places(query, **fields) == found


@pytest.mark.parametrize("lang", ["de", "de-AT"])
def test_stem_follows_the_language_of_the_article(lang: str) -> None:
    assert places("stem(haus)", "Häuser, Hauses", lang=lang) == ["Häuser", "Hauses"]


def test_stem_in_an_unknown_language_is_chosen_by_alphabet() -> None:
    assert places("stem(резолюция)", "по резолюции", lang=None) == ["резолюции"]
    assert places("stem(resolve)", "resolved", lang=None) == ["resolved"]


@pytest.mark.parametrize("lang", ["de", "xx", "fil", "tr-TR"])
def test_a_wrong_guess_at_the_language_loses_no_stem_of_the_usual_one(lang: str) -> None:
    assert places("stem(resolve)", "resolve resolved", lang=lang) == ["resolve", "resolved"]
    assert places("stem(резолюция)", "по резолюции", lang=lang) == ["резолюции"]
    assert places("entity:lavrov", "Lavrov", lang=lang) == ["Lavrov"]


def test_stem_in_a_script_without_stemmer_is_the_word_itself() -> None:
    assert places("stem(拉)", "拉夫", lang=None) == ["拉"]


def test_score_adds_what_is_present_and_shows_only_what_helped() -> None:
    match = find("SCORE(lavrov:30, syria:20, sport:-10) >= 40", "Lavrov, Syria, sport")
    assert match is not None
    assert match.score == 40
    assert [span.text for span in match.spans] == ["Lavrov", "Syria"]
    assert find("SCORE(lavrov:30, syria:20, sport:-20) >= 40", "Lavrov, Syria, sport") is None


def test_score_below_its_threshold_is_not_reported() -> None:
    match = find("SCORE(a:1) >= 1 OR SCORE(b:9, c:9) >= 10 OR SCORE(a:2, d:3) >= 2", "a b")
    assert match is not None
    assert match.score == 2


def test_spans_say_where_and_which_part_found_them() -> None:
    match = find('"un resolution" OR un NEAR/1 draft', title="Draft U.N. resolution", body="UN")
    assert match is not None
    assert [(s.field, s.start, s.end, s.text, s.part) for s in match.spans] == [
        ("title", 0, 5, "Draft", "draft"),
        ("title", 6, 9, "U.N", "un"),
        ("title", 6, 21, "U.N. resolution", '"un resolution"'),
    ]


def test_part_of_a_list_names_the_list() -> None:
    match = find("list:@majors", "Acme Corp")
    assert match is not None
    assert [span.part for span in match.spans] == ["list:@majors"]
