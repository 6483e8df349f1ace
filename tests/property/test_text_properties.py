"""What holds of any text whatever."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.text import analyse, fold, split
from monitor.core.text.spelled import is_spelled_out
from tests.factories import article
from tests.strategies import prose, unhurried

# Everything, lone surrogates and control characters included.
any_text = st.text(st.characters(exclude_categories=()), max_size=80) | prose


@unhurried
@given(any_text)
def test_tokens_slice_the_original_text_in_order(text: str) -> None:
    tokens = analyse(article(title=text)).fields("title")[0].tokens()
    end = 0
    for token in tokens:
        assert text[token.start : token.end] == token.surface != ""
        # A character that stands for several can hold two words.
        assert end <= token.start or is_spelled_out({text[token.start]})
        assert token.start < token.end
        end = token.end


@unhurried
@given(any_text)
def test_words_of_an_article_are_the_words_of_a_query(text: str) -> None:
    field = analyse(article(body=text)).fields("body")[0]
    assert field.words == [word.folded for word in split(text)]


@unhurried
@given(any_text)
def test_every_position_is_posted_once(text: str) -> None:
    field = analyse(article(summary=text)).fields("summary")[0]
    posted = sorted(place for places in field.postings.values() for place in places)
    assert posted == list(field.positions)


@unhurried
@given(any_text)
def test_sentences_and_paragraphs_only_ever_go_on(text: str) -> None:
    tokens = analyse(article(body=text)).fields("body")[0].tokens()
    for before, after in pairwise(tokens):
        assert before.sentence <= after.sentence
        assert before.paragraph <= after.paragraph
        assert before.paragraph == after.paragraph or before.sentence < after.sentence


@unhurried
@given(any_text)
def test_words_fold_to_themselves(text: str) -> None:
    for word in split(text):
        assert [again.folded for again in split(word.folded)] == [word.folded]


@unhurried
@given(st.text(st.characters(max_codepoint=0x24F)))
def test_case_of_latin_letters_does_not_count(text: str) -> None:
    assert fold(text.upper()) == fold(text.lower()) == fold(text)
