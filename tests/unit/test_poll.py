"""What follows from a poll. Defects of other monitors that must not be ours are cited where they are tested."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.core.feed import Document, ParsedArticle, ParsedFeed
from monitor.core.model import ArticleKind, Feed, FeedState
from monitor.core.outcome import Suppression
from monitor.core.poll import (
    PollDecision,
    decide,
    decide_failed,
    decide_unchanged,
    document_keys,
    is_unchanged,
)
from monitor.errors import FeedReason, FetchError
from tests.factories import NOW, feed

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def entry(number: int, **changes: Any) -> ParsedArticle:
    defaults: dict[str, Any] = {
        "guid": f"g{number}",
        "url": f"http://news.example/{number}",
        "title": f"Story number {number}",
        "published_at": NOW + timedelta(minutes=number),
    }
    return ParsedArticle(**defaults | changes)


@dataclass
class Watched:
    """A feed with its memory, polled every quarter of an hour."""

    feed: Feed = field(default_factory=feed)
    state: FeedState = field(default_factory=FeedState)
    known: set[int] = field(default_factory=set)
    now: datetime = NOW

    def poll(self, *entries: ParsedArticle, complete: bool = True, **headers: str) -> PollDecision:
        parsed = ParsedFeed(articles=entries, complete=complete, lang="en")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        document = Document(
            url="http://news.example/rss",
            status=int(named.pop("status", "200")),
            body=repr(entries).encode(),
            headers=named,
            etag=named.get("etag"),
            last_modified=named.get("last-modified"),
        )
        keys = document_keys(parsed)
        decision = decide(
            self.feed,
            self.state,
            document,
            parsed,
            frozenset(self.known.intersection(keys)),
            now=self.now,
            trace_id="trace",
        )
        self.state = decision.state
        self.known.update(decision.keys)
        self.now += timedelta(minutes=15)
        return decision

    def told(self, *entries: ParsedArticle) -> list[str]:
        """Poll, and return the titles of the new articles."""
        return [
            article.title
            for article in self.poll(*entries).articles
            if article.kind is ArticleKind.NEW
        ]


def titles(*numbers: int) -> list[str]:
    return [f"Story number {number}" for number in numbers]


def watched(*backlog: ParsedArticle, **changes: Any) -> Watched:
    """Return a feed that has been polled once."""
    found = Watched(feed=feed(**changes))
    found.poll(*(backlog or (entry(0),)))
    return found


# --- the first poll ---


def test_first_poll_alerts_nobody() -> None:
    """OpenExecutive #80: the first poll of a feed alerted on items that were months old."""
    decision = Watched().poll(*(entry(n) for n in range(20)))
    assert decision.articles == ()
    assert decision.suppressed == {Suppression.BASELINE: 20}
    assert decision.state.baseline_at == NOW
    assert decision.state.changed_at == NOW


def test_first_poll_alerts_as_far_back_as_since_asks() -> None:
    fresh = Watched(feed=feed(since=timedelta(hours=2)))
    decision = fresh.poll(
        entry(1, published_at=NOW - timedelta(hours=1)),
        entry(2, published_at=NOW - timedelta(hours=3)),
        entry(3, published_at=None),
        entry(4, published_at=NOW + timedelta(hours=1)),
    )
    assert [article.title for article in decision.articles] == titles(1, 4)
    assert decision.suppressed == {Suppression.BASELINE: 2}


def test_second_poll_tells_what_was_not_there_before() -> None:
    assert watched().told(entry(1), entry(0)) == titles(1)


def test_feed_that_begins_empty_tells_what_comes_later() -> None:
    young = Watched()
    assert young.told() == []
    later = entry(1, published_at=NOW + 5 * MINUTE)
    undated = entry(2, published_at=None)
    assert young.told(later, undated) == titles(2, 1)
    assert young.told(entry(3, published_at=NOW - DAY), later) == titles(3)


def test_feed_that_was_broken_when_we_met_it_does_not_alert_its_backlog() -> None:
    broken = Watched()
    broken.poll()
    decision = broken.poll(*(entry(n, published_at=NOW - n * DAY) for n in range(1, 9)))
    assert decision.articles == ()
    assert decision.suppressed == {Suppression.BASELINE: 8}
    assert broken.told(entry(10, published_at=NOW + MINUTE)) == titles(10)


# --- what is told, once ---


def test_restart_alerts_nothing_again() -> None:
    """Node-RED feedparse 0.3.0: the seen-set was in memory, so that a restart sent everything again."""
    first = watched(entry(0), entry(1))
    restarted = Watched(feed=first.feed, state=first.state, known=set(first.known), now=first.now)
    assert restarted.told(entry(0), entry(1)) == []
    assert restarted.told(entry(2), entry(0), entry(1)) == titles(2)


def test_entries_of_the_same_second_are_all_told() -> None:
    """n8n's RSS trigger keeps the last date: a sibling of the same second is lost."""
    feed_ = watched(entry(0))
    at = NOW + 5 * MINUTE
    assert feed_.told(entry(1, published_at=at), entry(0)) == titles(1)
    assert feed_.told(entry(2, published_at=at), entry(1, published_at=at), entry(0)) == titles(2)


def test_backdated_entry_is_told() -> None:
    """n8n's RSS trigger: an entry dated before the newest one is lost."""
    feed_ = watched(entry(9), entry(8))
    assert feed_.told(entry(1, published_at=NOW - 30 * DAY), entry(9), entry(8)) == titles(1)


def test_entry_dated_in_the_future_hides_nothing() -> None:
    """n8n's RSS trigger: one entry of next December silences the feed until then."""
    feed_ = watched(entry(0))
    future = entry(1, published_at=NOW + 300 * DAY)
    assert feed_.told(future, entry(0)) == titles(1)
    assert feed_.told(entry(2), future, entry(0)) == titles(2)


def test_entry_without_a_date_hides_nothing() -> None:
    """n8n's RSS trigger: an undated last entry makes its watermark undefined."""
    feed_ = watched(entry(0))
    undated = entry(1, published_at=None)
    assert feed_.told(undated, entry(0)) == titles(1)
    assert feed_.told(entry(2), undated, entry(0)) == titles(2)


def test_static_feed_of_600_entries_is_told_never_again() -> None:
    """Huginn's RssAgent keeps 500 ids: a feed of 600 entries is new at every poll."""
    static = [entry(n) for n in range(600)]
    feed_ = watched(*static)
    assert [len(feed_.told(*static)) for _ in range(3)] == [0, 0, 0]
    assert feed_.told(entry(600), *static) == titles(600)


def test_25_new_entries_at_once_are_all_told() -> None:
    """Huginn's max_events_per_run marks what is over its limit as seen, and drops it."""
    assert len(watched().told(*(entry(n) for n in range(1, 26)), entry(0))) == 25


def test_old_entry_that_slides_back_into_the_window_is_not_told() -> None:
    """Bitbot #83: when a publisher deletes entries, older ones return to the end of the feed."""
    window = [entry(n, published_at=NOW - n * DAY) for n in range(1, 6)]
    feed_ = watched(*window)
    decision = feed_.poll(*window[1:], entry(6, published_at=NOW - 6 * DAY))
    assert decision.articles == ()
    assert decision.suppressed == {Suppression.LATE: 1}
    assert feed_.poll(*window[1:], entry(6, published_at=NOW - 6 * DAY)).suppressed == {}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(entry(6, published_at=NOW - timedelta(hours=6)), id="younger than a day"),
        pytest.param(entry(6, published_at=NOW - 3 * DAY), id="younger than what is known"),
        pytest.param(entry(6, published_at=None), id="undated"),
    ],
)
def test_entry_at_the_end_is_told_when_it_is(given: ParsedArticle) -> None:
    window = [entry(n, published_at=NOW - n * DAY) for n in range(1, 6)]
    assert watched(*window).told(*window[1:], given) == titles(6)


def test_feed_sorted_with_the_newest_last_is_told() -> None:
    window = [entry(n, published_at=NOW - (9 - n) * DAY) for n in range(1, 6)]
    assert watched(*window).told(*window, entry(6, published_at=NOW - 3 * DAY)) == titles(6)


def test_window_that_moved_on_completely_is_told() -> None:
    assert watched(entry(0)).told(*(entry(n, published_at=NOW - 9 * DAY) for n in (3, 2, 1))) == (
        titles(1, 2, 3)
    )


def test_date_rewritten_at_each_edit_is_told_once() -> None:
    """FeedCord #67, n8n #8856: a feed that renews its dates was told two and three times."""
    feed_ = watched()
    assert feed_.told(entry(1), entry(0)) == titles(1)
    for hour in range(1, 4):
        again = entry(1, published_at=NOW + timedelta(hours=hour))
        assert feed_.poll(again, entry(0)).articles == ()


def test_dates_at_midnight_hide_nothing() -> None:
    """FeedCord #94: a feed that stamps 00:00:00 was missed, for being older than the last poll."""
    midnight = NOW.replace(hour=0)
    feed_ = watched(entry(0, published_at=midnight))
    for number in (1, 2):
        fresh = entry(number, published_at=midnight)
        assert feed_.told(fresh, entry(0, published_at=midnight)) == titles(number)


def test_article_under_another_guid_date_and_tracking_link_is_told_once() -> None:
    feed_ = watched()
    assert feed_.told(entry(1), entry(0)) == titles(1)
    again = entry(1, guid="new", url="https://www.news.example/1/?utm_source=x", published_at=None)
    assert feed_.poll(again, entry(0)).articles == ()


def test_edit_is_an_edited_article_under_the_same_id() -> None:
    feed_ = watched()
    (before,) = feed_.poll(entry(1)).articles
    (after,) = feed_.poll(entry(1, title="Story number one")).articles
    assert (before.kind, after.kind) == (ArticleKind.NEW, ArticleKind.EDITED)
    assert before.id == after.id
    assert before.fingerprint != after.fingerprint


def test_what_is_not_matched_is_kept_with_its_reason_the_newest_of_it() -> None:
    feed_ = Watched()
    backlog = feed_.poll(*(entry(n, published_at=NOW - n * MINUTE) for n in range(300)))
    assert {each.suppressed for each in backlog.silent} == {Suppression.BASELINE}
    kept = [each.article.published_at for each in backlog.silent]
    assert kept == [NOW - n * MINUTE for n in reversed(range(200))]
    assert backlog.suppressed == {Suppression.BASELINE: 300}
    assert feed_.poll(entry(301)).silent == ()


def test_edit_of_the_backlog_is_edited_and_not_new() -> None:
    (after,) = watched().poll(entry(0, title="Corrected")).articles
    assert after.kind is ArticleKind.EDITED


def test_entry_that_stands_twice_in_a_document_is_told_once() -> None:
    assert watched().told(entry(1), entry(1), entry(1, guid="copy")) == titles(1)


def test_entry_that_vanishes_and_returns_is_told_once() -> None:
    feed_ = watched()
    assert feed_.told(entry(1), entry(0)) == titles(1)
    assert feed_.told(entry(0)) == []
    assert feed_.told(entry(1), entry(0)) == []


def test_entries_with_one_link_are_told_each() -> None:
    """MonitoRSS #229: many entries with one link; only the first was seen."""
    live = "http://news.example/live"
    feed_ = watched(*(entry(n, url=live) for n in range(3)))
    assert feed_.state.shared_urls
    assert feed_.told(entry(3, url=live)) == titles(3)
    assert feed_.told(entry(4, url=live)) == titles(4)
    assert feed_.state.shared_urls


# --- what an article carries ---


def test_article_carries_what_the_feed_and_the_entry_say() -> None:
    feed_ = watched(country="gb", category="politics")
    (article,) = feed_.poll(
        entry(1, url="http://news.example/1?utm_source=rss", author="A. Reporter", tags=("un",))
    ).articles
    assert article.url == "http://news.example/1"
    assert (article.feed_id, article.feed_name) == ("example-world", "Example World")
    assert (article.lang, article.country, article.category) == ("en", "gb", "politics")
    assert (article.author, article.tags, article.trace_id) == ("A. Reporter", ("un",), "trace")
    assert article.seen_at == NOW + timedelta(minutes=15)
    assert article.published_at == NOW + MINUTE


@pytest.mark.parametrize(
    ("configured", "said", "lang"), [("de", "fr", "de"), (None, "fr", "fr"), (None, None, "en")]
)
def test_language_is_that_of_the_operator_then_the_entry_then_the_feed(
    configured: str | None, said: str | None, lang: str
) -> None:
    (article,) = watched(lang=configured).poll(entry(1, lang=said)).articles
    assert article.lang == lang


def test_articles_come_oldest_first() -> None:
    late = entry(5, published_at=NOW - 5 * MINUTE)
    assert watched().told(late, entry(3), entry(1), entry(2), entry(0)) == titles(5, 1, 2, 3)


def test_articles_without_dates_come_from_the_end_of_the_document() -> None:
    undated = [entry(n, published_at=None) for n in (3, 2, 1)]
    assert watched().told(*undated, entry(0)) == titles(1, 2, 3)


# --- what is remembered ---


def test_keys_of_the_whole_document_are_remembered() -> None:
    feed_ = watched(entry(0), entry(1))
    decision = feed_.poll(entry(2), entry(1))
    assert set(decision.keys) == set(document_keys(ParsedFeed(articles=(entry(2), entry(1)))))


def test_validators_of_a_whole_document_are_taken_over() -> None:
    feed_ = watched()
    feed_.poll(entry(1), etag='"1"', last_modified="then")
    assert (feed_.state.etag, feed_.state.last_modified) == ('"1"', "then")
    assert feed_.state.url == "http://news.example/rss"
    assert feed_.state.body_hash
    feed_.poll(entry(2))
    assert (feed_.state.etag, feed_.state.last_modified) == (None, None)


@pytest.mark.parametrize(
    ("entries", "complete"),
    [pytest.param((entry(1),), False, id="broken off"), pytest.param((), True, id="empty")],
)
def test_validators_of_less_than_a_document_are_not(
    entries: tuple[ParsedArticle, ...], complete: bool
) -> None:
    feed_ = watched()
    feed_.poll(entry(0), etag='"good"')
    before = feed_.state
    decision = feed_.poll(*entries, complete=complete, etag='"bad"')
    assert decision.state.etag == '"good"'
    assert decision.state.body_hash == before.body_hash
    assert decision.state.reason is None


def test_entries_of_a_document_that_broke_off_are_told() -> None:
    decision = watched().poll(entry(1), complete=False)
    assert [article.title for article in decision.articles] == titles(1)


def test_feed_that_comes_back_after_being_empty_alerts_nothing_again() -> None:
    feed_ = watched(*(entry(n) for n in range(50)))
    assert feed_.told() == []
    assert feed_.told(*(entry(n) for n in range(50))) == []


def test_delta_advances_the_validators_but_not_the_body() -> None:
    feed_ = watched()
    decision = feed_.poll(entry(1), status="226", etag='"2"')
    assert [article.title for article in decision.articles] == titles(1)
    assert (decision.state.etag, decision.state.body_hash) == ('"2"', None)


# --- nothing new ---


def document(**changes: Any) -> Document:
    defaults: dict[str, Any] = {"url": "http://news.example/rss", "status": 200, "body": b"<rss/>"}
    return Document(**defaults | changes)


def test_304_is_unchanged_and_renews_the_validators_it_has() -> None:
    state = FeedState(
        etag='"1"',
        last_modified="then",
        failures=3,
        reason=FeedReason.DNS,
        detail="x",
        baseline_at=NOW,
    )
    answer = document(status=304, body=b"", etag='"2"')
    assert is_unchanged(state, answer)
    decision = decide_unchanged(feed(), state, answer, NOW)
    assert (decision.state.etag, decision.state.last_modified) == ('"2"', "then")
    assert (decision.state.failures, decision.state.reason, decision.state.detail) == (0, None, "")
    assert decision.state.succeeded_at == decision.state.polled_at == NOW
    assert (decision.articles, decision.keys) == ((), ())
    assert decision.next.at == NOW + timedelta(minutes=15)


def test_same_bytes_are_unchanged_whatever_the_validators_say() -> None:
    feed_ = Watched()
    feed_.poll(entry(0), etag='"1"')
    same = document(body=repr((entry(0),)).encode(), etag='"2"')
    assert is_unchanged(feed_.state, same)
    assert not is_unchanged(feed_.state, replace(same, body=b"other"))
    assert not is_unchanged(feed_.state, replace(same, status=226))
    assert decide_unchanged(feed_.feed, feed_.state, same, NOW).state.etag == '"2"'


# --- failures ---


def test_failure_keeps_all_that_is_known() -> None:
    state = replace(watched().state, etag='"1"')
    error = FetchError(FeedReason.DNS, "news.example does not resolve (DNS): check the network")
    first = decide_failed(feed(), state, error, NOW + DAY)
    assert first.state == replace(
        state,
        polled_at=NOW + DAY,
        failures=1,
        failing_since=NOW + DAY,
        weight=0.25,
        reason=FeedReason.DNS,
        detail="news.example does not resolve (DNS): check the network",
        errors={FeedReason.DNS: 1},
        errors_since=NOW + DAY,
        next_poll_at=first.next.at,
        because="failed: DNS",
    )
    second = decide_failed(feed(), first.state, error, NOW + DAY)
    assert second.state.failures == 2
    assert second.next.because == "2nd failure in a row: DNS"
    assert (second.articles, second.keys) == ((), ())


def test_success_ends_a_row_of_failures() -> None:
    feed_ = watched()
    feed_.state = replace(feed_.state, failures=7, reason=FeedReason.DNS, detail="x")
    state = feed_.poll(entry(0)).state
    assert (state.failures, state.reason, state.detail) == (0, None, "")
    assert state.because == "every 15m"
    assert state.next_poll_at == feed_.now
