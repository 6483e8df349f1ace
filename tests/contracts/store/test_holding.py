"""What every `DeliveryLedger` promises of what is held back, folded, paced and left alone."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.core.breaker import HEALTHY, TargetHealth, TargetStatus, disable, enable
from monitor.core.holding import Hold
from monitor.core.model import Delivery, DeliveryState
from monitor.core.outcome import DeliveryReason, HoldReason
from monitor.ports import DeliveryLease, LaneTerms
from tests.contracts.store.conftest import Ports
from tests.contracts.store.test_ledger import (
    DELIVERED,
    HOOK,
    MINUTE,
    NOT_AT_ALL,
    SECOND,
    attempt,
    claim,
    claim_ids,
    retry,
)
from tests.factories import NOW, alert, article, match

HOUR = timedelta(hours=1)


def hold(**changes: Any) -> Hold:
    defaults: dict[str, Any] = {
        "group": "quiet",
        "reason": HoldReason.QUIET_HOURS,
        "until": NOW + HOUR,
        "detail": "quiet until 07:00",
    }
    return Hold(**defaults | changes)


async def tell(ports: Ports, n: int, held: Hold | None = None, target: str = HOOK) -> str:
    at = NOW + n * SECOND
    told = alert(article=article(id=f"a{n}"), matches=(match(article_id=f"a{n}"),), created_at=at)
    delivery_id = await ports.ledger.enqueue(told, target, at, held)
    assert delivery_id is not None
    return delivery_id


async def get(ports: Ports, delivery_id: str) -> Delivery:
    found = await ports.ledger.get(delivery_id)
    assert found is not None
    return found


def said(delivery: Delivery) -> list[str]:
    return [each.article.id for each in delivery.alerts]


async def claim_all(ports: Ports, now: datetime) -> list[Delivery]:
    """Claim until nothing is left: a claim makes one digest of a group or a lane at most."""
    claimed: list[Delivery] = []
    while leases := await claim(ports, now):
        claimed += [lease.delivery for lease in leases]
    return claimed


async def test_what_is_held_waits_and_says_why(ports: Ports) -> None:
    found = await get(ports, await tell(ports, 1, hold()))
    assert (found.state, found.due_at) == (DeliveryState.HELD, NOW + HOUR)
    assert (found.because, found.because_of) == (HoldReason.QUIET_HOURS, "quiet until 07:00")
    assert await claim(ports, NOW + HOUR - SECOND) == []
    assert await ports.ledger.next_due() == NOW + HOUR


async def test_one_that_was_held_alone_is_released_under_its_own_id(ports: Ports) -> None:
    delivery_id = await tell(ports, 1, hold())
    [lease] = await claim(ports, NOW + HOUR)
    assert (lease.delivery.id, lease.delivery.is_digest) == (delivery_id, False)
    assert lease.delivery.seq == 1


async def test_several_are_released_as_one_digest_in_the_order_in_which_they_came(
    ports: Ports,
) -> None:
    ids = [await tell(ports, n, hold()) for n in (3, 1, 2)]
    [lease] = await claim(ports, NOW + HOUR)
    digest = lease.delivery
    assert said(digest) == ["a1", "a2", "a3"]
    assert (digest.is_digest, digest.because, digest.because_of) == (
        True,
        HoldReason.QUIET_HOURS,
        "quiet until 07:00",
    )
    assert said(await get(ports, digest.id)) == ["a1", "a2", "a3"]
    for one in ids:
        folded = await get(ports, one)
        assert (folded.state, folded.detail) == (DeliveryState.FOLDED, digest.id)
    assert await claim(ports, NOW + HOUR + SECOND) == []


async def test_what_comes_after_a_release_waits_for_the_next(ports: Ports) -> None:
    await tell(ports, 1, hold())
    await claim(ports, NOW + HOUR)
    late = await tell(ports, 2, hold(until=NOW + 2 * HOUR))
    assert await claim_ids(ports, NOW + HOUR + MINUTE) != [late]
    assert late in await claim_ids(ports, NOW + 2 * HOUR)


@pytest.mark.parametrize(
    ("closed_from", "closed_until", "released"),
    [(4, 9, 9), (5, 9, 9), (6, 9, 5), (1, 5, 5), (1, 4, 5)],
)
async def test_a_group_that_waits_for_its_interval_is_not_released_while_it_is_closed(
    ports: Ports, closed_from: int, closed_until: int, released: int
) -> None:
    night = (NOW + closed_from * MINUTE, NOW + closed_until * MINUTE)
    grouped = hold(until=NOW, interval=5 * MINUTE, closed=(night, (NOW + HOUR, NOW + 2 * HOUR)))
    first = await tell(ports, -1, grouped)
    assert first in await claim_ids(ports)
    again = await tell(ports, 1, replace(grouped, until=NOW + SECOND))
    assert (await get(ports, again)).due_at == NOW + released * MINUTE


async def test_groups_and_targets_are_held_apart(ports: Ports) -> None:
    await tell(ports, 1, hold(group="one"))
    await tell(ports, 2, hold(group="two"))
    await tell(ports, 3, hold(group="one"), "desk/mail")
    released = await claim(ports, NOW + HOUR)
    assert sorted(said(lease.delivery) for lease in released) == [["a1"], ["a2"], ["a3"]]


async def test_those_that_join_a_group_wait_for_the_instant_of_the_first(ports: Ports) -> None:
    await tell(ports, 1, hold(until=NOW + MINUTE))
    joined = await tell(ports, 2, hold(until=NOW + HOUR))
    assert (await get(ports, joined)).due_at == NOW + MINUTE
    [lease] = await claim(ports, NOW + MINUTE)
    assert said(lease.delivery) == ["a1", "a2"]


async def test_a_group_is_not_released_again_before_its_interval(ports: Ports) -> None:
    grouped = hold(group="g", reason=HoldReason.GROUP, until=NOW + 10 * SECOND, interval=5 * MINUTE)
    await tell(ports, 1, grouped)
    [lease] = await claim(ports, NOW + 10 * SECOND)
    await ports.ledger.record(lease, attempt(), DELIVERED, NOW)
    again = await tell(ports, 2, hold(group="g", until=NOW + 40 * SECOND, interval=5 * MINUTE))
    assert (await get(ports, again)).due_at == NOW + 10 * SECOND + 5 * MINUTE
    assert await claim(ports, NOW + 40 * SECOND) == []
    assert await claim_ids(ports, NOW + 10 * SECOND + 5 * MINUTE) == [again]


async def test_only_what_is_more_than_the_allowance_is_held(ports: Ports) -> None:
    allowance = hold(reason=HoldReason.ALLOWANCE, group="more", free=2)
    states = [(await get(ports, await tell(ports, n, allowance))).state for n in range(5)]
    assert states == [DeliveryState.PENDING] * 2 + [DeliveryState.HELD] * 3
    next_hour = hold(reason=HoldReason.ALLOWANCE, group="more", free=2, until=NOW + 2 * HOUR)
    assert (await get(ports, await tell(ports, 9, next_hour))).state is DeliveryState.PENDING
    assert len(await claim(ports, NOW + MINUTE)) == 2


async def test_an_alert_told_again_is_not_held_again(ports: Ports) -> None:
    await tell(ports, 1, hold())
    again = alert(article=article(id="a1"), matches=(match(article_id="a1"),))
    assert await ports.ledger.enqueue(again, HOOK, NOW, hold(group="other")) is None
    assert await ports.ledger.enqueue(again, HOOK, NOW) is None


async def test_a_digest_is_retried_and_replayed_like_any_delivery(ports: Ports) -> None:
    for n in (1, 2):
        await tell(ports, n, hold())
    [lease] = await claim(ports, NOW + HOUR)
    await ports.ledger.record(lease, attempt(), retry(NOW + 2 * HOUR), NOW)
    [again] = await claim(ports, NOW + 2 * HOUR)
    assert (again.delivery.id, said(again.delivery)) == (lease.delivery.id, ["a1", "a2"])
    await ports.ledger.record(again, attempt(2), DELIVERED, NOW)
    assert await ports.ledger.replay(again.delivery.id, NOW + 3 * HOUR)
    [replayed] = await claim(ports, NOW + 3 * HOUR)
    assert said(replayed.delivery) == ["a1", "a2"]


async def test_a_digest_outlives_what_was_folded_into_it(ports: Ports) -> None:
    for n in (1, 2):
        await tell(ports, n, hold())
    [lease] = await claim(ports, NOW + HOUR)
    await ports.ledger.record(lease, attempt(), retry(NOW + 2 * HOUR), NOW)
    await ports.health.tidy(NOW + timedelta(days=20))
    assert said(await get(ports, lease.delivery.id)) == ["a1", "a2"]
    assert (await ports.health.census(NOW)).deliveries[DeliveryState.FOLDED] == 0


async def test_a_folded_one_can_be_replayed_by_itself(ports: Ports) -> None:
    ids = [await tell(ports, n, hold()) for n in (1, 2)]
    await claim(ports, NOW + HOUR)
    assert await ports.ledger.replay(ids[0], NOW + HOUR)
    assert ids[0] in await claim_ids(ports, NOW + HOUR)


async def test_no_digest_has_more_than_its_bound(ports: Ports) -> None:
    for n in range(205):
        await tell(ports, n, hold())
    leases = await claim(ports, NOW + HOUR)
    leases += await claim(ports, NOW + HOUR)
    assert sorted(len(lease.delivery.alerts) for lease in leases) == [5, 200]


async def test_a_digest_tells_no_more_than_the_terms_of_its_target_allow(ports: Ports) -> None:
    await ports.ledger.arrange({HOOK: LaneTerms(in_flight=9, most_waiting=3, most_folded=2)})
    for n in range(5):
        await tell(ports, n, hold())
    released = await claim_all(ports, NOW + HOUR)
    assert sorted(map(said, released)) == [["a0", "a1"], ["a2", "a3"], ["a4"]]
    for n in range(10, 15):
        await tell(ports, n)
    waited = await claim_all(ports, NOW + HOUR)
    assert sorted(one for each in waited for one in said(each)) == [f"a{n}" for n in range(10, 15)]
    assert max(len(each.alerts) for each in waited) == 2


async def test_a_group_counts_once_in_the_budget_and_what_is_more_waits_with_the_surplus(
    ports: Ports,
) -> None:
    surplus = hold(group="surplus", reason=HoldReason.ALLOWANCE, free=2)

    def grouped(name: str) -> Hold:
        until = NOW + MINUTE
        return hold(group=name, reason=HoldReason.GROUP, until=until, surplus=surplus)

    for n, group in enumerate(["one", "one", "two", "three", "one", "three", "four"]):
        await tell(ports, n, grouped(group))
    leases = await claim(ports, NOW + MINUTE)
    assert sorted(said(lease.delivery) for lease in leases) == [["a0", "a1", "a4"], ["a2"]]
    for lease in leases:
        await ports.ledger.record(lease, attempt(), DELIVERED, NOW + MINUTE)
    await tell(ports, 8, grouped("one"))
    assert await claim_all(ports, NOW + 2 * MINUTE) == []
    [rest] = await claim_all(ports, NOW + HOUR)
    assert (said(rest), rest.because) == (["a3", "a5", "a6", "a8"], HoldReason.ALLOWANCE)


async def test_held_and_folded_are_counted(ports: Ports) -> None:
    for n in (1, 2):
        await tell(ports, n, hold())
    assert (await ports.health.census(NOW)).deliveries[DeliveryState.HELD] == 2
    await claim(ports, NOW + HOUR)
    counted = (await ports.health.census(NOW)).deliveries
    assert (counted[DeliveryState.HELD], counted[DeliveryState.FOLDED]) == (0, 2)


# --- terms ---


async def test_a_paced_target_gets_one_at_a_time(ports: Ports) -> None:
    await ports.ledger.arrange({HOOK: LaneTerms(gap=SECOND)})
    for n in (0, 0 - 1):
        await tell(ports, n)
    assert len(await claim(ports)) == 1
    assert await claim(ports, NOW + SECOND - timedelta(milliseconds=1)) == []
    assert await ports.ledger.next_due() == NOW + SECOND
    assert len(await claim(ports, NOW + SECOND)) == 1


async def test_a_target_that_rested_gets_a_second_of_its_pace_at_once(ports: Ports) -> None:
    await ports.ledger.arrange({HOOK: LaneTerms(gap=SECOND / 5, in_flight=50)})
    for n in range(-20, 0):
        await tell(ports, n)
    assert len(await claim(ports, limit=3)) == 3
    assert len(await claim(ports)) == 2
    assert await claim(ports) == []
    assert await ports.ledger.next_due() == NOW + SECOND / 5
    assert len(await claim(ports, NOW + SECOND / 5)) == 1
    assert len(await claim(ports, NOW + MINUTE)) == 5


async def test_one_in_order_waits_for_the_one_before_it(ports: Ports) -> None:
    await ports.ledger.arrange({HOOK: LaneTerms(ordered=True)})
    first, second, third = [await tell(ports, n) for n in (-3, -2, -1)]
    [lease] = await claim(ports)
    assert lease.delivery.id == first
    assert await claim(ports) == []
    await ports.ledger.record(lease, attempt(), retry(NOW + MINUTE), NOW)
    assert await claim(ports, NOW + SECOND) == []
    assert await ports.ledger.next_due() == NOW + MINUTE
    told = []
    for _ in range(3):
        [lease] = await claim(ports, NOW + MINUTE)
        told.append(lease.delivery.id)
        await ports.ledger.record(lease, attempt(), DELIVERED, NOW + MINUTE)
    assert told == [first, second, third]


async def test_what_waits_is_told_in_order_from_when_that_is_wanted(ports: Ports) -> None:
    ids = [await tell(ports, n) for n in (-9, -8, -7)]
    leases = await claim(ports)
    for lease in leases:
        await ports.ledger.record(lease, attempt(), retry(NOW + MINUTE), NOW)
    await ports.ledger.arrange({HOOK: LaneTerms(ordered=True, most_waiting=1)})
    assert await claim(ports) == []
    assert await claim_ids(ports, NOW + MINUTE) == ids[:1]
    await ports.ledger.arrange({HOOK: LaneTerms(in_flight=3)})
    assert sorted(await claim_ids(ports, NOW + MINUTE / 2)) == ids[2:]


async def test_what_is_replayed_to_one_in_order_goes_before_what_waits(ports: Ports) -> None:
    await ports.ledger.arrange({HOOK: LaneTerms(ordered=True)})
    first = await tell(ports, -3)
    [lease] = await claim(ports)
    await ports.ledger.record(lease, attempt(), DELIVERED, NOW)
    await tell(ports, -2)
    assert await ports.ledger.replay(first, NOW)
    assert await claim_ids(ports) == [first]


async def test_terms_say_how_many_are_in_flight(ports: Ports) -> None:
    for n in range(-4, 0):
        await tell(ports, n)
    await ports.ledger.arrange({HOOK: LaneTerms(in_flight=3), "desk/other": LaneTerms()})
    assert len(await claim(ports)) == 3
    await ports.ledger.arrange({HOOK: LaneTerms(in_flight=4)})
    assert len(await claim(ports)) == 1


async def test_too_many_that_wait_become_one_digest(ports: Ports) -> None:
    await ports.ledger.arrange({HOOK: LaneTerms(in_flight=1, most_waiting=3)})
    first = await tell(ports, -9)
    [lease] = await claim(ports)
    assert lease.delivery.id == first
    for n in range(-8, -4):
        await tell(ports, n)
    await ports.ledger.record(lease, attempt(), retry(NOW + SECOND), NOW)
    [digest] = await claim(ports)
    assert said(digest.delivery) == ["a-8", "a-7", "a-6", "a-5"]
    assert digest.delivery.because is HoldReason.CATCH_UP
    await ports.ledger.record(digest, attempt(), DELIVERED, NOW)
    assert await claim_ids(ports, NOW + SECOND) == [first]


async def test_as_many_as_may_wait_are_told_one_by_one(ports: Ports) -> None:
    await ports.ledger.arrange({HOOK: LaneTerms(in_flight=1, most_waiting=3)})
    ids = [await tell(ports, n) for n in range(-3, 0)]
    assert await claim_ids(ports) == ids[:1]


async def test_what_is_sent_again_by_a_replay_keeps_its_number(ports: Ports) -> None:
    for n in (-2, -1):
        await tell(ports, n)
    first, second = await claim(ports)
    assert (first.delivery.seq, second.delivery.seq) == (1, 2)
    await ports.ledger.record(first, attempt(), DELIVERED, NOW)
    await ports.ledger.replay(first.delivery.id, NOW)
    [again] = await claim(ports)
    assert (again.delivery.id, again.delivery.seq) == (first.delivery.id, 1)


async def test_what_is_sent_to_a_target_is_numbered(ports: Ports) -> None:
    for n in range(-3, 0):
        await tell(ports, n)
    await tell(ports, -1, target="desk/mail")
    found = [
        (lease.delivery.target_id, lease.delivery.seq)
        for lease in await claim(ports) + await claim(ports)
    ]
    assert sorted(found) == [(HOOK, 1), (HOOK, 2), ("desk/mail", 1)]


# --- health ---


async def opened(ports: Ports, until: timedelta = MINUTE) -> TargetHealth:
    health = TargetHealth(
        status=TargetStatus.OPEN,
        failures=5,
        until=NOW + until,
        reason=DeliveryReason.TIMEOUT,
        version=1,
    )
    assert await ports.ledger.set_health(HOOK, HEALTHY, health)
    return health


async def test_a_target_that_nothing_is_known_of_is_well(ports: Ports) -> None:
    assert await ports.ledger.health([HOOK]) == {HOOK: HEALTHY}


async def test_health_is_kept_and_comes_with_the_lease(ports: Ports) -> None:
    health = await opened(ports, NOT_AT_ALL)
    assert await ports.ledger.health([HOOK, "x"]) == {HOOK: health, "x": HEALTHY}
    await tell(ports, -1)
    [lease] = await claim(ports)
    assert lease.health == health


async def test_health_that_changed_meanwhile_is_not_overwritten(ports: Ports) -> None:
    health = await opened(ports)
    late = TargetHealth(failures=1, version=1)
    assert not await ports.ledger.set_health(HOOK, HEALTHY, late)
    assert await ports.ledger.health([HOOK]) == {HOOK: health}


async def test_an_open_target_is_left_alone_then_gets_one_probe(ports: Ports) -> None:
    for n in range(-3, 0):
        await tell(ports, n)
    await opened(ports)
    assert await claim(ports, NOW + 59 * SECOND) == []
    assert await ports.ledger.next_due() == NOW + MINUTE
    assert len(await claim(ports, NOW + MINUTE)) == 1
    assert await claim(ports, NOW + MINUTE) == []


async def test_a_target_that_is_well_again_gets_all_at_once(ports: Ports) -> None:
    for n in range(-3, 0):
        await tell(ports, n)
    health = await opened(ports)
    [probe] = await claim(ports, NOW + MINUTE)
    await ports.ledger.record(probe, attempt(), DELIVERED, NOW)
    assert await ports.ledger.set_health(HOOK, health, enable(health, NOW))
    assert len(await claim(ports, NOW + MINUTE)) == 2


async def test_a_disabled_target_gets_nothing_until_it_is_enabled(ports: Ports) -> None:
    await tell(ports, -2)
    off = disable(HEALTHY, DeliveryReason.GONE, "410 twice", NOW)
    assert await ports.ledger.set_health(HOOK, HEALTHY, off)
    await tell(ports, -1)
    assert await claim(ports, NOW + HOUR) == []
    assert await ports.ledger.next_due() is None
    assert await ports.ledger.set_health(HOOK, off, enable(off, NOW))
    assert len(await claim(ports)) == 2


async def test_slow_targets_get_no_more_than_their_share(ports: Ports) -> None:
    slow = TargetHealth(slow=True, version=1)
    for n in range(3):
        await ports.ledger.set_health(f"slow-{n}", HEALTHY, slow)
        await tell(ports, -9, target=f"slow-{n}")
    await tell(ports, -1, target="quick")
    leases: list[DeliveryLease] = []
    for _ in range(20):  # which part of the store has the room for a slow one takes turns
        slow_ones = sum(lease.health.slow for lease in leases)
        leases += await ports.ledger.claim(NOW, MINUTE, 10, NOT_AT_ALL, slow_limit=1 - slow_ones)
    assert sorted(lease.delivery.target_id.split("-")[0] for lease in leases) == ["quick", "slow"]
    assert len(await claim(ports)) == 2
