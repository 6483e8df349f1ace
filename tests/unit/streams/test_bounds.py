from datetime import timedelta

import pytest

from monitor.errors import StoreRefusedError
from monitor.streams.bounds import check_lease

SECOND = timedelta(seconds=1)


def test_a_claim_shorter_than_the_send_timeout_is_refused_with_the_least_that_works() -> None:
    with pytest.raises(StoreRefusedError, match=r"lease of 19\.999 s.*take 15 s.*at least 20 s"):
        check_lease(20 * SECOND - timedelta(milliseconds=1), 15 * SECOND)


def test_a_claim_that_outlasts_the_send_is_accepted() -> None:
    check_lease(20 * SECOND, 15 * SECOND)
