"""HTML to text."""

import pytest

from monitor.feeds.text import line, plain, shorten


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<p>One<br>Two<br/>Three</p>", "One\nTwo\nThree"),
        ("<ul><li>One<li>Two</ul>After", "One\nTwo\n\nAfter"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("Before<script>if (a < b) alert('x')</script><style>p {}</style> after", "Before after"),
        ("<div><div><h1>Head</h1></div>\n\n<p>Text</p></div>", "Head\n\nText"),
        ("<p>in<b>side</b> word</p>", "inside word"),
        ("a&nbsp;b&hellip;", "a b…"),
        ("line\nbreaks   are\tblanks", "line\nbreaks are blanks"),
        ("<!-- hidden -->shown<?php secret ?>", "shown"),
        ('<img alt="a > b" src="x">after', "after"),
        ("no markup at all", "no markup at all"),
        ("", ""),
        ("<p></p>", ""),
        ("<", "<"),
        ("&lt;p&gt;escaped twice&lt;/p&gt;", "escaped twice"),
        ("unclosed <b>bold", "unclosed bold"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
        ("<p>日本語の<ruby>漢字<rt>かんじ</rt></ruby></p>", "日本語の漢字かんじ"),
    ],
)
def test_html_becomes_text(markup: str, text: str) -> None:
    assert plain(markup, 1_000, is_html=True) == text


def test_plain_text_keeps_what_only_looks_like_a_tag() -> None:
    assert plain("if a<b then <stop>", 1_000, is_html=False) == "if a<b then <stop>"


def test_text_is_cut_between_words() -> None:
    assert shorten("alpha beta gamma", 12) == "alpha beta"
    assert shorten("x" * 20, 12) == "x" * 12
    assert shorten("short", 12) == "short"


def test_words_survive_markup_that_nests_beyond_what_libxml2_takes() -> None:
    deep = "<b>" * 5_000 + "deep" + "</b>" * 5_000
    assert plain(f"<p>start {deep}</p><p>end &amp; after", 1_000, is_html=True).split() == [
        *("start", "deep", "end", "&", "after")
    ]


def test_markup_far_beyond_the_limit_is_not_looked_at() -> None:
    assert plain("<p>word</p>" * 200_000, 100, is_html=True).startswith("word\n\nword")


def test_line_has_no_breaks_and_no_control_characters() -> None:
    assert line(" a\n\tb\x00c\u200b ", 100) == "a bc"
