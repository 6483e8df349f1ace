"""OPML and CSV: read leniently, bounded, and written so that reading gives the same again."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.app.feedtexts import FeedRefusedError, make_feed, texts_of, values_of
from monitor.config.schema import PollSettings
from monitor.core.model import Feed
from monitor.feeds.feedcsv import read_csv, write_csv
from monitor.feeds.lines import LARGEST_LIST, FeedLine
from monitor.feeds.opml import read_opml, write_opml
from tests.factories import feed

POLL = PollSettings()


def opml(*outlines: str) -> bytes:
    return f'<opml version="2.0"><body>\n{"".join(outlines)}</body></opml>'.encode()


def problems(lines: list[FeedLine]) -> list[str]:
    return [line.problem for line in lines if line.problem]


def taken_in(lines: list[FeedLine]) -> list[Feed]:
    return [make_feed({"id": "x", **values_of(line)}, POLL) for line in lines]


# --- OPML ---


def test_feeds_come_with_their_line_and_their_folders() -> None:
    lines = read_opml(
        opml(
            '<outline text="News">\n',
            '<outline text="World"><outline type="rss" title="A &amp; B" xmlUrl="http://a.example/rss"/>\n',
            '</outline><outline text="C" xmlUrl="http://c.example/rss"/></outline>\n',
            '<outline text="Top" XMLURL="http://top.example/"/>',
        )
    )
    assert list(lines) == [
        FeedLine(3, {"url": "http://a.example/rss", "name": "A & B"}, ("News", "World")),
        FeedLine(4, {"url": "http://c.example/rss", "name": "C"}, ("News",)),
        FeedLine(5, {"url": "http://top.example/", "name": "Top"}, ()),
    ]


@pytest.mark.parametrize(
    "data",
    [
        opml('<outline text="A & B" xmlUrl="http://x.example/?a=1&b=2"/>'),
        b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>\n'
        + opml('<outline text="A &amp; B" xmlUrl="http://x.example/?a=1&amp;b=2"/>'),
        opml('<outline text="A &amp; B" xmlUrl="http://x.example/?a=1&amp;b=2"/>')
        .decode()
        .encode("utf-16"),
        b"some words in front of it\n"
        + opml('<outline text="A &amp; B" xmlUrl="http://x.example/?a=1&amp;b=2"/>'),
    ],
)
def test_what_other_programs_write_is_read(data: bytes) -> None:
    read = [line for line in read_opml(data) if not line.problem]
    assert [(line.values["name"], line.values["url"][:17]) for line in read] == [
        (read[0].values["name"], "http://x.example/")
    ]
    assert read[0].values["name"].replace(" ", "") in {"A&B", "AB"}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not OPML"),
        (b"<html><body>no</body></html>", "not OPML"),
        (b'<!DOCTYPE opml [<!ENTITY a "b">]>' + opml(), "declares entities"),
        (opml("<outline " + 'a="" ' * 2000 + "/>"), "line 2 has a tag of a size"),
        (opml('<outline text="' + "a" * 70_000 + '"/>'), "line 2 has a tag of a size"),
        (opml('<outline text="a">' * 300), "nests too deep"),
        (b'<opml><body><outline xmlUrl="http://a.example/"/>', "breaks off here"),
        (b" " * (LARGEST_LIST + 1), "more than 64 MiB"),
        (
            opml('<outline text="f">' * 17, '<outline xmlUrl="http://a/"/>', "</outline>" * 17),
            "lies in more than 16 folders",
        ),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(data: bytes, problem: str) -> None:
    assert problem in problems(list(read_opml(data)))[0]


def test_an_external_entity_is_not_fetched() -> None:
    lines = list(
        read_opml(
            b'<!DOCTYPE opml SYSTEM "file:///etc/passwd">'
            + opml('<outline text="&x;" xmlUrl="http://a.example/"/>')
        )
    )
    assert [line.values["url"] for line in lines] == ["http://a.example/"]


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(opml))
def test_no_bytes_make_a_reader_fail(data: bytes) -> None:
    for read in (read_opml, read_csv):
        for line in read(data):
            assert line.problem or line.values["url"]


# --- CSV ---


def test_a_header_names_the_columns_in_any_order() -> None:
    data = b"Title;xmlUrl;Category;label:desk;other\nA;http://a.example/;Sport;world;x\n\n;;;;\n"
    assert list(read_csv(data)) == [
        FeedLine(
            2,
            {
                "name": "A",
                "url": "http://a.example/",
                "category": "Sport",
                "label:desk": "world",
            },
        )
    ]


def test_a_list_of_addresses_needs_no_header() -> None:
    lines = list(read_csv(b"http://a.example/\nhttps://b.example/,ignored\n"))
    assert [(line.number, dict(line.values)) for line in lines] == [
        (1, {"url": "http://a.example/"}),
        (2, {"url": "https://b.example/"}),
    ]


@pytest.mark.parametrize(
    ("data", "number", "problem"),
    [
        (b"name,adress\na,b\n", 1, "no column `url`"),
        (b"url,name\n,Nameless\n", 2, "no address"),
        (b'url\n"' + b"a" * 200_000 + b'"\n', 2, "field larger than field limit"),
        (b" " * (LARGEST_LIST + 1), 1, "more than 64 MiB"),
    ],
)
def test_a_line_that_cannot_be_read_is_said(data: bytes, number: int, problem: str) -> None:
    [line] = read_csv(data)
    assert line.number == number
    assert problem in line.problem


# --- both ways ---

FEEDS = [
    feed(id="plain", url="http://a.example/rss"),
    feed(
        id="full",
        url="http://b.example/rss?a=1&b=2",
        name='Quotes " and <tags>; commas, too',
        every=timedelta(minutes=90),
        since=timedelta(days=1),
        lang="de",
        country="at",
        category="politics",
        labels={"desk": "world", "tier": "1"},
    ),
    feed(id="deep", url="http://c.example/", category="news", labels={"folder": "News/World"}),
    feed(id="odd", url="http://d.example/", labels={"folder": "Æther ☂"}),
]


@pytest.mark.parametrize(("write", "read"), [(write_opml, read_opml), (write_csv, read_csv)])
def test_what_was_written_is_read_again(write: object, read: object) -> None:
    data = write(FEEDS, {each.id: texts_of(each) for each in FEEDS})  # type: ignore[operator]
    lines = list(read(data))  # type: ignore[operator]
    assert problems(lines) == []
    back = {each.id: each for each in taken_in(lines)}
    assert back == {each.id: make_feed(_values(each), POLL) for each in FEEDS}


def _values(one: Feed) -> dict[str, str]:
    values = texts_of(one) | {"url": one.url, "name": one.name}
    return values | ({"category": one.category} if one.category else {})


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_name_breaks_a_list(name: str, category: str, folder: str) -> None:
    odd = feed(name=name, category=category, labels={"folder": folder})
    for write, read in ((write_opml, read_opml), (write_csv, read_csv)):
        try:
            data = write([odd], {odd.id: texts_of(odd)})
        except UnicodeEncodeError:
            continue  # lone surrogates are nowhere in the store
        [line] = read(data)
        assert line.values["url"] == odd.url


@pytest.mark.parametrize(
    ("folder", "category", "label"),
    [
        (("Sport",), "sport", None),
        (("News", "World"), "news", "News/World"),
        (("☂",), None, "☂"),
        ((), None, None),
    ],
)
def test_a_folder_becomes_the_category_and_a_path_is_kept_as_a_label(
    folder: tuple[str, ...], category: str | None, label: str | None
) -> None:
    line = FeedLine(1, {"url": "http://a.example/"}, folder)
    [made] = taken_in([line])
    assert (made.category, made.labels.get("folder")) == (category, label)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"url": "ftp://a.example/"}, "url: expected an address that begins with http://"),
        ({"url": "http://me:pw@a.example/"}, "must not contain a user name"),
        ({"url": "http://a.example/", "every": "5"}, "every: expected a duration"),
        ({"url": "http://a.example/", "every": "1s"}, "more often than poll.min_interval"),
        ({"url": "http://a.example/", "id": "A B"}, "did you mean 'a-b'?"),
        ({"url": "http://a.example/", "id": "monitor"}, "the monitor's own"),
        ({"url": "http://a.example/", "name": "x" * 2000}, "name: string should have at most 1000"),
        ({"url": "http://a.example/", "label:A": "x"}, "labels.A: expected an id"),
    ],
)
def test_values_are_held_to_the_rules_of_the_files(values: dict[str, str], why: str) -> None:
    with pytest.raises(FeedRefusedError) as refused:
        make_feed({"id": "x", **values}, POLL)
    assert why in str(refused.value)
