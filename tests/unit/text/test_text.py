"""Folding and words, language by language."""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import pytest

from monitor.core.text import AnalysedField, analyse, fold, is_by_character, split
from tests.factories import article


def field(text: str) -> AnalysedField:
    return analyse(article(body=text)).fields("body")[0]


def words(text: str) -> list[str]:
    return field(text).words


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Müller", "muller"),
        ("Straße", "strasse"),
        ("Ławrow", "lawrow"),
        ("Søren", "soren"),
        ("İSTANBUL", "istanbul"),
        ("ısı", "isi"),
        ("ＦＵＬＬ", "full"),
        ("ﬁne", "fine"),
        ("Ёлка", "елка"),
        ("мой", "мой"),
        ("мои\u0306", "мой"),
        ("Лавро\u0301в", "лавров"),
        ("Київ", "київ"),
        ("Λαβρόφ", "λαβροφ"),
        ("ΟΔΟΣ", "οδοσ"),
        ("كِتَــاب", "كتاب"),
        ("الأُمَم", "الامم"),
        ("المتحدة", "المتحده"),
        ("موسى", "موسي"),
        ("ایران", "ايران"),
        ("می\u200cخواهم", "ميخواهم"),
        ("שָׁלוֹם", "שלום"),
        ("हिन्दी", "हिन्दी"),
        ("٢٠٢٦", "2026"),
        ("re\u00adsolution", "resolution"),
        ("o’brien", "o'brien"),
        ("\u0301", ""),
        ("\ud800", ""),
    ],
)
def test_spellings_of_a_word_are_one(written: str, folded: str) -> None:
    assert fold(written) == folded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The UN's, the U.N.'s", ["the", "un", "the", "un"]),
        ("U.S.-led", ["us", "led"]),
        ("CLINTON’S calls", ["clinton", "calls"]),
        ("cease-fire", ["cease", "fire"]),
        ("3.5 per cent", ["3.5", "per", "cent"]),
        ("Ends.The next", ["ends", "the", "next"]),
        ("Ph.D. bbc.co.uk", ["ph.d", "bbc.co.uk"]),
        ("snake_case", ["snake", "case"]),
        ("“quoted” (in) [brackets]…", ["quoted", "in", "brackets"]),
        ("用python写", ["用", "python", "写"]),
        ("拉夫罗夫说", ["拉", "夫", "罗", "夫", "说"]),
        ("ｶﾞｽ", ["ガ", "ス"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("ພາສາ", ["ພ", "າ", "ສ", "າ"]),
        ("2026年", ["2026", "年"]),
        ("라브로프는 말했다", ["라브로프는", "말했다"]),
        ('או"ם החליט', ["אום", "החליט"]),
        ('"או"', ["או"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("a\x00b\ud800c", ["a", "b", "c"]),
        ("a-\u0301 b", ["a", "b"]),
        ("0\u0ec8", ["0\u0ec8"]),
        ("", []),
        ("— … !", []),
    ],
)
def test_text_is_cut_into_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "alias", "places"),
    [
        ("a cease-fire held", "ceasefire", [(1, 2)]),
        ("state-of-the-art", "stateoftheart", [(0, 3)]),
        ("de l'ONU", "onu", [(1, 1)]),
        ("dell’Iran", "iran", [(0, 0)]),
    ],
)
def test_compounds_and_elisions_have_a_second_spelling(
    text: str, alias: str, places: list[tuple[int, int]]
) -> None:
    found = field(text)
    assert [(p.first - found.base, p.last - found.base) for p in found.aliases[alias]] == places


@pytest.mark.parametrize("text", ["a-b-c-d-e", "don't", "l'a"])
def test_long_chains_and_contractions_have_none(text: str) -> None:
    assert field(text).aliases == {}


def test_token_tells_everything_about_a_word() -> None:
    token = field("Zoë’s in the U.N.\nSo?").tokens()[-2]
    assert token == ("un", "U.N", 13, 16, 3, 0, 0)


def test_scripts_without_blanks_are_told_apart() -> None:
    assert [is_by_character(w) for w in ("夫", "ガ", "ที่", "un", "라", "лавров")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", [0, 1, 2, 3]),
        ("Mr. Lavrov met Dr. Who.", [0, 0, 0, 0, 0]),
        ("J. K. Rowling of the U.S. Senate", [0] * 7),
        ("It rose 3.5 per cent. so they say", [0] * 8),
        ('He said "No." Then left.', [0, 0, 0, 1, 1]),
        ("他说。她说", [0, 0, 1, 1]),
        ("no full stop\nnext line", [0, 0, 0, 1, 1]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: list[int]) -> None:
    assert [token.sentence for token in field(text).tokens()] == sentences


def test_line_breaks_begin_paragraphs() -> None:
    tokens = field("one\n\n two\r\nthree\u2029four").tokens()
    assert [token.paragraph for token in tokens] == [0, 1, 2, 3]


def test_fields_lie_apart_and_tags_by_themselves() -> None:
    analysed = analyse(article(title="a", summary="b", body="c", author="d", tags=("e f", "g")))
    named = {name: analysed.fields(name) for name in ("title", "body", "author", "url", "tag")}
    assert [f.words for f in named["tag"]] == [["e", "f"], ["g"]]
    assert named["author"][0].words == ["d"]
    assert named["url"][0].words[:3] == ["http", "news.example", "2026"]
    assert all(analysed.field_at(f.base) is f for fields in named.values() for f in fields)


@pytest.mark.parametrize("unit", ["a-", "a.", "ab.Cd", "'s", "拉", "a ", "\u0301", 'א"', "\u200d"])
def test_a_very_long_run_is_cut_in_linear_time(unit: str) -> None:
    # 200,000 characters take well under a second each; quadratic code would take minutes.
    text = "x" + unit * (200_000 // len(unit))
    tokens = field(text).tokens()
    assert all(text[t.start : t.end] == t.surface for t in tokens)


@pytest.mark.no_cover
def test_more_words_than_are_remembered_are_no_matter() -> None:
    text = " ".join(f"w{number}" for number in range(70_000))
    assert words(text) == text.split()


def test_words_of_a_query_are_those_of_a_text() -> None:
    assert [w.folded for w in split("U.N. cease-fire")] == ["un", "cease", "fire"]
