"""`monitor deliveries` on a store with a past."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.holding import Hold
from monitor.core.model import Delivery, DeliveryState
from monitor.core.outcome import DeliveryReason, HoldReason, Rejected
from monitor.core.retry import Ruling, attempt_of
from monitor.ports import DeliveryFilter
from monitor.streams.ledger import StreamDeliveryLedger
from tests.factories import alert, article, match
from tests.integration.cli.conftest import Desk

HOOK = "desk/webhook"
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
GONE = Rejected(reason=DeliveryReason.PAYLOAD_REFUSED, detail="HTTP 422", status=422, response="no")
START = datetime.now(UTC).replace(microsecond=0) - 10 * HOUR


async def five_dead_and_one_that_waits(ledger: StreamDeliveryLedger) -> list[str]:
    """One dead for each hour, the latest six hours ago; the last is still pending."""
    ids = []
    for n in range(6):
        told = alert(
            article=article(id=f"a{n}", title=f"Story {n} [red] of talks", url=f"http://x/{n}"),
            matches=(match(article_id=f"a{n}", rule_id="even" if n % 2 == 0 else "odd"),),
            created_at=START + n * HOUR,
        )
        ids.append(await ledger.enqueue(told, HOOK, START + n * HOUR) or "")
        if n < 5:
            [lease] = await ledger.claim(START + n * HOUR, MINUTE, 1, timedelta())
            attempt = attempt_of(1, GONE, START, START + timedelta(milliseconds=12))
            ruling = Ruling(state=DeliveryState.DEAD, reason=GONE.reason, detail=GONE.detail)
            await ledger.record(lease, attempt, ruling, START + n * HOUR)
    return ids


def listed(desk: Desk, *words: str) -> list[str]:
    shown = desk.monitor("deliveries", "list", "--json", *words)
    assert shown.exit_code == 0, shown.output
    records = [json.loads(each) for each in shown.stdout.splitlines()]
    return [record["alerts"][0]["article"] for record in records]


def test_list_narrows_by_everything_that_a_person_may_know(desk: Desk) -> None:
    desk.with_ledger(five_dead_and_one_that_waits)
    assert listed(desk) == ["a5", "a4", "a3", "a2", "a1", "a0"]
    assert listed(desk, "--state", "pending") == ["a5"]
    assert listed(desk, "--rule", "even", "--state", "dead") == ["a4", "a2", "a0"]
    assert listed(desk, "--article", "a3") == ["a3"]
    assert listed(desk, "--text", "story 2") == ["a2"]
    assert listed(desk, "--subscriber", "nobody") == []
    assert listed(desk, "--target", HOOK, "--limit", "2") == ["a5", "a4"]
    assert listed(desk, "--since", "7h30m", "--until", "6h30m") == ["a3"]
    since = (START + 4 * HOUR).isoformat()
    assert listed(desk, "--since", since) == ["a5", "a4"]
    assert listed(desk, "--until", since, "--since", "2020-01-01") == ["a3", "a2", "a1", "a0"]


def test_a_time_that_cannot_be_read_is_refused_with_examples(desk: Desk) -> None:
    for words in ("yesterday", "2026-13-01", "2026-01-01T10:00", "99999999999d"):
        refused = desk.monitor("deliveries", "list", "--since", words)
        assert refused.exit_code == 2
        assert "none of 2h, 7d, 2026-12-31" in refused.stderr


def test_the_table_has_a_row_a_delivery_and_takes_titles_as_they_are(desk: Desk) -> None:
    desk.with_ledger(five_dead_and_one_that_waits)
    shown = desk.monitor("deliveries", "list", "--state", "dead").stdout.splitlines()
    assert len(shown) == 6
    assert "Story 4 [red] of talks" in shown[1]
    assert "payload_refused" in shown[1]


def test_replay_sends_what_the_options_choose_after_asking(desk: Desk) -> None:
    ids = desk.with_ledger(five_dead_and_one_that_waits)
    until = (START + 3 * HOUR).isoformat()
    asked = desk.monitor("deliveries", "replay", "--rule", "even", "--until", until, stdin="n\n")
    assert asked.exit_code == 1
    assert "send 2 dead deliveries again, to desk/webhook?" in asked.stdout
    assert listed(desk, "--state", "pending") == ["a5"]
    sent = desk.monitor("deliveries", "replay", "--rule", "even", "--until", until, "--yes")
    assert (sent.exit_code, sent.stdout) == (0, "due now: 2 deliveries\n")
    assert listed(desk, "--state", "pending") == ["a5", "a2", "a0"]
    one = desk.monitor("deliveries", "replay", ids[1])
    assert one.stdout == "due now: 1 delivery\n"
    waiting = desk.monitor("deliveries", "replay", ids[5])
    assert waiting.stdout == "due now: 0 deliveries\n"


def test_replay_of_more_than_the_limit_sends_nothing(desk: Desk) -> None:
    desk.with_ledger(five_dead_and_one_that_waits)
    refused = desk.monitor("deliveries", "replay", "--dead", "--limit", "4", "--yes")
    assert refused.exit_code == 2
    assert "more than 4" in refused.stderr
    assert listed(desk, "--state", "dead") == ["a4", "a3", "a2", "a1", "a0"]
    assert desk.monitor("deliveries", "replay", "--dead", "--limit", "5", "--yes").exit_code == 0


@pytest.mark.parametrize("words", [(), ("d1", "--dead"), ("d1", "--target", HOOK), ("--yes",)])
def test_replay_wants_ids_or_a_choice_and_not_both(words: tuple[str, ...], desk: Desk) -> None:
    refused = desk.monitor("deliveries", "replay", *words)
    assert refused.exit_code == 2
    assert "name deliveries, or choose them" in refused.stderr


async def a_digest(ledger: StreamDeliveryLedger) -> Delivery:
    hold = Hold(group="g", reason=HoldReason.QUIET_HOURS, until=START, detail="quiet until 07:00")
    for n in range(3):
        told = alert(article=article(id=f"a{n}", title=f"Story {n}"), created_at=START)
        await ledger.enqueue(told, HOOK, START, hold)
    await ledger.claim(START, MINUTE, 1, timedelta())
    [digest] = await ledger.find(DeliveryFilter(state=DeliveryState.LEASED))
    return digest


def test_a_digest_is_shown_with_all_that_it_tells(desk: Desk) -> None:
    digest = desk.with_ledger(a_digest)
    row = desk.monitor("deliveries", "list", "--state", "leased").stdout.splitlines()[1]
    assert "and 2 more" in row
    shown = desk.monitor("deliveries", "show", digest.id).stdout
    assert "quiet until 07:00" in shown
    for n in range(3):
        assert f"Story {n}" in shown
