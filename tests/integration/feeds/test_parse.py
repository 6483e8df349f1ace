"""What becomes of documents: feeds of every format, well made and badly made."""

import gzip
import json
import time
from datetime import UTC, datetime

import pytest

from monitor.core.feed import Document, ParsedArticle, ParsedFeed
from monitor.errors import FeedReason, ParseError
from monitor.feeds.parse import parse_document
from tests.servers.feeds import item, rss

URL = "http://news.example/feeds/world.xml"


def parse(body: str | bytes, content_type: str = "", url: str = URL) -> ParsedFeed:
    raw = body.encode() if isinstance(body, str) else body
    return parse_document(
        Document(url=url, status=200, body=raw, headers={"content-type": content_type})
    )


def one(body: str | bytes, content_type: str = "") -> ParsedArticle:
    (article,) = parse(body, content_type).articles
    return article


def refusal(body: str | bytes) -> ParseError:
    with pytest.raises(ParseError) as caught:
        parse(body)
    return caught.value


def atom(entry: str) -> str:
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Welt</title>'
        f"<entry>{entry}</entry></feed>"
    )


# --- formats ---


def test_rss_gives_every_field() -> None:
    feed = parse(
        """<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
        xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
        <title>World &amp; more</title><link>http://news.example/world</link><language>en-GB</language>
        <item><title>Talks resume</title><link>/2026/talks?utm_source=rss</link>
        <guid isPermaLink="false">n-1</guid><description>&lt;p&gt;In Geneva.&lt;/p&gt;</description>
        <content:encoded><![CDATA[<p>First.</p><p>Second.</p>]]></content:encoded>
        <dc:creator>A. Reporter</dc:creator><category>Politics</category><category>UN</category>
        <pubDate>Thu, 15 Jan 2026 10:30:00 +0100</pubDate></item></channel></rss>"""
    )
    assert (feed.title, feed.url, feed.lang, feed.complete) == (
        "World & more",
        "http://news.example/world",
        "en",
        True,
    )
    assert feed.articles == (
        ParsedArticle(
            guid="n-1",
            url="http://news.example/2026/talks?utm_source=rss",
            title="Talks resume",
            summary="In Geneva.",
            body="First.\n\nSecond.",
            author="A. Reporter",
            tags=("Politics", "UN"),
            published_at=datetime(2026, 1, 15, 9, 30, tzinfo=UTC),
        ),
    )


def test_atom_is_read_with_relative_links_and_languages() -> None:
    feed = parse(
        """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de-AT" xml:base="http://welt.example/a/">
        <title>Welt</title><link href="/"/><entry xml:lang="fr"><id>tag:welt.example,2026:1</id>
        <title type="html">Un &amp;lt;b&gt;accord</title><link rel="alternate" href="1.html"/>
        <updated>2026-01-15T10:30:00Z</updated><author><name>Zo&#233;</name></author>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Un</p><p>Deux</p></div></content>
        </entry></feed>"""
    )
    (entry,) = feed.articles
    assert (feed.lang, feed.url) == ("de", "http://welt.example/")
    assert (entry.url, entry.lang, entry.author) == ("http://welt.example/a/1.html", "fr", "Zoé")
    assert entry.body == "Un\n\nDeux"
    assert entry.published_at == datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def test_rdf_is_read() -> None:
    entry = one(
        """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>T</title></channel>
        <item rdf:about="http://news.example/1"><title>One</title><link>http://news.example/1</link>
        <dc:date>2026-01-15</dc:date></item></rdf:RDF>"""
    )
    assert (entry.title, entry.url) == ("One", "http://news.example/1")
    assert entry.published_at == datetime(2026, 1, 15, tzinfo=UTC)


def test_json_feed_is_read() -> None:
    feed = parse(
        json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": "World",
                "home_page_url": "http://news.example/",
                "language": "en-US",
                "authors": [{"name": "Desk"}],
                "items": [
                    {
                        "id": 17,
                        "url": "/17",
                        "title": "Talks &amp; more",
                        "content_html": "<p>One</p><p>Two</p>",
                        "summary": "In short",
                        "date_published": "2026-01-15T10:30:00+0530",
                        "tags": ["UN", 3],
                    },
                    {"id": "18", "content_text": "a < b", "author": {"name": "Solo"}},
                    "no item",
                    {},
                ],
            }
        )
    )
    first, second = feed.articles
    assert (feed.title, feed.lang) == ("World", "en")
    assert first == ParsedArticle(
        guid="17",
        url="http://news.example/17",
        title="Talks & more",
        summary="In short",
        body="One\n\nTwo",
        author="Desk",
        tags=("UN",),
        published_at=datetime(2026, 1, 15, 5, tzinfo=UTC),
    )
    assert (second.body, second.author) == ("a < b", "Solo")


def test_json_feed_of_version_1_0_and_of_1_1_are_read_alike() -> None:
    item = {"id": "1", "content_text": "Text", "external_url": "http://news.example/x"}
    old = {"author": {"name": "Ann"}, "items": [item]}
    new = {"authors": [{"name": "Ann"}, {"url": "http://ben.example/"}], "items": [item]}
    first, second = (
        parse(json.dumps({"version": f"https://jsonfeed.org/version/{version}", **feed}))
        for version, feed in (("1", old), ("1.1", new))
    )
    assert first == second
    assert first.articles[0].author == "Ann"
    assert first.articles[0].url == "http://news.example/x"


def test_attachment_of_json_feed_stands_in_for_a_missing_page() -> None:
    items = [{"id": "1", "attachments": ["x", {"mime_type": "audio/mpeg"}, {"url": "/1.mp3"}]}]
    assert one(json.dumps({"items": items})).url == "http://news.example/1.mp3"


@pytest.mark.parametrize(
    "body", ["{", '{"items": 3}', '{"title": "x"}', '{"items":' + "[" * 100_000, "{'items': []}"]
)
def test_json_that_is_no_feed_is_refused(body: str) -> None:
    assert refusal(body).reason is FeedReason.NOT_A_FEED


# --- what is no feed ---


@pytest.mark.parametrize("body", [b"", b"  \r\n\t", b"\xef\xbb\xbf\n", b"\0\0\0"])
def test_empty_document_is_refused(body: bytes) -> None:
    error = refusal(body)
    assert error.reason is FeedReason.EMPTY
    assert error.detail == "news.example sent an empty document"


def test_web_page_is_refused_with_the_feed_it_names() -> None:
    error = refusal(
        '<!DOCTYPE html><html><head><link rel="alternate" type="application/rss+xml"'
        ' href="/rss.xml"></head><body>Hello</body></html>'
    )
    assert error.reason is FeedReason.NOT_A_FEED
    assert error.detail.endswith("set the url of this feed to http://news.example/rss.xml")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<html><body>Just a moment...</body></html>", "names no feed"),
        ("<opml><body/></opml>", "its root element is <opml>"),
        ("Fatal error: out of memory", "neither XML nor JSON"),
        ("<", "neither XML nor JSON"),
    ],
)
def test_what_is_no_feed_is_refused_and_named(body: str, said: str) -> None:
    error = refusal(body)
    assert error.reason is FeedReason.NOT_A_FEED
    assert said in error.detail


def test_feed_without_entries_is_a_feed() -> None:
    feed = parse(rss())
    assert (feed.articles, feed.complete) == ((), True)


def test_entry_with_nothing_in_it_is_left_out() -> None:
    assert [entry.title for entry in parse(rss("<item></item>", item(1))).articles] == ["Story 1"]


# --- documents that break off ---


def test_entries_before_the_break_are_kept_and_the_feed_is_not_complete() -> None:
    body = rss(item(1), item(2), item(3))
    feed = parse(body[: body.index("Story 3")])
    assert [entry.title for entry in feed.articles] == ["Story 1", "Story 2"]
    assert not feed.complete


def test_document_that_breaks_off_anywhere_gives_no_article_in_part() -> None:
    body = rss(item(1), item(2)).replace("Story", "Übersicht").encode()
    whole = parse(body).articles
    cuts = range(body.index(b"</item>") + len("</item>"), len(body))
    for cut in cuts:
        found = parse(body[:cut]).articles
        assert found == whole[: len(found)], body[cut - 20 : cut]


def test_document_that_breaks_off_before_its_first_entry_is_refused() -> None:
    error = refusal(rss(item(1)).partition("<item>")[0])
    assert error.reason is FeedReason.EMPTY
    assert "breaks off before the end of its first entry" in error.detail


def test_malformed_feed_that_is_closed_is_complete() -> None:
    feed = parse(rss("<item><title>Fish & chips <b>today</title></item>", item(2)))
    assert feed.complete
    assert len(feed.articles) == 2


def test_json_that_breaks_off_is_refused() -> None:
    assert refusal('{"items": [{"id": "1"}, {"id"').reason is FeedReason.NOT_A_FEED


# --- wrappings ---


@pytest.mark.parametrize(
    "before",
    [
        "\n\n  ",
        "\ufeff",
        "<!-- cached -->",
        "Warning: slow query in index.php\n",
        "<br />\n<b>Notice</b>",
    ],
)
def test_feed_is_found_behind_what_a_broken_script_prints(before: str) -> None:
    assert one(before + rss(item(1))).title == "Story 1"


def test_doctype_and_its_entities_do_no_harm() -> None:
    body = rss(item(1)).replace(
        "<rss",
        '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY f SYSTEM "file:///etc/passwd">'
        '<!ENTITY b "&a;&a;&a;&a;">]><rss',
        1,
    )
    assert one(body.replace("Story 1", "Story &b; &f;")).title.startswith("Story")
    assert "root:" not in one(body.replace("Story 1", "Story &f;")).title


# --- charsets ---

RUSSIAN = "Переговоры в Женеве"


@pytest.mark.parametrize(
    ("encoding", "declared", "content_type"),
    [
        ("utf-8", "utf-8", "text/xml; charset=iso-8859-1"),  # valid UTF-8 is UTF-8
        ("utf-8", "windows-1251", ""),
        ("utf-8", None, "text/xml"),
        ("cp1251", "windows-1251", ""),
        ("cp1251", "utf-8", "text/xml; charset=windows-1251"),  # HTTP before the document
        ("koi8-r", "koi8-r", "text/xml; charset=no-such-charset"),
        ("utf-16", "utf-16", ""),  # with its mark
        ("utf-16-le", "utf-16", ""),
        ("utf-16-be", None, ""),
        ("utf-8-sig", "windows-1251", "text/xml; charset=koi8-r"),  # the mark before all
        ("utf-8", "utf-16", ""),
        ("utf-8", "idna", ""),
        ("utf-8", "hex", ""),
        ("iso2022_jp", None, ""),  # its escapes say it
        ("iso2022_kr", None, "text/xml"),
    ],
)
def test_charset_is_settled(encoding: str, declared: str | None, content_type: str) -> None:
    body = rss(item(1, title=RUSSIAN))
    declaration = ' encoding="utf-8"'
    body = body.replace(declaration, f' encoding="{declared}"' if declared else "")
    assert one(body.encode(encoding), content_type).title == RUSSIAN


def test_charset_that_nobody_declares_is_detected() -> None:
    text = "Министр иностранных дел заявил во вторник, что переговоры будут продолжены. " * 5
    body = rss(item(1, title=RUSSIAN, text=text)).replace(' encoding="utf-8"', "")
    assert one(body.encode("cp1251")).title == RUSSIAN


def test_one_bad_byte_does_not_spoil_a_document() -> None:
    body = rss(item(1, title=RUSSIAN, text="word")).encode().replace(b"word", b"wo\xffrd")
    assert one(body).title == RUSSIAN


# --- dates ---


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2020/1/10 14:33", datetime(2020, 1, 10, 14, 33, tzinfo=UTC)),
        ("2026-01-15T10:30:00+0530", datetime(2026, 1, 15, 5, 0, tzinfo=UTC)),
        ("2026-01-15 10:30:00 +0530", datetime(2026, 1, 15, 5, 0, tzinfo=UTC)),
        ("2026-01-15 10:30:00Z", datetime(2026, 1, 15, 10, 30, tzinfo=UTC)),
        ("Thu, 15 Jan 2026 10:30:00 EST", datetime(2026, 1, 15, 15, 30, tzinfo=UTC)),
        ("Thu, 15 Jan 2026 10:30:00 -0000", datetime(2026, 1, 15, 10, 30, tzinfo=UTC)),
        ("15 Jan 2026 10:30", datetime(2026, 1, 15, 10, 30, tzinfo=UTC)),
        ("Thu, 15 Jan 2026 10:30:00+0530", datetime(2026, 1, 15, 5, 0, tzinfo=UTC)),
        ("Thu, 15 Jan 2026 10:30:00 GMT+02:00", datetime(2026, 1, 15, 8, 30, tzinfo=UTC)),
        ("Thu, 15 Jan 2026 10:30:00 +0000 (UTC)", datetime(2026, 1, 15, 10, 30, tzinfo=UTC)),
        ("Thu, 15 Jan 2026 10:30:00 CET", datetime(2026, 1, 15, 9, 30, tzinfo=UTC)),
        ("Wed, 15 Jul 2026 10:30:00 BST", datetime(2026, 7, 15, 9, 30, tzinfo=UTC)),
        ("Thu, 15 Jan 2026 10:30:00 XYZ", datetime(2026, 1, 15, 10, 30, tzinfo=UTC)),
        ("Thu, Jan 15 2026 02:30:15 PM", datetime(2026, 1, 15, 14, 30, 15, tzinfo=UTC)),
        ("January 15, 2026, 12:05 a.m.", datetime(2026, 1, 15, 0, 5, tzinfo=UTC)),
        ("Thu , 15  Jan\t2026  10:30:00", datetime(2026, 1, 15, 10, 30, tzinfo=UTC)),
        ("15-Jan-26 10:30", datetime(2026, 1, 15, 10, 30, tzinfo=UTC)),
        ("15 Jan 93", datetime(1993, 1, 15, tzinfo=UTC)),
        ("mer, 16 nov 2022 00:38:15 +0100", datetime(2022, 11, 15, 23, 38, 15, tzinfo=UTC)),
        ("15 января 2026 10:30", datetime(2026, 1, 15, 10, 30, tzinfo=UTC)),
        ("jeu., 15 juil. 2026 10:30:00 +0200", datetime(2026, 7, 15, 8, 30, tzinfo=UTC)),
        ("22.11.2022 12:16:00", datetime(2022, 11, 22, 12, 16, tzinfo=UTC)),
        ("31.2.2022", None),
        ("31 Feb 2026 10:30", None),
        ("15 Brumaire 2026", None),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
        ("0000-00-00T00:00:00Z", None),
        ("soon", None),
        ("1" * 5_000, None),
    ],
)
def test_date_is_read_as_meant(written: str, meant: datetime | None) -> None:
    assert (
        one(rss(f"<item><title>x</title><pubDate>{written}</pubDate></item>")).published_at == meant
    )


# --- links ---


def test_link_of_the_article_is_preferred_to_that_of_a_counter() -> None:
    entry = one(
        '<rss version="2.0" xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"><channel><item>'
        "<title>x</title><link>http://feedproxy.example/~r/1</link>"
        "<feedburner:origLink>http://news.example/1</feedburner:origLink></item></channel></rss>"
    )
    assert entry.url == "http://news.example/1"


def test_permalink_and_enclosure_stand_in_for_a_missing_link() -> None:
    guid = one(rss("<item><title>x</title><guid>http://news.example/1</guid></item>"))
    enclosure = one(rss('<item><title>x</title><enclosure url="/1.mp3" type="audio/mpeg"/></item>'))
    assert (guid.url, enclosure.url) == ("http://news.example/1", "http://news.example/1.mp3")


# --- texts ---


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("AT&amp;T", "AT&T"),
        ("AT&amp;amp;T", "AT&T"),
        ("It&amp;#8217;s", "It\u2019s"),
        ("&lt;b&gt;Bold&lt;/b&gt; move", "Bold move"),
        ("<![CDATA[<i>In</i> brief]]>", "In brief"),
        ("1 &lt; 2 &amp; 3 &gt; 2", "1 < 2 & 3 > 2"),
        ("We &lt;3 news", "We <3 news"),
        ("  Two\n lines ", "Two lines"),
        ("zero\u200bwidth \ufeffmarks", "zerowidth marks"),
        ("&#0;&#xD800;Odd", "Odd"),
    ],
)
def test_title_is_plain(written: str, meant: str) -> None:
    assert one(rss(f"<item><guid>1</guid><title>{written}</title></item>")).title == meant


def test_body_repeated_as_summary_is_kept_once() -> None:
    entry = one(atom("<id>1</id><content type='html'>&lt;p&gt;All&lt;/p&gt;</content>"))
    assert (entry.summary, entry.body) == ("", "All")


def test_lengths_are_bounded() -> None:
    long = "word " * 100_000
    entry = one(
        rss(
            f"<item><title>{long}</title><guid>{long}</guid><description>{long}</description></item>"
        )
    )
    assert (len(entry.title), len(entry.guid) <= 4_000, len(entry.summary)) == (999, True, 19_999)


# --- hostile ---


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss("<item><title>x</title>" + "<b>" * 200_000), id="depth"),
        pytest.param(
            rss(
                "<item><title "
                + " ".join(f'a{n}="1"' for n in range(200_000))
                + ">x</titel></item>"
            ),
            id="attributes",
        ),
    ],
)
def test_markup_that_would_take_minutes_is_refused_at_once(body: str) -> None:
    error = refusal(body)
    assert error.reason is FeedReason.PARSER_FAILED
    assert "no feed does that" in error.detail


def test_attributes_without_end_in_a_document_that_is_well_formed_cost_little() -> None:
    attributes = " ".join(f'a{n}="1"' for n in range(200_000))
    started = time.process_time()
    assert len(parse(rss(f"<item><title>x</title><y {attributes}/></item>")).articles) == 1
    assert time.process_time() - started < 10


def test_deep_markup_in_a_text_keeps_its_words() -> None:
    deep = "<b>" * 100_000 + "deep" + "</b>" * 100_000
    entry = one(
        rss(f"<item><title>x</title><description><![CDATA[{deep} end]]></description></item>")
    )
    assert entry.summary.split() == ["deep", "end"]


def test_compressed_bytes_are_no_feed() -> None:
    assert refusal(gzip.compress(rss(item(1)).encode())).reason is FeedReason.NOT_A_FEED
