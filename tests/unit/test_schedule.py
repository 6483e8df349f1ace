"""When a feed is polled next, and why."""

from datetime import timedelta
from itertools import pairwise

import pytest

from monitor.core.feed import Document
from monitor.core.model import FeedState
from monitor.core.poll import decide_failed, decide_unchanged
from monitor.core.schedule import PollNext, behind, in_words, weight_of
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
    """Fail for the `failures`th time in a row, each time for this reason."""
    before = FeedState(failures=failures - 1, weight=(failures - 1) * weight_of(reason))
    error = FeedError(reason, "said", retry_after=retry_after)
    return decide_failed(feed(id=feed_id, every=every), before, error, NOW).next


def succeeded(**headers: str) -> PollNext:
    """Succeed, not for the first time."""
    return decide_unchanged(feed(), FeedState(baseline_at=NOW), answered(**headers), NOW).next


def wait(following: PollNext) -> timedelta:
    return following.at - NOW


def test_feed_is_polled_again_after_its_interval() -> None:
    assert succeeded() == PollNext(at=NOW + QUARTER, because="every 15m")


def test_server_may_ask_for_longer() -> None:
    in_two_hours = NOW + timedelta(hours=2)
    assert succeeded(cache_control="max-age=7200") == PollNext(
        at=in_two_hours, because="server asks for 2h (Cache-Control)", not_before=in_two_hours
    )


def test_server_cannot_ask_for_less() -> None:
    assert wait(succeeded(cache_control="max-age=60")) == QUARTER


def test_server_cannot_ask_for_more_than_a_day() -> None:
    assert wait(succeeded(cache_control="max-age=31536000")) == DAY


@pytest.mark.parametrize("reason", list(FeedReason))
def test_every_reason_backs_off_and_is_named(reason: FeedReason) -> None:
    first, tenth = failed(reason), failed(reason, 10)
    longest = DAY + timedelta(minutes=30)
    assert wait(first) >= QUARTER
    assert (wait(first) < wait(tenth) <= longest) or reason is FeedReason.GONE
    assert first.because
    assert FeedReason.DNS is not reason or tenth.because == "10th failure in a row: DNS"


def test_wait_doubles_with_each_failure() -> None:
    waits = [wait(failed(FeedReason.UNAUTHORIZED, n)) for n in range(1, 6)]
    for number, each in enumerate(waits):
        least = QUARTER * 2**number
        assert least <= each <= least * 1.25


def test_failures_that_may_pass_put_a_feed_off_less() -> None:
    """Media Cloud's classes: what has to change, what may pass, what may as well be our own network."""
    hard, soft, passing = (
        wait(failed(reason, 5, feed_id="same"))
        for reason in (FeedReason.NOT_A_FEED, FeedReason.NOT_FOUND, FeedReason.RESET)
    )
    assert QUARTER * 16 <= hard <= QUARTER * 20
    assert QUARTER * 4 <= soft <= QUARTER * 5
    assert QUARTER * 2 <= passing <= QUARTER * 2.5


def test_feed_that_fails_for_years_is_still_polled() -> None:
    assert wait(failed(FeedReason.NOT_FOUND, 10_000)) <= DAY + timedelta(minutes=30)


def test_our_own_network_is_tried_again_within_two_hours() -> None:
    assert wait(failed(FeedReason.DNS, 50)) <= timedelta(hours=2.5)
    assert wait(failed(FeedReason.TIMEOUT, 50)) <= timedelta(hours=2.5)


def test_interval_longer_than_the_limit_is_kept() -> None:
    assert wait(failed(FeedReason.DNS, 50, every=timedelta(hours=6))) >= timedelta(hours=6)


def test_gone_stops_but_for_a_look_a_month_and_says_so() -> None:
    following = failed(FeedReason.GONE)
    assert wait(following) == 30 * DAY
    assert following.because.startswith("stopped: the publisher has removed this feed (410)")


def test_retry_after_is_obeyed_and_never_shortened() -> None:
    following = failed(FeedReason.RATE_LIMITED, retry_after=timedelta(hours=2))
    assert timedelta(hours=2) <= wait(following) <= timedelta(hours=2.5)
    assert following.because == "server asks for 2h (Retry-After)"


def test_short_retry_after_does_not_shorten_the_back_off() -> None:
    following = failed(FeedReason.SERVER_ERROR, 3, retry_after=timedelta(seconds=1))
    assert wait(following) >= QUARTER * 2
    assert following.because == "3rd failure in a row: server error"


def test_429_without_retry_after_doubles_the_interval() -> None:
    assert wait(failed(FeedReason.RATE_LIMITED)) >= 2 * QUARTER


def test_feeds_listed_together_are_polled_apart_after_their_first_poll() -> None:
    waits = [
        wait(decide_unchanged(feed(id=f"host/{n}"), FeedState(), answered(), NOW).next)
        for n in range(20)
    ]
    assert len(set(waits)) == 20
    assert all(QUARTER / 2 <= each <= QUARTER for each in waits)


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


@pytest.mark.parametrize(("own", "then"), [(5, 5), (9, 11), (10, 11), (11, 11), (30, 30)])
def test_a_feed_that_another_serves_comes_after_it_unless_it_is_wanted_well_before(
    own: int, then: int
) -> None:
    def minutes(count: int) -> PollNext:
        return PollNext(at=NOW + timedelta(minutes=count), because="every so often")

    assert behind(minutes(own), minutes(10)) == minutes(then)
