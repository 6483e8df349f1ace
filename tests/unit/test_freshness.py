"""What servers ask for about when to come back."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.freshness import MAX_AGE_LIMIT, RETRY_AFTER_LIMIT, max_age, retry_after

DATE = "Thu, 15 Jan 2026 12:00:00 GMT"
LATER = "Thu, 15 Jan 2026 13:00:00 GMT"
OURS = datetime(2026, 1, 15, 11, tzinfo=UTC)  # an hour behind the server's
HOUR = timedelta(hours=1)
NONE = timedelta(0)


@pytest.mark.parametrize(
    ("headers", "fresh"),
    [
        ({}, NONE),
        ({"cache-control": "max-age=3600"}, HOUR),
        ({"cache-control": 'Public, Max-Age="3600"'}, HOUR),
        ({"cache-control": "max-age=7200", "age": "3600"}, HOUR),
        ({"cache-control": "max-age=60", "age": "3600"}, NONE),
        ({"cache-control": "no-cache, max-age=3600"}, NONE),
        ({"cache-control": "max-age=3600, no-store"}, NONE),
        ({"cache-control": "max-age=-1"}, NONE),
        ({"cache-control": "max-age=soon"}, NONE),
        ({"cache-control": "max-age=31536000"}, MAX_AGE_LIMIT),
        ({"cache-control": "max-age=" + "9" * 6_000}, NONE),
        ({"date": DATE, "expires": LATER}, HOUR),
        ({"date": DATE, "expires": LATER, "cache-control": "max-age=60"}, timedelta(seconds=60)),
        ({"date": LATER, "expires": DATE}, NONE),
        ({"expires": LATER}, NONE),
        ({"date": DATE, "expires": "0"}, NONE),
        ({"date": DATE, "expires": "-1"}, NONE),
    ],
)
def test_max_age(headers: dict[str, str], fresh: timedelta) -> None:
    assert max_age(headers) == fresh


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "120"}, timedelta(minutes=2)),
        ({"retry-after": " 120 "}, timedelta(minutes=2)),
        ({"retry-after": "0"}, NONE),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "a while"}, None),
        ({"retry-after": "316800"}, RETRY_AFTER_LIMIT),  # 88 hours
        ({"retry-after": LATER, "date": DATE}, HOUR),
        ({"retry-after": DATE, "date": LATER}, NONE),
        ({"retry-after": "Fri, 15 Jan 2036 12:00:00 GMT", "date": DATE}, RETRY_AFTER_LIMIT),
        ({"retry-after": LATER}, 2 * HOUR),
        ({"retry-after": LATER, "date": "today"}, 2 * HOUR),
        ({"retry-after": "Thu, 15 Jan 2026 14:00:00 +0100", "date": DATE}, HOUR),
        ({"retry-after": "Thu, 99 Jan 99999 14:00:00", "date": DATE}, None),
    ],
)
def test_retry_after(headers: dict[str, str], wait: timedelta | None) -> None:
    assert retry_after(headers, OURS) == wait
