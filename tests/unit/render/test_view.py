"""What is chosen of an alert, and how it is cut."""

import json

import pytest

from monitor.core.model import Severity, Span
from monitor.core.render import Piece, blocks, message, view
from monitor.core.render.clean import line, link
from monitor.core.render.view import SNIPPET_LIMIT
from tests.factories import alert, article, delivery, match
from tests.servers.slack import refuse
from tests.unit.render.cases import span


def pieces(text: str, *spans: Span) -> tuple[Piece, ...]:
    shown = view(alert(article=article(summary="", body=text), matches=(match(spans=spans),)))
    return shown.snippet


def test_snippet_begins_a_little_before_the_first_word_found() -> None:
    text = "one two three four five six seven eight nine ten " * 20
    text += "the needle lies here " + text
    shown = pieces(text, span("body", text, "needle"))
    assert shown[0].text.startswith("… ")
    assert Piece("needle", found=True) in shown
    assert len(shown[0].text) + len(shown[1].text) < 100
    assert shown[-1].text == " …"
    assert sum(len(piece.text) for piece in shown) <= SNIPPET_LIMIT + 4


def test_spans_that_overlap_or_touch_are_one_mark() -> None:
    text = "security council vote"
    shown = pieces(
        text,
        span("body", text, "security council"),
        span("body", text, "council"),
        span("body", text, "security council "),
    )
    assert shown == (Piece("security council ", found=True), Piece("vote"))


def test_span_cut_by_the_end_of_the_snippet_is_marked_as_far_as_it_shows() -> None:
    text = "x" * 1000
    shown = pieces(text, Span(field="body", start=0, end=1000, text=text))
    assert shown == (Piece("x" * SNIPPET_LIMIT, found=True), Piece(" …"))


def test_words_found_beyond_the_end_of_the_snippet_are_left_out() -> None:
    text = "needle " + "hay " * SNIPPET_LIMIT + "needle"
    shown = pieces(text, span("body", text, "needle"), span("body", text, "needle", nth=1))
    assert [piece.text for piece in shown if piece.found] == ["needle"]


def test_blanks_at_the_end_of_a_snippet_are_cut() -> None:
    text = "talks resume  "
    assert pieces(text, span("body", text, "talks")) == (
        Piece("talks", found=True),
        Piece(" resume"),
    )


def test_a_mark_that_ends_in_a_blank_ends_the_snippet_without_it() -> None:
    text = "talks resume "
    assert pieces(text, span("body", text, "resume ")) == (
        Piece("talks "),
        Piece("resume", found=True),
    )


def test_word_found_far_into_text_without_blanks_is_still_shown() -> None:
    text = "字" * 500 + "針" + "字" * 500
    assert Piece("針", found=True) in pieces(text, span("body", text, "針"))


def test_summary_that_repeats_the_title_is_not_shown_twice() -> None:
    shown = view(alert(article=article(title="Talks", summary="Talks"), matches=(match(spans=()),)))
    assert shown.snippet == ()


def test_snippet_of_blanks_is_empty() -> None:
    assert pieces("  \n\t ") == ()


def test_gravest_severity_counts() -> None:
    grave = (match(), match(severity=Severity.CRITICAL), match(severity=Severity.WARNING))
    assert view(alert(matches=grave)).severity is Severity.CRITICAL


def test_line_that_was_cut_says_so() -> None:
    assert line("one two three", 9) == "one two…"
    assert line("  one\ttwo\r\n three ", 20) == "one two three"


def test_link_is_made_ascii_or_dropped() -> None:
    assert link("https://bücher.example/ä b?q=<x>|y") == (
        "https://xn--bcher-kva.example/%C3%A4%20b?q=%3Cx%3E%7Cy"
    )
    assert link("http://[2001:db8::1]:8080/") == "http://[2001:db8::1]:8080/"
    for bad in ("", "javascript:x", "//news.example", "https://user:pw@news.example/", "http://a:99999/",
                "https://news.example/" + "ä" * 1999, "https://news.example/" + "ä" * 600, "http://a..b/"):  # fmt: skip
        assert link(bad) == ""


@pytest.mark.parametrize(
    ("ampersands", "link_shown", "snippet_shown"),
    [(100, True, True), (500, True, False), (1900, False, True)],
)
def test_link_that_leaves_no_room_for_the_snippet_replaces_it_and_gives_way_if_it_fits_nowhere(
    ampersands: int, link_shown: bool, snippet_shown: bool
) -> None:
    url = "https://news.example/" + "&" * ampersands  # of which each is escaped to five characters
    told = alert(article=article(url=url, title="T", summary="<" * 300), matches=())
    said_by = blocks(message(delivery(alert=told)))
    assert refuse(said_by) is None
    said = json.dumps(said_by["blocks"])
    assert ("Read the article" in said) == link_shown
    assert ("&lt;" in said) == snippet_shown
