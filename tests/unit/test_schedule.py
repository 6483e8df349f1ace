"""When a feed is polled next, and why."""

from datetime import timedelta
from itertools import pairwise

import pytest

from monitor.core.feed import Document
from monitor.core.schedule import PollNext, after_failure, after_success, in_words
from monitor.errors import FeedError, FeedReason
from tests.factories import NOW, feed

QUARTER = timedelta(minutes=15)
DAY = timedelta(hours=24)


def answered(**headers: str) -> Document:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Document(url="http://news.example/rss", status=200, headers=named)


def failed(
    reason: FeedReason,
    failures: int = 1,
    *,
    retry_after: timedelta | None = None,
    feed_id: str = "a",
    every: timedelta = QUARTER,
) -> PollNext:
    error = FeedError(reason, "said", retry_after=retry_after)
    return after_failure(feed(id=feed_id, every=every), error, failures, NOW)


def wait(following: PollNext) -> timedelta:
    return following.at - NOW


def test_feed_is_polled_again_after_its_interval() -> None:
    assert after_success(feed(), answered(), NOW) == PollNext(at=NOW + QUARTER, because="every 15m")


def test_server_may_ask_for_longer() -> None:
    following = after_success(feed(), answered(cache_control="max-age=7200"), NOW)
    assert following == PollNext(
        at=NOW + timedelta(hours=2), because="server asks for 2h (Cache-Control)"
    )


def test_server_cannot_ask_for_less() -> None:
    following = after_success(feed(), answered(cache_control="max-age=60"), NOW)
    assert wait(following) == QUARTER


def test_server_cannot_ask_for_more_than_a_day() -> None:
    following = after_success(feed(), answered(cache_control="max-age=31536000"), NOW)
    assert wait(following) == DAY


@pytest.mark.parametrize("reason", list(FeedReason))
def test_every_reason_backs_off_and_is_named(reason: FeedReason) -> None:
    first, tenth = failed(reason), failed(reason, 10)
    longest = DAY + timedelta(minutes=30)
    assert wait(first) >= QUARTER
    assert (wait(first) < wait(tenth) <= longest) or reason is FeedReason.GONE
    assert first.because
    assert FeedReason.DNS is not reason or tenth.because == "10th failure in a row: DNS"


def test_wait_doubles_with_each_failure() -> None:
    waits = [wait(failed(FeedReason.NOT_FOUND, n)) for n in range(1, 6)]
    for number, each in enumerate(waits):
        least = QUARTER * 2**number
        assert least <= each <= least * 1.25


def test_feed_that_fails_for_years_is_still_polled() -> None:
    assert wait(failed(FeedReason.NOT_FOUND, 10_000)) <= DAY + timedelta(minutes=30)


def test_our_own_network_is_tried_again_within_two_hours() -> None:
    assert wait(failed(FeedReason.DNS, 50)) <= timedelta(hours=2.5)
    assert wait(failed(FeedReason.TIMEOUT, 50)) <= timedelta(hours=2.5)


def test_interval_longer_than_the_limit_is_kept() -> None:
    assert wait(failed(FeedReason.DNS, 50, every=timedelta(hours=6))) >= timedelta(hours=6)


def test_gone_waits_a_day_and_says_so() -> None:
    following = failed(FeedReason.GONE)
    assert DAY <= wait(following) <= DAY + timedelta(minutes=30)
    assert following.because.startswith("gone (410)")


def test_retry_after_is_obeyed_and_never_shortened() -> None:
    following = failed(FeedReason.RATE_LIMITED, retry_after=timedelta(hours=2))
    assert timedelta(hours=2) <= wait(following) <= timedelta(hours=2.5)
    assert following.because == "server asks for 2h (Retry-After)"


def test_short_retry_after_does_not_shorten_the_back_off() -> None:
    following = failed(FeedReason.SERVER_ERROR, 3, retry_after=timedelta(seconds=1))
    assert wait(following) >= QUARTER * 4
    assert following.because == "3rd failure in a row: server error"


def test_429_without_retry_after_doubles_the_interval() -> None:
    assert wait(failed(FeedReason.RATE_LIMITED)) >= 2 * QUARTER
    assert wait(failed(FeedReason.RATE_LIMITED, 2)) >= 4 * QUARTER


def test_feeds_of_one_host_that_fail_together_do_not_come_back_together() -> None:
    """CommaFeed #2181: the same back-off for all made one synchronized burst, for ever."""
    for failures in (1, 5):
        instants = sorted(
            failed(FeedReason.RATE_LIMITED, failures, feed_id=f"host/{n}").at for n in range(20)
        )
        gaps = [later - earlier for earlier, later in pairwise(instants)]
        assert instants[-1] - instants[0] > timedelta(minutes=3)
        assert len(set(instants)) == 20
        assert max(gaps) < (instants[-1] - instants[0]) / 2


def test_feeds_told_the_same_retry_after_do_not_come_back_together() -> None:
    asked = timedelta(hours=1)
    instants = {
        failed(FeedReason.RATE_LIMITED, feed_id=f"host/{n}", retry_after=asked).at
        for n in range(20)
    }
    assert len(instants) == 20
    assert min(instants) >= NOW + asked


def test_schedule_is_a_function_of_its_arguments() -> None:
    assert failed(FeedReason.DNS, 2) == failed(FeedReason.DNS, 2)


@pytest.mark.parametrize(
    ("failures", "said"),
    [(2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (21, "21st"), (113, "113th")],
)
def test_failures_are_counted_in_words(failures: int, said: str) -> None:
    assert failed(FeedReason.DNS, failures).because == f"{said} failure in a row: DNS"


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=45), "45s"),
        (timedelta(minutes=15), "15m"),
        (timedelta(hours=2), "2h"),
        (timedelta(hours=1, minutes=30, seconds=7), "1h30m"),
        (timedelta(days=2), "48h"),
    ],
)
def test_durations_read_well(duration: timedelta, words: str) -> None:
    assert in_words(duration) == words
