"""What an operator is told about a feed: once when it begins, once when it is over."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from monitor.core.feed import Document
from monitor.core.model import Article, FeedState, Severity
from monitor.core.notice import own_matches
from monitor.core.poll import PollDecision, decide_failed, decide_unchanged
from monitor.errors import FeedReason, FetchError
from tests.factories import NOW, article, feed

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURLY = FeedState(
    configured=feed().url, baseline_at=NOW, changed_at=NOW, quiet=HOUR, succeeded_at=NOW
)


def fail(state: FeedState, reason: FeedReason, now: datetime) -> PollDecision:
    return decide_failed(feed(), state, FetchError(reason, "news.example said so"), now)


def succeed(
    state: FeedState, now: datetime, listed: Mapping[str, str] = MappingProxyType({})
) -> PollDecision:
    return decide_unchanged(feed(), state, Document(url=feed().url, status=304), now, listed)


def kinds(notices: tuple[Article, ...]) -> list[str]:
    return [notice.fingerprint for notice in notices]


def test_gone_is_told_at_once_and_only_once() -> None:
    first = fail(HOURLY, FeedReason.GONE, NOW)
    (notice,) = first.notices
    assert notice.title == "Example World is gone for good"
    assert "news.example said so" in notice.summary
    assert first.state.gone_at == NOW
    again = fail(first.state, FeedReason.GONE, NOW + 30 * DAY)
    assert (again.notices, again.state.gone_at) == ((), NOW)


def test_feed_that_comes_back_is_told_to_be_well() -> None:
    gone = fail(HOURLY, FeedReason.GONE, NOW).state
    back = succeed(replace(gone, changed_at=NOW + 30 * DAY), NOW + 30 * DAY)
    assert kinds(back.notices) == ["feed-well"]
    assert back.notices[0].summary == "What was told of it is over after 720h."
    assert (back.state.gone_at, back.state.told) == (None, ())
    assert back.next.at < NOW + 31 * DAY


def test_failing_is_told_after_a_day_and_of_connections_after_three() -> None:
    def told_after(reason: FeedReason) -> timedelta:
        state, now = HOURLY, NOW
        while True:
            decision = fail(state, reason, now)
            if decision.notices:
                assert kinds(decision.notices) == ["feed-failing"]
                assert "polls in a row have failed since 2026-01-15" in decision.notices[0].summary
                return now - NOW
            state, now = decision.state, now + HOUR

    assert told_after(FeedReason.UNAUTHORIZED) == DAY
    assert told_after(FeedReason.TIMEOUT) == 3 * DAY


def test_few_failures_are_not_told_however_long_they_last() -> None:
    once = fail(HOURLY, FeedReason.UNAUTHORIZED, NOW).state
    assert fail(once, FeedReason.UNAUTHORIZED, NOW + 9 * DAY).notices == ()


def test_silence_is_told_once_and_its_end_too() -> None:
    assert succeed(HOURLY, NOW + DAY).notices == ()
    silent = succeed(HOURLY, NOW + 2 * DAY)
    assert kinds(silent.notices) == ["feed-silent"]
    assert silent.notices[0].summary.startswith("No news for 48h; the longest so far was 1h.")
    assert silent.state.silent_since == NOW
    assert succeed(silent.state, NOW + 3 * DAY).notices == ()
    failed = fail(silent.state, FeedReason.TIMEOUT, NOW + 3 * DAY)
    assert failed.notices == ()
    spoke = replace(failed.state, changed_at=NOW + 4 * DAY)
    assert kinds(succeed(spoke, NOW + 4 * DAY).notices) == ["feed-well"]


def test_two_feeds_with_one_address_are_told() -> None:
    state = replace(HOURLY, address="http://there.example/")
    decision = succeed(state, NOW + HOUR, {"http://there.example/": "other"})
    assert kinds(decision.notices) == ["feed-same"]
    assert "has the same address as other" in decision.notices[0].title
    assert kinds(succeed(decision.state, NOW + DAY).notices) == ["feed-well"]


def test_notice_is_found_by_a_rule_of_our_own_and_by_no_other() -> None:
    (notice,) = fail(HOURLY, FeedReason.GONE, NOW).notices
    matches = own_matches(notice)
    assert matches is not None
    assert [(match.rule_id, match.severity) for match in matches] == [
        ("monitor.feed-gone", Severity.WARNING)
    ]
    assert own_matches(article()) is None
