"""What holds of every character that Unicode has."""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.engine import compile_rules
from monitor.core.query import parse, to_text
from monitor.core.text.spelled import origins, spell_out
from monitor.errors import QueryError
from tests.factories import NOW, article, rule
from tests.strategies import unhurried


def _changes(letter: str) -> bool:
    """Tell whether a character is not its own folded form, or is not read as a letter."""
    return (
        unicodedata.normalize("NFKC", letter) != letter
        or letter.casefold() != letter
        or unicodedata.category(letter)[0] in "MP"
    )


# Half of all characters are ideographs and syllables that nothing is done to.
_LETTERS = [letter for letter in map(chr, range(sys.maxunicode + 1)) if _changes(letter)]
_QUERIES = ("a{}b", "ก{}", '="A{}"', "a'{}")
_joined = st.lists(
    st.sampled_from(_LETTERS) | st.sampled_from("a.'’-ʼsก\u0e4dา拉カ\u00ad\u0301\u200d"), max_size=6
).map("".join)


@pytest.mark.parametrize("template", _QUERIES)
def test_any_character_reads_back_from_canonical_text(template: str) -> None:
    different = [letter for letter in _LETTERS if not _reads_back(template.format(letter))]
    assert different == []


@unhurried
@given(_joined, st.sampled_from(["{}", '"{} a"', '="{}"', "title:{}", "x {}"]))
def test_characters_in_any_order_read_back_from_canonical_text(text: str, template: str) -> None:
    assert _reads_back(template.format(text))


def _reads_back(query: str) -> bool:
    try:
        expression = parse(query)
    except QueryError:
        return True
    return parse(to_text(expression)) == expression


@pytest.mark.parametrize(
    "word",
    [
        "นํา", "น้ำ", "ທຳ", "ໜ", "ﬁne", "ﬆop", "Straße", "STRAẞE", "İstanbul", "ﻻ", "ﷺ", "ｶﾞｽ", "ゟ", "㈠", "⑴", "½",
        "ŉ", "한국", "ᄒ\u1161ᆫ", "ᾳ", "ǆ", "Œuvre", "ﬀ", "５", "aʼb",
    ],
)  # fmt: skip
def test_a_word_is_found_where_it_stands_as_it_is_written(word: str) -> None:
    body = f"x {word} y"
    compiled = compile_rules([rule(query=f'"{word}"')])
    (match,) = compiled.rules.match(article(title="", summary="", body=body), NOW)
    start, end = min(s.start for s in match.spans), max(s.end for s in match.spans)
    assert body[start:end] == word
    assert all(body[s.start : s.end] == s.text for s in match.spans)


@pytest.mark.parametrize("exact", ["ໜ", "น้ำ", "STRAẞE", "ﷺ"])
def test_a_spelled_out_word_is_found_in_its_exact_form(exact: str) -> None:
    compiled = compile_rules([rule(query=f'="{exact}"')])
    assert compiled.rules.match(article(body=f"x {exact} y"), NOW)


@unhurried
@given(_joined)
def test_each_character_spelled_out_comes_from_one_of_the_text(text: str) -> None:
    found = origins(text)
    assert len(found) == len(spell_out(text))
    assert [spell_out(text[index]) for index in dict.fromkeys(found)] == [
        spell_out(letter) for letter in text
    ]
