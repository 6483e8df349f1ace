"""What every `DeliveryLedger` promises."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from monitor.core.model import Attempt, DeliveryState
from monitor.core.outcome import DeliveryReason, Verdict
from monitor.core.retry import Ruling
from monitor.ports import DeliveryFilter, DeliveryLease
from monitor.streams import bounds
from tests.contracts.store.conftest import Ports
from tests.factories import NOW, alert, article, match

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
NOT_AT_ALL = timedelta()
HOOK = "desk/hook"
DELIVERED = Ruling(state=DeliveryState.DELIVERED)
DEAD = Ruling(state=DeliveryState.DEAD, reason=DeliveryReason.GONE, detail="410")


def retry(due_at: datetime, **changes: Any) -> Ruling:
    return Ruling(
        state=DeliveryState.RETRY, due_at=due_at, reason=DeliveryReason.TIMEOUT, **changes
    )


def attempt(number: int = 1, **changes: Any) -> Attempt:
    defaults: dict[str, Any] = {
        "number": number,
        "started_at": NOW,
        "duration": timedelta(milliseconds=250),
        "verdict": Verdict.DELIVERED,
        "status": 200,
        "response": "ok",
    }
    return Attempt(**defaults | changes)


async def enqueue(ports: Ports, n: int = 1, target: str = HOOK, due_at: datetime = NOW) -> str:
    told = alert(article=article(id=f"a{n}"), matches=(match(article_id=f"a{n}"),))
    delivery_id = await ports.ledger.enqueue(told, target, due_at)
    assert delivery_id is not None
    return delivery_id


async def claim(ports: Ports, now: datetime = NOW, limit: int = 10) -> list[DeliveryLease]:
    return list(await ports.ledger.claim(now, MINUTE, limit, NOT_AT_ALL))


async def claim_ids(ports: Ports, now: datetime = NOW, limit: int = 10) -> list[str]:
    return [lease.delivery.id for lease in await claim(ports, now, limit)]


async def test_an_alert_becomes_one_delivery(ports: Ports) -> None:
    delivery_id = await ports.ledger.enqueue(alert(), HOOK, NOW)
    assert delivery_id is not None
    found = await ports.ledger.get(delivery_id)
    assert found is not None
    assert found.alert == alert()
    assert (found.target_id, found.state, found.attempts) == (HOOK, DeliveryState.PENDING, 0)
    assert (found.created_at, found.due_at, found.reason) == (NOW, NOW, None)


async def test_the_same_alert_again_is_no_delivery(ports: Ports) -> None:
    assert await ports.ledger.enqueue(alert(), HOOK, NOW)
    assert await ports.ledger.enqueue(alert(), HOOK, NOW) is None


async def test_told_is_per_article_rule_and_target_whatever_the_text(ports: Ports) -> None:
    assert await ports.ledger.enqueue(alert(), HOOK, NOW)
    edited = alert(article=article(title="Talks collapse", fingerprint="f2", feed_id="other"))
    assert await ports.ledger.enqueue(edited, HOOK, NOW) is None
    assert await ports.ledger.enqueue(edited, "desk/mail", NOW)


async def test_only_rules_not_told_before_are_in_the_delivery(ports: Ports) -> None:
    await ports.ledger.enqueue(alert(), HOOK, NOW)
    three = alert(matches=(match(rule_id="alps"), match(), match(rule_id="zoo")))
    delivery_id = await ports.ledger.enqueue(three, HOOK, NOW)
    assert delivery_id is not None
    found = await ports.ledger.get(delivery_id)
    assert found is not None
    assert [one.rule_id for one in found.alert.matches] == ["alps", "zoo"]


async def test_the_id_depends_on_what_is_said_and_to_whom(ports: Ports) -> None:
    ids = {
        await ports.ledger.enqueue(alert(), HOOK, NOW),
        await ports.ledger.enqueue(alert(), "desk/mail", NOW),
        await ports.ledger.enqueue(alert(matches=(match(rule_id="zoo"),)), HOOK, NOW),
        await ports.ledger.enqueue(alert(article=article(id="a2")), HOOK, NOW),
    }
    assert len(ids) == 4
    assert await ports.ledger.get("d3ce0c5c3e25a1f0b6a5c0d1e2") is None


async def test_the_id_is_the_same_in_every_store(ports: Ports) -> None:
    assert await ports.ledger.enqueue(alert(), "t", NOW) == "26146edd1c8e873a51531d64fd"


async def test_a_rule_twice_in_an_alert_counts_once(ports: Ports) -> None:
    delivery_id = await ports.ledger.enqueue(alert(matches=(match(), match())), HOOK, NOW)
    assert delivery_id is not None
    found = await ports.ledger.get(delivery_id)
    assert found is not None
    assert len(found.alert.matches) == 1


async def test_told_is_remembered_for_a_generation(ports: Ports) -> None:
    await ports.ledger.enqueue(alert(), HOOK, NOW)
    later = alert(created_at=NOW + bounds.TOLD_GENERATION)
    assert await ports.ledger.enqueue(later, HOOK, NOW) is None


async def test_a_delivery_that_is_still_there_is_not_made_again(ports: Ports) -> None:
    delivery_id = await enqueue(ports)
    told = alert(article=article(id="a1"), created_at=NOW + 3 * bounds.TOLD_GENERATION)
    assert await ports.ledger.enqueue(told, HOOK, NOW) is None
    assert await claim_ids(ports) == [delivery_id]


async def test_a_due_delivery_is_claimed_once(ports: Ports) -> None:
    delivery_id = await enqueue(ports)
    [lease] = await claim(ports)
    assert lease.delivery.id == delivery_id
    assert (lease.delivery.state, lease.delivery.attempts) == (DeliveryState.LEASED, 1)
    assert lease.until == NOW + MINUTE
    assert await claim(ports) == []


async def test_a_delivery_is_not_claimed_before_it_is_due(ports: Ports) -> None:
    await enqueue(ports, due_at=NOW + MINUTE)
    assert await claim(ports) == []
    assert await ports.ledger.next_due() == NOW + MINUTE
    assert len(await claim(ports, NOW + MINUTE)) == 1


async def test_oldest_first_in_a_lane(ports: Ports) -> None:
    late = await enqueue(ports, 1, due_at=NOW - SECOND)
    early = await enqueue(ports, 2, due_at=NOW - MINUTE)
    assert await claim_ids(ports) == [early, late]


async def test_never_more_than_two_in_flight_for_a_target(ports: Ports) -> None:
    for n in range(4):
        await enqueue(ports, n, due_at=NOW - (9 - n) * SECOND)
    first, second = await claim(ports)
    assert await claim(ports) == []
    assert await ports.ledger.record(first, attempt(), DELIVERED, NOW)
    [third] = await claim(ports)
    assert third.delivery.id not in {first.delivery.id, second.delivery.id}
    assert await claim(ports) == []


async def test_a_slow_target_does_not_hold_up_another(ports: Ports) -> None:
    for n in range(3):
        await enqueue(ports, n, "slow")
    await claim(ports)
    quick = await enqueue(ports, 9, "quick")
    assert await claim_ids(ports) == [quick]


async def test_claim_respects_the_limit(ports: Ports) -> None:
    for n in range(6):
        await enqueue(ports, n, f"target-{n}")
    assert len(await claim(ports, limit=4)) == 4
    assert len(await claim(ports, limit=4)) == 2


async def test_delivered_is_final(ports: Ports) -> None:
    delivery_id = await enqueue(ports)
    [lease] = await claim(ports)
    assert await ports.ledger.record(lease, attempt(), DELIVERED, NOW)
    found = await ports.ledger.get(delivery_id)
    assert found is not None
    assert (found.state, found.attempts) == (DeliveryState.DELIVERED, 1)
    assert await claim(ports, NOW + 9 * MINUTE) == []
    assert await ports.ledger.attempts(delivery_id) == (attempt(),)
    assert await ports.ledger.next_due() is None


async def test_retry_comes_due_again(ports: Ports) -> None:
    delivery_id = await enqueue(ports)
    [lease] = await claim(ports)
    assert await ports.ledger.record(lease, attempt(), retry(NOW + 5 * SECOND), NOW)
    found = await ports.ledger.get(delivery_id)
    assert found is not None
    assert (found.state, found.due_at) == (DeliveryState.RETRY, NOW + 5 * SECOND)
    assert found.reason is DeliveryReason.TIMEOUT
    assert await claim(ports) == []
    [again] = await claim(ports, NOW + 5 * SECOND)
    assert again.delivery.attempts == 2


async def test_dead_keeps_the_reason(ports: Ports) -> None:
    delivery_id = await enqueue(ports)
    [lease] = await claim(ports)
    await ports.ledger.record(lease, attempt(), DEAD, NOW)
    found = await ports.ledger.get(delivery_id)
    assert found is not None
    assert (found.state, found.reason, found.detail) == (
        DeliveryState.DEAD,
        DeliveryReason.GONE,
        "410",
    )


async def test_a_lease_that_runs_out_is_claimed_again_and_counted(ports: Ports) -> None:
    await enqueue(ports)
    [lost] = await claim(ports)
    assert await ports.ledger.next_due() == NOW + MINUTE
    [taken_over] = await claim(ports, NOW + MINUTE)
    assert taken_over.delivery.attempts == 2
    assert taken_over.token != lost.token


async def test_a_lost_lease_keeps_the_attempt_and_changes_nothing(ports: Ports) -> None:
    delivery_id = await enqueue(ports)
    [lost] = await claim(ports)
    [held] = await claim(ports, NOW + MINUTE)
    assert not await ports.ledger.record(lost, attempt(1), DEAD, NOW)
    found = await ports.ledger.get(delivery_id)
    assert found is not None
    assert found.state is DeliveryState.LEASED
    assert await ports.ledger.record(held, attempt(2), DELIVERED, NOW)
    assert await ports.ledger.attempts(delivery_id) == (attempt(1), attempt(2))


async def test_recording_twice_keeps_one_attempt(ports: Ports) -> None:
    delivery_id = await enqueue(ports)
    [lease] = await claim(ports)
    assert await ports.ledger.record(lease, attempt(), retry(NOW), NOW)
    assert not await ports.ledger.record(lease, attempt(), retry(NOW), NOW)
    assert await ports.ledger.attempts(delivery_id) == (attempt(),)


async def test_a_flight_whose_lease_ran_out_still_takes_a_place(ports: Ports) -> None:
    for n in range(3):
        await enqueue(ports, n, due_at=NOW - (9 - n) * SECOND)
    flights = await claim_ids(ports)
    assert await claim_ids(ports, NOW + MINUTE) == sorted(flights)


async def test_a_ruling_can_hold_back_the_whole_lane(ports: Ports) -> None:
    await enqueue(ports, 1)
    [lease] = await claim(ports)
    waiting = await enqueue(ports, 2)
    hold = retry(NOW + 5 * SECOND, lane_until=NOW + MINUTE)
    await ports.ledger.record(lease, attempt(), hold, NOW)
    assert await ports.ledger.next_due() == NOW + MINUTE
    newcomer = await enqueue(ports, 3, due_at=NOW)
    assert await claim(ports, NOW + 59 * SECOND) == []
    assert set(await claim_ids(ports, NOW + MINUTE)) == {waiting, newcomer}


async def test_a_hold_outlives_an_empty_lane_and_is_never_shortened(ports: Ports) -> None:
    await enqueue(ports, 1)
    await enqueue(ports, 2)
    first, second = await claim(ports)
    long = Ruling(state=DeliveryState.DEAD, lane_until=NOW + 5 * MINUTE)
    short = Ruling(state=DeliveryState.DEAD, lane_until=NOW + MINUTE)
    await ports.ledger.record(first, attempt(), long, NOW)
    await ports.ledger.record(second, attempt(), short, NOW)
    await enqueue(ports, 3)
    assert await ports.ledger.next_due() == NOW + 5 * MINUTE


async def test_replay_makes_a_finished_delivery_due_under_the_same_id(ports: Ports) -> None:
    delivery_id = await enqueue(ports)
    [lease] = await claim(ports)
    await ports.ledger.record(lease, attempt(), DEAD, NOW)
    assert await ports.ledger.replay(delivery_id, NOW + MINUTE)
    found = await ports.ledger.get(delivery_id)
    assert found is not None
    assert (found.state, found.attempts, found.reason) == (DeliveryState.PENDING, 0, None)
    assert found.due_at == NOW + MINUTE
    [again] = await claim(ports, NOW + MINUTE)
    assert (again.delivery.id, again.delivery.attempts) == (delivery_id, 1)
    assert await ports.ledger.attempts(delivery_id) == (attempt(),)


async def test_replay_of_the_unknown_and_of_the_unfinished_does_nothing(ports: Ports) -> None:
    assert not await ports.ledger.replay("nobody", NOW)
    delivery_id = await enqueue(ports, due_at=NOW + MINUTE)
    assert not await ports.ledger.replay(delivery_id, NOW)
    assert await claim(ports) == []


async def test_attempts_are_bounded(ports: Ports) -> None:
    delivery_id = await enqueue(ports)
    for n in range(bounds.ATTEMPTS_KEPT + 5):
        [lease] = await claim(ports)
        await ports.ledger.record(lease, attempt(n), retry(NOW), NOW)
    kept = await ports.ledger.attempts(delivery_id)
    assert len(kept) == bounds.ATTEMPTS_KEPT
    assert kept[-1].number == bounds.ATTEMPTS_KEPT + 4


async def test_recording_what_was_forgotten_is_a_lost_lease(ports: Ports) -> None:
    await enqueue(ports)
    [lease] = await claim(ports)
    await ports.ledger.record(lease, attempt(), DELIVERED, NOW)
    await ports.health.tidy(NOW + 8 * timedelta(days=1))
    assert not await ports.ledger.record(lease, attempt(2), DELIVERED, NOW)
    assert await ports.ledger.attempts(lease.delivery.id) == ()


async def test_find_filters_and_lists_newest_first(ports: Ports) -> None:
    for n in range(4):
        told = alert(article=article(id=f"a{n}"), created_at=NOW + n * SECOND)
        await ports.ledger.enqueue(told, f"target-{n % 2}", NOW)
    [lease] = await claim(ports, limit=1)
    await ports.ledger.record(lease, attempt(), DELIVERED, NOW)

    async def articles(**which: Any) -> list[str]:
        found = await ports.ledger.find(DeliveryFilter(**which))
        return [delivery.alert.article.id for delivery in found]

    assert await articles() == ["a3", "a2", "a1", "a0"]
    assert await articles(limit=2) == ["a3", "a2"]
    assert await articles(target_id="target-1") == ["a3", "a1"]
    assert await articles(state=DeliveryState.DELIVERED) == [lease.delivery.alert.article.id]
    assert await articles(state=DeliveryState.DEAD) == []
    assert await articles(target_id="nobody") == []
    assert len(await articles(target_id="target-0", limit=1)) == 1


async def test_find_by_what_an_alert_says_and_when_it_was_made(ports: Ports) -> None:
    for n, (title, rule_id) in enumerate(
        (("Straße gesperrt", "roads"), ("Talks resume", "talks"), ("Talks collapse", "talks"))
    ):
        told = alert(
            article=article(id=f"a{n}", title=title),
            matches=(match(rule_id=rule_id, article_id=f"a{n}"),),
            subscriber=f"desk-{n % 2}",
            created_at=NOW + n * MINUTE,
        )
        await ports.ledger.enqueue(told, HOOK, NOW)

    async def articles(**which: Any) -> list[str]:
        found = await ports.ledger.find(DeliveryFilter(**which))
        return [delivery.alert.article.id for delivery in found]

    assert await articles(text="STRASSE") == ["a0"]
    assert await articles(text="talks", limit=1) == ["a2"]
    assert await articles(rule_id="talks") == ["a2", "a1"]
    assert await articles(subscriber="desk-0") == ["a2", "a0"]
    assert await articles(article_id="a1") == ["a1"]
    assert await articles(since=NOW + MINUTE) == ["a2", "a1"]
    assert await articles(until=NOW + MINUTE) == ["a0"]
    assert await articles(since=NOW + MINUTE, until=NOW + 2 * MINUTE, text="talks") == ["a1"]
    assert await articles(rule_id="roads", text="talks") == []


async def test_claim_waits_for_a_delivery_that_comes_later(ports: Ports) -> None:
    async with asyncio.TaskGroup() as group:
        claiming = group.create_task(ports.ledger.claim(NOW, MINUTE, 1, MINUTE))
        await asyncio.sleep(0.01)
        delivery_id = await enqueue(ports)
    assert [lease.delivery.id for lease in claiming.result()] == [delivery_id]


async def test_claim_waits_for_a_delivery_that_comes_due(ports: Ports) -> None:
    delivery_id = await enqueue(ports, due_at=NOW + timedelta(milliseconds=50))
    [lease] = await ports.ledger.claim(NOW, MINUTE, 1, MINUTE)
    assert lease.delivery.id == delivery_id
    assert lease.until > NOW + MINUTE


async def test_claim_wakes_when_a_lane_gets_a_place(ports: Ports) -> None:
    for n in range(3):
        await enqueue(ports, n)
    first, _ = await claim(ports)
    async with asyncio.TaskGroup() as group:
        claiming = group.create_task(ports.ledger.claim(NOW, MINUTE, 1, MINUTE / 2))
        await asyncio.sleep(0.01)
        await ports.ledger.record(first, attempt(), DELIVERED, NOW)
    assert len(claiming.result()) == 1


async def test_claim_returns_empty_when_nothing_comes(ports: Ports) -> None:
    assert await ports.ledger.claim(NOW, MINUTE, 1, timedelta(milliseconds=30)) == []
