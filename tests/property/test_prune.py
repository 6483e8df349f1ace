"""Whatever becomes of a feed, reading what changed finds what reading all of it by feedparser finds."""

from collections.abc import Sequence
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.core.feed import Document, ParsedFeed, Standing
from monitor.core.identity import keys_of
from monitor.errors import ParseError
from monitor.feeds.memory import EntryMemory
from monitor.feeds.parse import parse_document, parse_unknown, parse_whole

SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:x="urn:x"'
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
)
NAMES = st.sampled_from(
    [
        *("title", "link", "guid", "description", "pubDate", "author", "category", "source", "image", "comments"),
        *("dc:title", "dc:creator", "dc:date", "dc:subject", "dc:language", "dc:description", "content:encoded"),
        *("media:title", "media:description", "media:group", "media:content", "media:keywords", "media:category"),
        *("atom:id", "atom:link", "atom:author", "atom:name", "atom:updated", "atom:summary", "atom:content"),
        *("itunes:summary", "itunes:author", "itunes:keywords", "x:title", "x:y", "date", "body", "xhtml:body"),
    ]
)  # fmt: skip
VALUES = st.sampled_from(
    [
        *("", " a ", "Talks", "1 &lt; 2", "&lt;p&gt;a&lt;/p&gt;", "AT&amp;amp;T", "<![CDATA[<b>a</b>]]>", "a, b"),
        *("/1", "http://news.example/1", "http:///x", "mailto:a@b.example", "a@b.example (Ann)", "caf\u00e9"),
        *("Caf\u00c3\u00a9", "a\u0092b", "Thu, 15 Jan 2026 10:30:00 GMT", "2026-01-15", "2020/1/10 14:33", "soon"),
    ]
)  # fmt: skip
ATTRIBUTES = st.sampled_from(
    [
        *("", "", "", " type='html'", " type='text'", " type='xhtml'", " href='/h'", " rel='self' href='/s'"),
        *(" url='/u'", " isPermaLink='false'", " xml:lang='de'", " xml:base='/b/'", " term='t'", " label='l'"),
        *(" mode='escaped'", " domain='d'", " lang=''", " x:a='b'"),
    ]
)  # fmt: skip
LEAVES = st.builds(
    lambda name, said, value: f"<{name}{said}>{value}</{name}>", NAMES, ATTRIBUTES, VALUES
)
HOLDERS = st.sampled_from(
    ["media:group", "media:content", "x:y", "image", "source", "author", "atom:source"]
)


def nested(names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Nest elements in others that are called so."""
    return st.recursive(
        LEAVES,
        lambda inner: st.builds(
            lambda name, said, children: f"<{name}{said}>{''.join(children)}</{name}>",
            names,
            ATTRIBUTES,
            st.lists(inner, max_size=2),
        ),
        max_leaves=3,
    )


def entries(elements: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(elements, max_size=7).map(lambda parts: f"<item>{''.join(parts)}</item>")


ENTRIES = entries(nested(NAMES))
# A text within a text leaves traces in feedparser that spoil the entries behind it.
TIDY_ENTRIES = entries(nested(HOLDERS))
# What feedparser keeps of a channel until its first entry, where it does not belong, is left out.
CHANNELS = st.lists(
    st.sampled_from(
        [
            *("<title>World</title>", "<link>/w</link>", "<language>en-GB</language>", "<x:y>z</x:y>"),
            *("<itunes:author>a</itunes:author>", "<atom:link rel='self' href='/s'/>"),
            *("<dc:language>fr</dc:language>", "<atom:link href='/a'/>", "<title>Other</title>", "<guid>/g</guid>"),
        ]
    ),
    max_size=4,
).map("".join)  # fmt: skip


def document(channel: str, items: Sequence[str]) -> Document:
    body = f"<rss version='2.0' {SPACES}><channel>{channel}{''.join(items)}</channel></rss>"
    return Document(url="http://news.example/feed", status=200, body=body.encode())


def oracle(fetched: Document) -> ParsedFeed:
    return parse_whole(fetched.body.decode(), "rss", fetched)


@given(CHANNELS, st.lists(ENTRIES, max_size=3))
@settings(max_examples=150, deadline=None)
def test_any_feed_is_read_as_by_feedparser(channel: str, items: list[str]) -> None:
    fetched = document(channel, items)
    try:
        whole = oracle(fetched)
    except ParseError:  # feedparser crashes
        assume(False)
        raise
    assert parse_document(fetched) == whole


@given(
    st.lists(st.lists(TIDY_ENTRIES, max_size=4), min_size=2, max_size=4),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_pruned_equals_whole_over_edits_insertions_and_removals(
    states: list[list[str]], chance: Random
) -> None:
    memory, standing = EntryMemory(), list[str]()
    for number, fresh in enumerate(states):
        standing = [
            *fresh,
            *(entry for place, entry in enumerate(standing) if (place + number) % 3),
        ]
        chance.shuffle(standing)
        fetched = document("<title>World</title>", standing)
        before = memory.last(fetched.url)
        try:
            found = parse_unknown(fetched, frozenset(before.entries))
            whole = oracle(fetched).articles
        except ParseError:  # feedparser crashes
            return
        merged = before.complete(found.feed, found.marks).entries()
        assert [keys_of(each) for each in merged] == [keys_of(each) for each in whole]
        assert [each.published_at for each in merged] == [each.published_at for each in whole]
        for ours, theirs in zip(merged, whole, strict=True):
            assert isinstance(ours, Standing) or ours == theirs
        memory.keep(fetched.url, before.followed_by(fetched.body_hash, found.feed, found.marks))
