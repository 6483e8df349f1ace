"""Whatever comes in, parsing ends in a feed or in a `ParseError`."""

import json
from datetime import UTC

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.core.feed import Document, ParsedFeed
from monitor.errors import ParseError
from monitor.feeds.charset import decode
from monitor.feeds.parse import parse_document
from monitor.feeds.text import plain
from tests.servers.feeds import item, rss

GOOD = rss(
    item(1, text="<p>Some &amp; <b>more</b></p>"), "<item><title>&#8217;</title></item>"
).encode()
HEADERS = ["", "text/xml; charset=utf-16", "application/json", "text/html; charset=x"]
PIECES = [*"<>/&;#x10D! ='\"]", "b", "p", "amp", "CDATA[", "&#", "&#x", "<!--", "<p ", "http://"]
MARKUP = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["items", "id", "url", "title", "authors", "tags", "date_published", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
)


def check(body: bytes, content_type: str = "") -> None:
    document = Document(
        url="http://news.example/", status=200, body=body, headers={"content-type": content_type}
    )
    try:
        found = parse_document(document)
    except ParseError:
        return
    msgspec.msgpack.encode(found)  # all of it is text that can be stored
    assert isinstance(found, ParsedFeed)
    for article in found.articles:
        assert article.published_at is None or article.published_at.tzinfo is UTC
        assert len(article.title) <= 1_000


@given(st.binary(max_size=300), st.sampled_from(HEADERS))
@example(b"\xff\xfe", "")
@example(b"<\0", "")
@example(b"<rss>&#xD800", "")
@example(b"<rss>&#99999999999;", "")
def test_any_bytes(body: bytes, content_type: str) -> None:
    check(body, content_type)


@given(st.integers(0, len(GOOD)), st.binary(max_size=8), st.integers(0, 20))
def test_damaged_feed(place: int, inserted: bytes, removed: int) -> None:
    check(GOOD[:place] + inserted + GOOD[place + removed :])


@given(MARKUP | st.text(max_size=60), MARKUP | st.text(max_size=60))
def test_any_text_in_any_place(first: str, second: str) -> None:
    check(
        f"<rss version='2.0'><channel><title>{first}</title><item><title>{second}</title>"
        f"<link>{first}</link><guid>{second}</guid><description>{first}</description>"
        f"<pubDate>{second}</pubDate><category>{first}</category><author>{second}</author>"
        f"<enclosure url='x' {first}/></item></channel></rss>".encode("utf-8", "replace")
    )


@given(MARKUP, st.sampled_from(["text", "html", "xhtml", "application/xml", "image/png", "base64"]))
def test_any_content_of_atom(content: str, kind: str) -> None:
    check(
        f"<feed xmlns='http://www.w3.org/2005/Atom' xml:base='{content}'><entry><id>1</id>"
        f"<content type='{kind}' mode='base64'>{content}</content><updated>{content}</updated>"
        f"<link href='{content}'/></entry></feed>".encode()
    )


@given(JSON)
def test_any_json(value: object) -> None:
    check(json.dumps({"items": value}).encode())
    check(json.dumps({"items": [value, {"id": "1", "title": value, "authors": value}]}).encode())


@given(st.binary(max_size=200), st.text(max_size=20))
def test_any_bytes_become_text(body: bytes, label: str) -> None:
    assert isinstance(decode(body, f"text/xml; charset={label}"), str)


@given(MARKUP | st.text(max_size=200), st.booleans(), st.integers(1, 50))
def test_any_markup_becomes_bounded_text(markup: str, is_html: bool, limit: int) -> None:
    found = plain(markup, limit, is_html=is_html)
    assert len(found) <= limit
    assert found == found.strip()
