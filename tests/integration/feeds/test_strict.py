"""Entries that are read without feedparser are read as feedparser reads them, or left to it."""

import pytest

from monitor.core.feed import Document, ParsedFeed
from monitor.feeds.parse import parse_document, parse_whole
from monitor.feeds.screen import root_of
from monitor.feeds.strict import OddError
from monitor.feeds.tree import Tree, open_tree

URL = "http://news.example/feeds/world.xml"
SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    ' xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dcterms="http://purl.org/dc/terms/"'
    ' xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" xmlns:x="urn:x"'
)


def fetched(source: str, language: str = "") -> Document:
    headers = {"content-language": language} if language else {}
    return Document(url=URL, status=200, body=source.encode(), headers=headers)


def rss(item: str, channel: str = "<title>World</title>", attributes: str = "") -> str:
    return f'<rss version="2.0" {SPACES} {attributes}><channel>{channel}<item>{item}</item></channel></rss>'


def atom(entry: str, about: str = "<title>Welt</title>", attributes: str = "") -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {attributes}>{about}<entry>{entry}</entry></feed>'


def rdf(item: str, rest: str = "") -> str:
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        f' {SPACES}><channel rdf:about="x"><title>T</title><link>/t</link><items><rdf:Seq/></items>'
        f'</channel>{rest}<item rdf:about="http://news.example/1">{item}</item></rdf:RDF>'
    )


def tree(source: str, language: str = "") -> Tree:
    found = open_tree(source, fetched(source, language))
    assert found is not None
    return found


def oracle(source: str, language: str = "") -> ParsedFeed:
    """Parse by feedparser alone."""
    return parse_whole(source, root_of(source), fetched(source, language))


PLAIN = [
    rss("<title>a</title><title>b</title><dc:title>c</dc:title>"),
    rss("<title/><dc:title>c</dc:title><title>d</title>"),
    rss("<media:title>m</media:title><title>a</title>"),
    rss("<title>a</title><media:title>m</media:title>"),
    rss("<media:group><media:title>m</media:title></media:group><title>a</title>"),
    rss("<media:title>m</media:title>"),
    rss("<link> /a b </link><guid>g</guid>"),
    rss("<guid> g </guid><link>http:///x/?a=1&amp;amp;b=2&amp;c;</link>"),
    rss("<guid>/g?x</guid>"),
    rss("<guid isPermaLink='false'>g</guid><guid isPermaLink='yes'>h</guid>"),
    rss("<guid>one</guid><guid>two</guid>"),
    rss("<link/><guid>http://news.example/g</guid>"),
    rss("<atom:link href='/a' rel='self'/><atom:link rel='ALTERNATE' type='TEXT/HTML' href='/b'/>"),
    rss("<atom:link href='' /><enclosure url='/1.mp3'/>"),
    rss("<enclosure href='/0.mp3' type='x'/><enclosure url='/1.mp3'/><atom:link rel='enclosure' href='/2'/>"),
    rss("<description>d</description><content:encoded>&lt;p&gt;c&lt;/p&gt;</content:encoded>"),
    rss("<content:encoded>c</content:encoded><description>d</description>"),
    rss("<content:encoded>&lt;b&gt;c</content:encoded>"),
    rss("<description>d</description><description>e</description>"),
    rss("<description>d</description><media:group><media:description type='plain'>m</media:description></media:group>"),
    rss("<media:group><media:description>m</media:description></media:group><description>d</description>"),
    rss("<media:group><x:y><media:description>m</media:description></x:y></media:group>"),
    rss("<itunes:summary>i</itunes:summary><description>d &lt;i&gt;</description>"),
    rss("<description>d</description><itunes:summary>i</itunes:summary><content:encoded>c</content:encoded>"),
    rss("<author>a@news.example (Ann)</author>"),
    rss("<dc:creator>Ann</dc:creator><itunes:author>Ben</itunes:author><author/>"),
    rss("<atom:author><atom:name>Ann</atom:name><atom:email>a@news.example</atom:email></atom:author>"),
    rss("<category domain='d'>A</category><category>A</category><category>A</category><category/>"),
    rss("<category term='t' label='L'/><category term='t'>text</category><dc:subject>S</dc:subject>"),
    rss("<media:category label='L'>m</media:category><media:keywords>k, l,,</media:keywords>"),
    rss("<itunes:category text='I'/><itunes:keywords>a,b</itunes:keywords>"),
    rss("<pubDate>Thu, 15 Jan 2026 10:30:00 +0100</pubDate><dc:date>2026-01-15</dc:date>"),
    rss("<pubDate>15 Jan 2026 10:30 PDT</pubDate><pubDate>Fri, 16 Jan 2026 10:30:00 GMT</pubDate>"),
    rss("<pubDate>Thu, 31 Dec 2026 23:30:00 -0500</pubDate>"),
    rss("<dcterms:created>2026-01-15T10:30:00Z</dcterms:created><pubDate/>"),
    rss("<feedburner:origLink>/1</feedburner:origLink><link>/2</link>"),
    rss("<source url='/x'>Wire</source><title>a</title><comments>/c</comments><x:thing a='b'>t</x:thing>"),
    rss("<title>Caf\u00c3\u00a9</title><description>a\u0092b</description>"),
    rss("<title><![CDATA[<b>a</b> &amp; b]]><!-- no --> c<?pi?>d</title>"),
    rss("<TITLE>a</TITLE><Link>/b</Link>"),
    rss("<dc:language>fr</dc:language><title xml:lang='de'>a</title>"),
    rss("<title xml:lang=''>a</title>", attributes="xml:lang='en_GB'"),
    rss("<image><url>/i.png</url></image><title>a</title>"),
    rss("<title>a</title>", channel="<title>W</title><link>/w</link><language>en</language><image><title>i</title>"
        "<link>/i</link></image><atom:link rel='self' href='/s'/><itunes:owner><itunes:name>n</itunes:name>"
        "</itunes:owner>"),
    rss("<title>a</title>", channel="<language>de-DE</language>", attributes="xml:lang='en'"),
    atom("<id>tag:1</id><title type='html'>&lt;b&gt;a</title><link href='1.html'/><updated>2026-01-15</updated>",
         attributes="xml:base='http://welt.example/a/' xml:lang='de'"),
    atom("<id>tag:1</id><summary>s</summary><content type='html' xml:lang='fr' xml:base='/c/'>&lt;p&gt;c</content>"),
    atom("<id>http://news.example/1</id><content src='/x'>c</content>", about="<id>http://news.example/</id>"),
    atom("<author><name>Ann</name><uri>/ann</uri></author><author><email>b@news.example</email></author>"),
    atom("<contributor><name>Ben</name></contributor><published>2026-01-15T10:30:00+01:00</published>"),
    rdf("<title>a</title><link>/1</link><dc:date>2026-01-15</dc:date><dc:subject>s</dc:subject>"),
    rdf("<title>a</title>", rest="<image><title>i</title><url>/i</url><link>/i</link></image>"),
]  # fmt: skip


@pytest.mark.parametrize("source", PLAIN)
def test_plain_entry_is_read_as_by_feedparser(source: str) -> None:
    opened = tree(source)
    assert opened.entries[0].read()
    assert opened.about() is not None
    assert parse_document(fetched(source)) == oracle(source)


ODD = [
    rss("<title>1 &lt; 2</title>"),
    rss("<description>a <b>bold</b> word</description>"),
    rss("<title type='application/octet-stream'>YQ==</title>"),
    rss("<title mode='base64'>YQ==</title>"),
    rss("<image><title>i</title></image><title>a</title>"),
    rss("<pubDate>Donnerstag, 15. Januar 2026</pubDate>"),
    rss("<title>a</title><source url='/x'><title>s</title></source>"),
    rss("<link rel='enclosure'>/1</link>"),
    rss("<link atom:href='/1'/>"),
    rss("<atom:link href='/1' xml:base='http://other.example/'/>"),
    rss("<date>2026-01-15</date>"),
    rss("<author>Ann <b>x</b></author>"),
    rss("<author>Ann<atom:name>Ben</atom:name></author>"),
    rss("<x:y xml:lang='de'><title>a</title></x:y>"),
    rss("<title>a</title><image/><title>b</title>"),
    rss("<feedburner:origLink a='b'>/1</feedburner:origLink>"),
    rss("<title>a</title><body>text</body>"),
    rss("<contributor><name><b/></name></contributor>"),
    rss("<link type='text/plain'>/1</link>"),
    atom("<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>a</p></div></content>"),
    atom("<link href='1.html'/>", attributes="xml:base='mailto:x'"),
]  # fmt: skip


@pytest.mark.parametrize("source", ODD)
def test_odd_entry_is_left_to_feedparser(source: str) -> None:
    opened = open_tree(source, fetched(source))
    if opened is not None:
        with pytest.raises(OddError):
            opened.entries[0].read()
    assert parse_document(fetched(source)) == oracle(source)


@pytest.mark.parametrize(
    "channel",
    [
        "<dc:title>D</dc:title><title>T</title>",
        "<title>T</title><title>U</title>",
        "<title>T</title><link>/?a=1&amp;amp;b</link>",
        "<textinput><title>search</title><link>/s</link></textinput><title>T</title>",
        "<image><foo/><title>i</title></image><title>T</title>",
        "<x:y><title>inner</title></x:y>",
        "<title>T</title><newlocation>/new</newlocation>",
    ],
)
def test_odd_channel_is_left_to_feedparser(channel: str) -> None:
    source = rss("<title>a</title>", channel=channel)
    with pytest.raises(OddError):
        tree(source).about()
    assert parse_document(fetched(source)) == oracle(source)


@pytest.mark.parametrize(
    "source",
    [
        rss("<title>&nbsp;</title>"),
        rss("<title>unclosed</titel>"),
        "<!DOCTYPE rss>" + rss("<title>a</title>"),
        "<channel><item><title>cdf</title></item></channel>",
        "<rss><channel/><channel/></rss>",
        "<rss><item><title>a</title></item><channel><title>c</title></channel></rss>",
        "<rss version='2.0' xmlns:media='http://purl.org/dc/elements/1.1/'><channel><item/></channel></rss>",
        "<rss><channel href='/c' lastmod='2026-01-15'><item><title>a</title></item></channel></rss>",
    ],
)
def test_document_of_another_shape_has_no_tree(source: str) -> None:
    assert open_tree(source, fetched(source)) is None
    assert parse_document(fetched(source)) == oracle(source)


def test_language_of_the_answer_is_inherited() -> None:
    source = atom("<title>a</title>")
    assert parse_document(fetched(source, "de-AT")) == oracle(source, "de-AT")
    assert parse_document(fetched(source, "de-AT")).articles[0].lang == "de"


def test_entries_stand_in_the_order_of_the_document_whoever_read_them() -> None:
    source = rss(
        "<title>1</title></item><item><title>2 &lt; 3</title></item><item><title>4</title>"
    )
    titles = [article.title for article in parse_document(fetched(source)).articles]
    assert titles == ["1", "2 < 3", "4"]


def test_what_a_channel_says_does_not_leak_into_its_first_entry() -> None:
    """feedparser takes a second text of a channel for its content, and then that of the first entry for a summary."""
    told = "<itunes:summary>s</itunes:summary><description>d</description>"
    entry = "<description>d</description><description>e</description>"
    source = rss(entry + f"</item><item>{entry}", channel=told)
    first, second = parse_document(fetched(source)).articles
    assert (first.summary, first.body) == (second.summary, second.body) == ("d", "e")
    assert oracle(source).articles[0].body == ""
