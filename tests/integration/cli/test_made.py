"""Commands know what people made while the system runs."""

import asyncio
from datetime import timedelta

import pytest

from monitor.core.holding import Hold
from monitor.core.made import Made
from monitor.core.outcome import HoldReason
from monitor.ports import Draft, RecordKind
from monitor.registry import FEEDS, RULES, SUBSCRIBERS
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.registry import StreamRegistry
from monitor.streams.store import open_store
from tests.factories import NOW, alert, feed
from tests.integration.cli.conftest import Desk

FLOODS = {"query": "flood*", "labels": {"region": "asia"}}
NIGHT = {
    "timezone": "Asia/Kolkata",
    "route": {"match": {"rule": "floods"}},
    "targets": [{"console": {}}],
}


@pytest.fixture
def made(desk: Desk) -> Desk:
    drafts = (
        (RecordKind.RULE, Draft(id="floods", value=RULES.encode(Made(settings=FLOODS)))),
        (RecordKind.FEED, Draft(id="wire", value=FEEDS.encode(feed(id="wire")))),
        (RecordKind.SUBSCRIBER, Draft(id="night", value=SUBSCRIBERS.encode(Made(settings=NIGHT)))),
    )

    async def write() -> None:
        async with open_store(desk.url, desk.config) as store:
            for kind, draft in drafts:
                await StreamRegistry(store).put(kind, draft, NOW)

    asyncio.run(write())
    return desk


def test_targets_that_were_added_are_listed_tested_and_switched(made: Desk) -> None:
    listed = made.monitor("targets", "list").stdout
    assert [row.split()[0] for row in listed.splitlines()[1:]] == ["desk/webhook", "night/console"]
    assert (
        "target     night/console (console)"
        in made.monitor("targets", "show", "night/console").stdout
    )
    assert "delivered" in made.monitor("targets", "test", "night/console").stdout
    assert made.monitor("targets", "disable", "night/console").exit_code == 0

    async def is_off(ledger: StreamDeliveryLedger) -> bool:
        return (await ledger.health(["night/console"]))["night/console"].status == "disabled"

    assert made.with_ledger(is_off)
    assert made.monitor("targets", "enable", "night/console").exit_code == 0
    unknown = made.monitor("targets", "test", "night/consol")
    assert "did you mean 'night/console'?" in str(unknown.exception)


@pytest.mark.parametrize(
    "matcher",
    ["rule=floods", "region=asia", "feed=wire", "subscriber=night", "target=night/console"],
)
def test_what_was_made_can_be_silenced(made: Desk, matcher: str) -> None:
    added = made.monitor("silence", "add", matcher, "-d", "1h", "-c", "drill")
    assert added.exit_code == 0, added.output


def test_a_slip_in_a_silence_is_still_found(made: Desk) -> None:
    added = made.monitor("silence", "add", "rule=flods", "-d", "1h", "-c", "drill")
    assert (added.exit_code, "did you mean 'floods'?" in added.output) == (2, True)


def test_routes_are_tried_with_what_was_made(made: Desk) -> None:
    tried = made.monitor("routes", "test", "rule=floods", "feed=wire").stdout
    assert "told: desk, night" in tried
    assert "yes night -> night" in tried
    offline = made.monitor("routes", "test", "--offline", "rule=floods")
    assert "there is no rule 'floods'" in offline.output


def test_what_waits_for_a_subscriber_that_was_added_is_explained_by_the_clocks_there(
    made: Desk,
) -> None:
    async def hold(ledger: StreamDeliveryLedger) -> str | None:
        digest = Hold(group="x", reason=HoldReason.DIGEST, until=NOW + timedelta(hours=1))
        return await ledger.enqueue(alert(subscriber="night"), "night/console", NOW, digest)

    delivery = made.with_ledger(hold)
    assert delivery
    said = made.monitor("explain", delivery).stdout
    assert "2026-01-15 12:00:00 UTC  delivery " in said
    assert "now held (digest), until 2026-01-15 18:30:00 IST" in said
