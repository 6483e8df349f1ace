"""The feed that the monitor publishes for itself."""

from datetime import timedelta

from monitor.core.canary import CANARY, canary_document, canary_feed, waited
from monitor.core.feed import Document
from monitor.core.notice import own_matches
from monitor.feeds.parse import parse_document
from tests.factories import NOW, article

MINUTE = timedelta(minutes=1)


def titles(instant: timedelta) -> list[str]:
    body = canary_document(NOW + instant, MINUTE).encode()
    return [
        each.title for each in parse_document(Document(url="x", status=200, body=body)).articles
    ]


def test_each_interval_has_an_article_of_its_own_and_those_before_overlap() -> None:
    first, same, later = titles(timedelta()), titles(MINUTE * 0.9), titles(MINUTE)
    assert first == same
    assert len(first) == 3
    assert later[1:] == first[:2]


def test_article_is_published_at_the_beginning_of_its_interval() -> None:
    body = canary_document(NOW + MINUTE / 2, MINUTE).encode()
    newest = parse_document(Document(url="x", status=200, body=body)).articles[0]
    assert newest.published_at == NOW


def test_only_the_canary_is_waited_for() -> None:
    assert waited(article(published_at=NOW), NOW + MINUTE) is None
    ours = article(feed_id=CANARY, published_at=NOW)
    assert waited(ours, NOW + MINUTE) == MINUTE
    assert waited(ours, NOW - MINUTE) == timedelta()
    assert waited(article(feed_id=CANARY, published_at=None), NOW) is None


def test_canary_is_found_by_a_rule_of_its_own() -> None:
    found = own_matches(article(feed_id=canary_feed("http://here", MINUTE).id))
    assert found is not None
    assert found[0].rule_id == "monitor.canary"
