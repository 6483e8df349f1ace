import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.values import ID
from monitor.core.addresses import distinct_id, feed_key, suggested_id


@pytest.mark.parametrize(
    "url",
    [
        "http://news.example/rss",
        "https://news.example/rss",
        "https://www.news.example/rss/",
        "https://NEWS.example:443/rss#top",
        " https://news.example./rss ",
    ],
)
def test_one_feed_however_its_address_is_written(url: str) -> None:
    assert feed_key(url) == "news.example/rss"


@pytest.mark.parametrize(
    "url",
    [
        "http://news.example/RSS",
        "http://news.example/rss?desk=world",
        "http://news.example:8080/rss",
        "http://rss.news.example/rss",
        "http://news.example/",
    ],
)
def test_addresses_that_may_lead_elsewhere_are_other_feeds(url: str) -> None:
    assert feed_key(url) != "news.example/rss"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://feeds.bbc.example/news/world/rss.xml", "bbc.example-news-world"),
        ("https://www.paper.example/?feed=rss2", "paper.example"),
        ("http://paper.example/rss?desk=Sport&lang=en", "paper.example-desk-sport-lang-en"),
        ("http://[::1]:8080/a", "1-a"),
        ("http://例え.example/feed", "example"),
    ],
)
def test_an_id_is_made_of_host_and_path(url: str, name: str) -> None:
    assert suggested_id(url) == name


def test_what_is_no_address_still_gets_an_id() -> None:
    for url in ("not an address", "http://[::1", "http://host:port/"):
        assert re.fullmatch("feed-[0-9a-f]{8}", suggested_id(url))
        assert feed_key(f" {url}") == url


def test_ids_of_two_addresses_that_read_alike_differ() -> None:
    one, other = "http://news.example/rss", "http://news.example/atom.xml"
    assert suggested_id(one) == suggested_id(other)
    assert distinct_id(one) != distinct_id(other)
    assert distinct_id(one) == distinct_id("https://www.news.example/rss/")


@settings(deadline=None)
@given(st.text() | st.from_regex(r"https?://[^\s]{0,80}"))
def test_every_address_has_a_key_and_valid_ids(url: str) -> None:
    assert isinstance(feed_key(url), str)
    for name in (suggested_id(url), distinct_id(url)):
        assert re.fullmatch(ID, name)
