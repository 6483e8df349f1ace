"""Whatever a receiver does, the ruling is bounded and the same every time."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import DeliveryState
from monitor.core.outcome import DeliveryReason, RetryLater
from monitor.core.retry import EMAIL, LONGEST_ASKED, WEBHOOK, decide, parse_retry_after
from tests.factories import NOW

OUTCOMES = st.builds(
    RetryLater,
    reason=st.sampled_from(DeliveryReason),
    detail=st.text(max_size=20),
    after=st.none() | st.timedeltas(),
    lane=st.booleans(),
    status=st.none() | st.integers(100, 999),
)


@given(
    st.integers(0, 40),
    OUTCOMES,
    st.text(max_size=30).filter(str.isascii),
    st.sampled_from([WEBHOOK, EMAIL]),
)
def test_ruling_is_bounded_and_repeatable(
    attempts: int, outcome: RetryLater, delivery_id: str, schedule: tuple[timedelta, ...]
) -> None:
    ruling = decide(attempts, outcome, NOW, delivery_id, schedule)
    assert ruling == decide(attempts, outcome, NOW, delivery_id, schedule)
    assert (ruling.state is DeliveryState.RETRY) == (ruling.due_at is not None)
    if ruling.due_at is not None:
        assert timedelta(seconds=1) <= ruling.due_at - NOW <= max(schedule) * 1.2
    else:
        assert ruling.state is DeliveryState.DEAD
    assert (ruling.lane_until is not None) == outcome.lane
    if ruling.lane_until is not None:
        assert ruling.lane_until - NOW <= LONGEST_ASKED


@given(OUTCOMES, st.sampled_from([WEBHOOK, EMAIL]))
def test_every_delivery_ends(outcome: RetryLater, schedule: tuple[timedelta, ...]) -> None:
    ruling = decide(len(schedule) + 1, outcome, NOW, "d1", schedule)
    assert ruling.state is DeliveryState.DEAD


@given(st.text())
def test_any_retry_after_header_is_read_without_an_error(header: str) -> None:
    after = parse_retry_after(header, NOW)
    assert after is None or after >= timedelta(0)
