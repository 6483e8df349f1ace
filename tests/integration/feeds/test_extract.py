"""The text of an article out of a page full of other things."""

import pytest

from monitor.core.feed import Document
from monitor.core.fulltext import PageOutcome, PageText
from monitor.feeds.boilerplate import clean
from monitor.feeds.extract import MOST_CHARACTERS, extract_page

LEAD = "The two delegations met on Thursday evening and agreed to continue their talks in Geneva next week."
PARAGRAPHS = [
    LEAD,
    "Neither side spoke to reporters after the meeting, which lasted for more than four hours and ended after dark.",
    "A diplomat who was in the room said that the question of the border had been left for the end of the month.",
    "The prices of grain fell for the third day in a row as traders expected the ports to open again.",
    "In the capital some two thousand people gathered before the parliament and asked for the release of prisoners.",
    "The ministry of foreign affairs said that it would publish the text of the agreement once it had been signed.",
    "Observers from eleven countries have arrived in the region, and more of them are expected within the next days.",
]
PAGE = f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Talks to continue in Geneva</title></head>
<body><div id="top"><a href="/">Newsfeed</a> <span>0</span> <div class="loader">loader</div> <a href="/chats">Chats</a>
<a href="/login">Log in</a> <a href="/register">Sign up</a></div>
<div class="modal"><p>Вход на сайт</p><p>Чтобы участвовать в дискуссии, авторизуйтесь</p></div>
<header><h2>Example World: news of the day</h2></header>
<article><h1>Talks to continue in Geneva</h1>
<p class="announce">{LEAD}</p>
<ul class="share"><li><a href="#">Share on Facebook</a></li><li><a href="#">Tweet</a></li><li>Copy link</li></ul>
{"".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)}
<p>Share this article</p><p>Read also</p>
</article><aside><h3>Related articles</h3><ul><li><a href="/2">Another headline of the day</a></li></ul></aside>
<footer>Terms of use. All rights reserved.</footer></body></html>"""
FURNITURE = [
    *("Newsfeed", "loader", "Chats", "Log in", "Sign up", "Вход на сайт", "Чтобы участвовать", "Share", "Tweet"),
    *("Copy link", "Read also", "Related articles", "Another headline", "Terms of use"),
]  # fmt: skip


def extract(page: str | bytes, content_type: str = "text/html") -> PageText:
    body = page.encode() if isinstance(page, str) else page
    return extract_page(
        Document(
            url="http://news.example/1",
            status=200,
            body=body,
            headers={"content-type": content_type},
        )
    )


def test_paragraphs_of_the_article_are_kept_once_and_in_order() -> None:
    found = extract(PAGE)
    assert found.outcome is PageOutcome.EXTRACTED
    assert found.title == "Talks to continue in Geneva"
    assert found.text.split("\n\n") == PARAGRAPHS


@pytest.mark.parametrize("words", FURNITURE)
def test_furniture_of_the_page_is_not_in_the_text(words: str) -> None:
    assert words in PAGE
    assert words not in extract(PAGE).text


@pytest.mark.parametrize(
    ("encoding", "content_type", "meta"),
    [
        ("cp1251", "text/html", '<meta charset="windows-1251">'),
        ("cp1251", "text/html; charset=windows-1251", ""),
        ("koi8-r", "text/html", '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">'),
    ],
)  # fmt: skip
def test_charset_that_the_page_declares_is_read(
    encoding: str, content_type: str, meta: str
) -> None:
    said = "Делегации встретились в четверг вечером и договорились продолжить переговоры в Женеве на будущей неделе. "
    page = f"<html><head>{meta}<title>Переговоры</title></head><body><article><p>{said * 3}</p></article></body></html>"
    assert said.strip() in extract(page.encode(encoding), content_type).text


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("", "not a web page"),
        ("Just text, and not even much.", "not a web page"),
        ("<html><body><p>Please log in.</p></body></html>", ""),
        ("<" * 5_000, ""),
        ("<p>" + "x" * MOST_CHARACTERS, "more than 3,000,000 characters"),
    ],
    ids=["empty", "text", "login", "angles", "huge"],
)
def test_page_without_an_article_says_so(page: str, why: str) -> None:
    found = extract(page)
    assert (found.outcome, found.text) == (PageOutcome.NO_TEXT, "")
    assert why in found.detail


def test_what_was_left_out_is_counted() -> None:
    cleaned = clean(
        f"Headline\n{LEAD}\n12\nShare on Facebook\n{LEAD}\nRead also\nThe end.", "Headline"
    )
    assert cleaned.text == f"{LEAD}\n\nThe end."
    assert cleaned.left_out == {"title": 1, "number": 1, "button": 1, "repeated": 1, "furniture": 1}


def test_lead_that_is_begun_and_said_again_is_kept_once() -> None:
    assert clean(f"{LEAD[:60]}…\n{LEAD}").text == LEAD


@pytest.mark.parametrize(
    "line",
    [
        "The story to follow",
        "Share prices fell",
        "He said: like this.",
        "Print runs of the newspaper have halved",
        "2024 was the warmest year",
        "OK.",
    ],
)
def test_sentence_that_only_looks_like_a_button_is_kept(line: str) -> None:
    assert clean(line).text == line


def test_short_line_may_be_said_twice() -> None:
    assert clean("Why?\nBecause.\nWhy?").text == "Why?\n\nBecause.\n\nWhy?"
