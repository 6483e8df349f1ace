from datetime import UTC, datetime, timedelta

import pytest

from monitor.streams import bounds, keys
from monitor.streams.instants import from_ms, to_ms


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://www.news.example.com/rss", "example.com"),
        ("https://feeds.bbc.co.uk:443/x?y#z", "bbc.co.uk"),
        ("http://user@NEWS.Example.COM./", "example.com"),
        ("http://127.0.0.1:8000/rss", "127.0.0.1"),
        ("http://[::1]:8000/rss", "::1"),
        ("http://localhost/rss", "localhost"),
        ("http://co.uk/", "co.uk"),
        ("http://[broken/rss", "http://[broken/rss"),
        ("", ""),
    ],
)
def test_feeds_of_one_site_share_a_host(url: str, host: str) -> None:
    assert keys.registrable_host(url) == host


def test_hashes_are_the_same_in_every_process_and_release() -> None:
    assert keys.hash64("a1", "talks", "desk/hook") == -4187130123510041115
    assert keys.partition_of("example.com", 16) == 6


def test_hashes_tell_parts_apart() -> None:
    assert keys.hash64("ab", "c") != keys.hash64("a", "bc")


def test_hashes_take_any_text() -> None:
    assert keys.hash64("\ud800") != keys.hash64("\ud801")


def test_keys_of_a_partition_share_its_tag() -> None:
    assert keys.key(3, "due") == "monitor:{p03}:due"
    assert keys.told(3, 7, 1).startswith("monitor:{p03}:told:")


def test_the_memory_of_the_public_stream_lies_in_its_slot() -> None:
    assert keys.published(7, 1).startswith("{" + keys.PUBLIC + "}:")


def test_spread_is_within_bounds_and_stable() -> None:
    hour = timedelta(hours=1)
    places = {keys.spread_over(f"f{n}", hour) for n in range(100)}
    assert len(places) == 100
    assert all(timedelta() <= place < hour for place in places)
    assert keys.spread_over("f1", hour) == keys.spread_over("f1", hour)


def test_a_generation_lasts_as_long_as_it_says() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert keys.generation(start + bounds.TOLD_GENERATION) == keys.generation(start) + 1


def test_instants_are_whole_milliseconds_rounded_down() -> None:
    instant = datetime(2026, 1, 15, 12, 0, 0, 1999, tzinfo=UTC)
    assert from_ms(to_ms(instant)) == datetime(2026, 1, 15, 12, 0, 0, 1000, tzinfo=UTC)
