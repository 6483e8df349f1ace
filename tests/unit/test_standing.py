from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.model import FeedState, Move
from monitor.core.standing import ahead, hub_in_words, in_a_word, in_detail, is_failing, is_silent
from monitor.core.websub import HubState, HubSubscription
from monitor.errors import FeedReason
from tests.factories import NOW, feed

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WELL = FeedState(
    configured=feed().url,
    polled_at=NOW - HOUR,
    succeeded_at=NOW - HOUR,
    changed_at=NOW - 3 * DAY,
    next_poll_at=NOW + HOUR,
    because="every 2h (learned)",
    interval=2 * HOUR,
    etag='"1"',
    known_shares=(0.96,),
    quiet=5 * DAY,
)
FAILING = FeedState(
    polled_at=NOW,
    failures=3,
    failing_since=NOW - 2 * HOUR,
    reason=FeedReason.TIMEOUT,
    detail="news.example did not answer within 20 s",
    errors={FeedReason.TIMEOUT: 3, FeedReason.DNS: 4},
)


def told(state: FeedState | None) -> dict[str, str]:
    one = feed(every=None, shortest=timedelta(minutes=5), longest=4 * HOUR)
    return dict(in_detail(one, state, NOW))


def test_a_feed_that_is_well_says_when_what_and_why() -> None:
    assert told(WELL) == {
        "state": "ok",
        "last poll": "1h ago",
        "last success": "1h ago",
        "last news": "3d ago",
        "next poll": "in 1h: every 2h (learned)",
        "interval": "every 2h (learned)",
        "overlap": "96% of the last document was known before: nothing was missed",
        "rhythm": "longest usual silence 5d",
    }


def test_a_feed_that_fails_says_since_when_and_how() -> None:
    said = told(FAILING)
    assert said["state"] == "failing: news.example did not answer within 20 s"
    assert said["failures"] == "3 in a row since 2h ago"
    assert said["errors"] == "4 dns, 3 timeout"
    assert said["last success"] == "never"
    assert said["overlap"] == "not known yet"
    assert is_failing(FAILING)
    assert not is_failing(WELL)


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (None, "not polled yet"),
        (FeedState(gone_at=NOW, reason=FeedReason.GONE, detail="removed"), "gone: removed"),
        (FeedState(quiet=DAY, changed_at=NOW - 10 * DAY), "silent for 10d"),
    ],
)
def test_the_state_of_a_feed_is_one_line(state: FeedState | None, word: str) -> None:
    assert in_a_word(state, NOW) == word
    assert told(state)["state"] == word


def test_a_silent_feed_is_found() -> None:
    assert is_silent(FeedState(quiet=DAY, changed_at=NOW - 10 * DAY), NOW)
    assert not is_silent(WELL, NOW)


def test_a_feed_that_moved_or_missed_something_says_so() -> None:
    said = told(
        FeedState(
            configured=feed().url,
            address="http://new.example/rss",
            moving=Move(to="http://newer.example/", since=NOW, polls=2),
            same_as="other",
            missed=2,
            missed_at=NOW - HOUR,
        )
    )
    assert said["asked at"] == "http://new.example/rss (moved for good)"
    assert said["moving"] == "to http://newer.example/, seen in 2 polls in a row"
    assert said["same as"] == "other: one request serves both"
    assert said["overlap"] == "missing 2 times, last 1h ago: articles may have been missed"
    once = told(FeedState(missed=1, missed_at=NOW))
    assert once["overlap"].startswith("missing once, last 0s ago")


def test_what_is_due_is_due_now() -> None:
    assert ahead(NOW - HOUR, NOW) == "now"
    assert ahead(None, NOW) == "now"


def test_whether_a_feed_is_pushed_is_said_in_a_sentence() -> None:
    kept = HubSubscription(
        feed_id="one",
        hub="https://hub.example/",
        topic=feed().url,
        token="t",
        state=HubState.ACTIVE,
        act_at=NOW + DAY,
        expires_at=NOW + DAY,
        pushed_at=NOW - HOUR,
        missed_at=NOW,
    )
    assert hub_in_words(kept, NOW) == (
        "pushed by https://hub.example/, last push 1h ago, promised for 24h"
        " (a poll found what it had not pushed)"
    )
    assert hub_in_words(kept, NOW + DAY) == (
        "not pushed by https://hub.example/: its promise is over; asked again now"
    )
    moved = replace(kept, state=HubState.ASKED, hub="https://new.example/", former=kept)
    assert hub_in_words(moved, NOW) == (
        "not pushed by https://new.example/: not asked yet; asked again in 24h"
        "; pushed by https://hub.example/ meanwhile"
    )
