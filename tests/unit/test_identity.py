"""Which entries are one article."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.feed import ParsedArticle
from monitor.core.identity import (
    Identity,
    Verdict,
    article_id,
    canonical_url,
    fingerprint,
    identify,
    judge,
    keys_of,
    outline_of,
    url_identity,
)
from tests.factories import NOW

LONG = (
    "Delegates returned to the table on Thursday and spoke for hours about the withdrawal of troops, the water and the"
    " prisoners of both sides."
)


def entry(**changes: Any) -> ParsedArticle:
    defaults: dict[str, Any] = {
        "guid": "g1",
        "url": "http://news.example/1",
        "title": "Talks resume",
        "summary": LONG,
        "published_at": NOW,
    }
    return ParsedArticle(**defaults | changes)


def alone(given: ParsedArticle) -> Identity:
    (one,) = identify([given])
    return one


def id_in(feed_id: str, one: Identity) -> str:
    return article_id(feed_id, one, canonical_url(one.entry.url))


def seen(*entries: ParsedArticle) -> frozenset[int]:
    return frozenset(key for each in entries for key in keys_of(each).present())


def verdict(given: ParsedArticle, *before: ParsedArticle) -> Verdict:
    return judge(alone(given), seen(*before))


# --- addresses ---


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("HTTP://News.Example:80/A?b=1#top", "http://news.example/A?b=1"),
        ("https://news.example:443", "https://news.example/"),
        ("https://news.example:8443/a", "https://news.example:8443/a"),
        ("http://news.example/a?utm_source=rss&id=7&UTM_Medium=feed", "http://news.example/a?id=7"),
        ("http://news.example/a?at_medium=RSS&at_campaign=KARANGA", "http://news.example/a"),
        ("http://news.example/a?fbclid=x&gclid=y&cmp=z&smid=w", "http://news.example/a"),
        ("http://news.example/a?id=1&amp;utm_source=x", "http://news.example/a?id=1"),
        ("http://news.example/a?source=rss", "http://news.example/a"),
        ("http://news.example/a?source=reuters", "http://news.example/a?source=reuters"),
        ("http://news.example/a?b=2&a=1", "http://news.example/a?b=2&a=1"),
        ("http://news.example/a;jsessionid=AB12?id=1", "http://news.example/a?id=1"),
        ("http://news.example/%c3%a9", "http://news.example/%C3%A9"),
        ("http://news.example/#!/story/1", "http://news.example/#!/story/1"),
        ("http://reader:secret@news.example/a", "http://news.example/a"),
        ("http://[2001:DB8::1]:80/a", "http://[2001:db8::1]/a"),
        ("http://news.example./a", "http://news.example/a"),
        ("  http://news.example/a\n", "http://news.example/a"),
        ("http://[::1/a", "http://[::1/a"),
        ("http://news.example:port/a", "http://news.example:port/a"),
        ("urn:uuid:1", "urn:uuid:1"),
        ("", ""),
    ],
)
def test_address_loses_what_does_not_change_the_page(written: str, canonical: str) -> None:
    assert canonical_url(written) == canonical


@pytest.mark.parametrize(
    "variant",
    [
        "https://news.example/a",
        "http://www.news.example/a",
        "http://news.example/a/",
        "http://news.example:80/a#comments",
        "https://WWW.news.example/a/?utm_campaign=x",
    ],
)
def test_variants_of_an_address_have_one_identity(variant: str) -> None:
    assert url_identity(variant) == url_identity("http://news.example/a")


@pytest.mark.parametrize(
    "other",
    [
        "http://news.example/b",
        "http://m.news.example/a",
        "http://news.example/a?id=2",
        "http://news.example/A",
    ],
)
def test_other_addresses_have_another_identity(other: str) -> None:
    assert url_identity(other) != url_identity("http://news.example/a")


@pytest.mark.parametrize(
    "url", ["http://news.example", "http://news.example/?utm_source=rss", "", "nonsense"]
)
def test_front_page_identifies_nothing(url: str) -> None:
    assert url_identity(url) == ""
    assert keys_of(entry(url=url)).url is None


# --- keys ---


def test_keys_are_signed_64_bit_numbers_and_differ_by_kind() -> None:
    keys = keys_of(entry(guid="x", url="http://x/x", title="x", summary="")).present()
    assert len(set(keys)) == len(keys) == 4
    assert all(-(2**63) <= key < 2**63 for key in keys)


def test_keys_never_change_between_versions() -> None:
    keys = keys_of(entry(summary=""))
    assert (keys.guid, keys.url, keys.text) == (
        8_463_001_482_244_348_142,
        -5_772_223_628_260_699_852,
        422_116_463_928_021_457,
    )


def test_text_key_ignores_case_punctuation_and_spacing() -> None:
    assert keys_of(entry(title="Talks  RESUME!")).text == keys_of(entry(title="talks resume")).text
    assert keys_of(entry(title="Talks resumed")).text != keys_of(entry(title="talks resume")).text


def test_text_that_moves_between_summary_and_body_is_the_same_text() -> None:
    assert keys_of(entry(summary="", body=LONG)).text == keys_of(entry()).text


def test_only_short_dated_texts_have_a_moment() -> None:
    assert keys_of(entry()).moment is None
    assert keys_of(entry(summary="", published_at=None)).moment is None
    assert keys_of(entry(summary="")).moment is not None


def test_entry_without_words_has_no_text_key() -> None:
    keys = keys_of(entry(title="—", summary=""))
    assert keys.text is None
    assert fingerprint(keys) == ""


# --- verdicts ---


def test_nothing_seen_is_new() -> None:
    assert verdict(entry()) is Verdict.NEW


def test_all_seen_is_known() -> None:
    assert verdict(entry(), entry()) is Verdict.KNOWN


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"guid": "g2"}, id="another guid"),
        pytest.param({"url": "http://news.example/2"}, id="another link"),
        pytest.param({"guid": ""}, id="no guid"),
        pytest.param({"url": ""}, id="no link"),
        pytest.param({"guid": "g2", "url": "http://news.example/2"}, id="another guid and link"),
        pytest.param({"published_at": NOW + timedelta(hours=1)}, id="another date"),
        pytest.param({"published_at": None}, id="no date"),
        pytest.param({"url": "https://www.news.example/1/?utm_source=x"}, id="a tracking link"),
        pytest.param({"author": "Someone", "tags": ("un",)}, id="another author"),
    ],
)
def test_same_text_is_known_in_spite_of(changed: dict[str, Any]) -> None:
    assert verdict(entry(**changed), entry()) is Verdict.KNOWN


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="same guid and link"),
        pytest.param({"guid": "g2"}, id="same link under another guid"),
        pytest.param({"guid": ""}, id="same link without a guid"),
        pytest.param({"url": ""}, id="same guid without a link"),
    ],
)
def test_another_text_is_an_edit_with(changed: dict[str, Any]) -> None:
    assert verdict(entry(title="Talks break off", **changed), entry()) is Verdict.EDITED


def test_edit_that_is_taken_back_is_known() -> None:
    assert verdict(entry(), entry(), entry(title="Talks break off")) is Verdict.KNOWN


def test_guid_used_again_for_another_link_and_text_is_new() -> None:
    reused = entry(url="http://news.example/2", title="Floods in the north", summary="")
    assert verdict(reused, entry()) is Verdict.NEW


def test_hourly_bulletin_with_the_same_short_text_is_new_each_hour() -> None:
    bulletin = entry(guid="b1", url="http://news.example/b1", title="News bulletin", summary="")
    later = replace(
        bulletin,
        guid="b2",
        url="http://news.example/b2",
        published_at=NOW + timedelta(hours=1),
    )
    assert verdict(later, bulletin) is Verdict.NEW
    assert verdict(replace(later, published_at=None), bulletin) is Verdict.NEW


def test_short_text_that_moved_with_its_date_is_known() -> None:
    before = entry(title="Talks resume", summary="")
    moved = replace(before, guid="https://new.example/1", url="https://new.example/1")
    assert verdict(moved, before) is Verdict.KNOWN


def test_bulletins_that_share_a_link_are_told_apart_by_guid() -> None:
    live = {"url": "http://news.example/live", "summary": ""}
    first, second = (
        entry(guid=f"b{n}", title="News bulletin", published_at=NOW + timedelta(hours=n), **live)
        for n in range(2)
    )
    (one,) = identify([second], shared_urls=True)
    assert judge(one, seen(first)) is Verdict.NEW
    assert id_in("f", one) != id_in("f", identify([first], shared_urls=True)[0])


def test_entry_that_nothing_identifies_is_known_by_its_text() -> None:
    bare = entry(guid="", url="", summary="")
    assert verdict(bare) is Verdict.NEW
    assert verdict(replace(bare, published_at=NOW + timedelta(hours=1)), bare) is Verdict.KNOWN


def test_entry_without_words_is_known_by_guid_or_link() -> None:
    sound = entry(title="", summary="", guid="", url="http://news.example/1.mp3")
    assert verdict(sound) is Verdict.NEW
    assert verdict(sound, sound) is Verdict.KNOWN
    assert verdict(replace(sound, guid="g9"), sound) is Verdict.KNOWN


# --- trust within a document ---


def test_link_shared_by_several_texts_is_not_trusted() -> None:
    home = "http://news.example/live"
    entries = [entry(guid=f"g{n}", url=home, title=f"Story {n}") for n in range(3)]
    assert not any(one.url_trusted for one in identify(entries))
    assert outline_of(entries).has_shared_urls()


def test_link_repeated_with_the_same_text_is_trusted() -> None:
    entries = [entry(), entry(guid="g2")]
    assert all(one.url_trusted for one in identify(entries))
    assert not outline_of(entries).has_shared_urls()


def test_two_of_many_with_one_link_are_an_accident() -> None:
    many = [entry(guid=f"g{n}", url=f"http://news.example/{n}", title=f"S {n}") for n in range(9)]
    twice = [*many, replace(many[0], guid="again", title="Once more")]
    assert not outline_of(twice).has_shared_urls()
    assert outline_of([twice[0], twice[-1]]).has_shared_urls()


def test_guid_shared_by_several_texts_is_not_trusted() -> None:
    ones = identify(
        [entry(guid="same", url="", title=f"Story {n}", published_at=None) for n in range(2)]
    )
    assert not any(one.guid_trusted for one in ones)
    assert [judge(one, seen(entry(guid="same", url="", title="Old"))) for one in ones] == [
        Verdict.NEW,
        Verdict.NEW,
    ]


# --- ids ---


def test_article_id_is_26_lower_case_letters_and_digits() -> None:
    found = id_in("f", alone(entry()))
    assert len(found) == 26
    assert found.isalnum()
    assert found == found.lower()


def test_article_has_one_id_in_all_feeds_that_link_to_it() -> None:
    tracked = entry(guid="other", url="https://www.news.example/1?utm_source=b", title="Other")
    assert id_in("a", alone(entry())) == id_in("b", alone(tracked))


def test_article_without_a_trusted_link_has_an_id_of_its_feed() -> None:
    by_guid, by_text = entry(url=""), entry(url="", guid="")
    for given in (by_guid, by_text):
        assert id_in("a", alone(given)) != id_in("b", alone(given))
        assert id_in("a", alone(given)) == id_in("a", alone(given))
    assert id_in("a", alone(by_guid)) == id_in("a", alone(replace(by_guid, title="x")))


def test_fingerprint_follows_the_words() -> None:
    before, after = keys_of(entry()), keys_of(entry(title="Talks break off"))
    assert fingerprint(before) == fingerprint(keys_of(entry(guid="g2", url="")))
    assert fingerprint(before) != fingerprint(after)
    assert len(fingerprint(before)) == 16
