"""What language an article is taken to be in."""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import pytest

from monitor.core.language import Guess, sample, settle
from tests.factories import article

SURE_OF_GERMAN = (Guess("de", 0.97), Guess("en", 0.01))
UNSURE = (Guess("nl", 0.40), Guess("de", 0.30), Guess("en", 0.10))


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Λαβρόφ", "el"),
        ("라브로프 장관은 유엔 결의", "ko"),
        ("ラブロフ外相は国連決議", "ja"),
        ("拉夫罗夫谈联合国决议", "zh"),
        ("拉夫罗夫の", "ja"),
        ("לברוב דחה את ההחלטה", "he"),
        ("ลาฟรอฟ", "th"),
        ("ლავროვი", "ka"),
        ("Լավրովը", "hy"),
        ("BBC: Λαβρόφ και Κλίντον", "el"),
    ],
)
def test_an_alphabet_of_one_language_tells_it(text: str, lang: str) -> None:
    assert settle(text, None, ()) == lang
    assert settle(text, "en", [Guess("en", 0.9)]) == lang


@pytest.mark.parametrize(
    ("text", "lang"),
    [("東京都知事選挙", "ja"), ("לאַוואָו", "yi"), ("नेपालको", "ne"), ("اسد", "fa"), ("Лавров", "uk")],
)
def test_what_is_declared_decides_between_languages_of_an_alphabet(text: str, lang: str) -> None:
    assert settle(text, lang, ()) == lang


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Лавров заявил, что вопросы", "ru"),
        ("Лавров відхилив її", "uk"),
        ("Ён сказаў, што рэзалюцыя", "be"),
        ("Лавров изјавио да неће", "sr"),
    ],
)
def test_letters_of_one_language_rule_out_the_others(text: str, lang: str) -> None:
    wrong = [Guess(other, 0.3) for other in ("ru", "uk", "be", "sr", "bg") if other != lang]
    assert settle(text, None, [*wrong, Guess(lang, 0.1)]) == lang
    assert settle(text, wrong[0].lang, [Guess(lang, 0.2)]) == lang


def test_a_name_from_elsewhere_rules_nothing_out() -> None:
    text = "Министр иностранных дел России прибыл в город Київ, где провел переговоры с президентом"
    assert settle(text, "ru", [Guess("ru", 0.9)]) == "ru"


def test_what_is_declared_is_believed_unless_a_guess_is_much_surer() -> None:
    assert settle("Der Rat tagt", "en", SURE_OF_GERMAN) == "de"
    assert settle("Der Rat tagt", "en", UNSURE) == "en"
    assert settle("Der Rat tagt", "de-AT", SURE_OF_GERMAN) == "de-AT"
    assert settle("Der Rat tagt", None, UNSURE) == "nl"


@pytest.mark.parametrize("declared", ["ru", "zh-CN", "ar"])
def test_what_the_letters_rule_out_is_not_believed(declared: str) -> None:
    assert settle("The council meets", declared, [Guess("en", 0.2)]) == "en"
    assert settle("The council meets", declared, ()) is None


def test_varieties_are_told_as_their_language() -> None:
    assert settle("سوريا", None, [Guess("arz", 0.9)]) == "ar"
    assert settle("Regjeringen sier", "nb", [Guess("no", 0.9)]) == "nb"


def test_languages_without_news_are_not_guessed_but_believed() -> None:
    assert settle("Kumusta", None, [Guess("ceb", 0.9), Guess("tl", 0.2)]) == "tl"
    assert settle("Kumusta", "ceb", [Guess("ceb", 0.9), Guess("tl", 0.2)]) == "ceb"


@pytest.mark.parametrize("text", ["", "2026: 3.5 %", "😀"])
def test_a_text_without_letters_is_in_the_language_it_declares(text: str) -> None:
    assert settle(text, None, [Guess("en", 0.9)]) is None
    assert settle(text, "fr", [Guess("en", 0.9)]) == "fr"


def test_a_guess_is_made_from_title_summary_and_body_together() -> None:
    long = article(title="One\ntwo", summary=" three ", body="four " * 1000)
    assert sample(long).startswith("One two three four four")
    assert len(sample(long)) == 400
