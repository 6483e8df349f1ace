from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.archive.sqlite import open_sqlite
from monitor.core.chapter import Chapter
from monitor.core.inhibition import InhibitRule, asked
from monitor.core.matchers import Matchers, Subject, parse_matchers
from monitor.core.model import ArticleKind, MatchedArticle
from monitor.core.outcome import Suppression
from monitor.core.pace import HOURLY, Choice, Pace, Quiet
from monitor.core.routing import Route
from monitor.core.silences import new_silence
from monitor.core.telling import Desk, RoutingTable
from monitor.lookback import stories
from monitor.ports import DeliveryFilter, Draft, RecordKind
from monitor.registry import CHOICES, SILENCES
from monitor.services.router import RouterService
from monitor.streams.memory import (
    MemoryDeliveryLedger,
    MemoryHabits,
    MemoryMatchLog,
    MemoryPublicStream,
    MemoryRegistry,
    MemoryStore,
)
from monitor.telemetry import Metrics
from tests.clock import StandingClock
from tests.factories import NOW, article, match, matched

TREE = Route(
    routes=(
        Route(subscriber="desk", matchers=Matchers(rule=frozenset({"talks", "vote"}))),
        Route(subscriber="nobody", matchers=Matchers(rule=frozenset({"quiet"}))),
    )
)
DESK = Desk(paces={"desk/slack": Pace(), "desk/email": Pace()})
TABLE = RoutingTable(tree=TREE, desks={"desk": DESK})


class Bench:
    """A router over a store in memory."""

    def __init__(self, table: RoutingTable = TABLE) -> None:
        self.table = table
        self.store = MemoryStore(archive=100)
        self.ledger = MemoryDeliveryLedger(self.store)
        self.registry = MemoryRegistry(self.store)
        self.metrics = Metrics()
        self.service = RouterService(
            MemoryMatchLog(self.store),
            MemoryPublicStream(self.store),
            self.ledger,
            self.registry,
            MemoryHabits(self.store),
            table,
            StandingClock(),
            self.metrics,
        )

    async def route(self, *found: MatchedArticle) -> list[tuple[str, tuple[str, ...]]]:
        """Route these, and return every delivery there is: its target and its rules."""
        for each in found:
            self.store.matches.append(each)
        await self.service.step()
        deliveries = await self.ledger.find(DeliveryFilter(limit=100))
        return sorted(
            (each.target_id, tuple(m.rule_id for m in each.alert.matches)) for each in deliveries
        )

    def suppressed(self, reason: Suppression) -> float:
        return float(self.metrics.suppressed.labels(reason)._value.get())


async def test_every_target_of_a_subscriber_is_told_once_of_an_article_with_all_its_rules() -> None:
    bench = Bench()
    both = matched(matches=(match(rule_id="talks"), match(rule_id="vote")))
    assert await bench.route(both) == [
        ("desk/email", ("talks", "vote")),
        ("desk/slack", ("talks", "vote")),
    ]


async def test_an_article_from_a_second_feed_is_not_told_again() -> None:
    bench = Bench()
    await bench.route(matched())
    told = await bench.route(matched(article=article(feed_id="other-feed")))
    assert len(told) == 2
    assert bench.suppressed(Suppression.ALREADY_TOLD) == 2


async def test_an_edit_tells_only_of_rules_that_did_not_match_before() -> None:
    bench = Bench()
    await bench.route(matched())
    edit = article(kind=ArticleKind.EDITED, fingerprint="f2")
    told = await bench.route(
        matched(article=edit, matches=(match(rule_id="talks"), match(rule_id="vote")))
    )
    assert ("desk/slack", ("vote",)) in told
    assert ("desk/slack", ("talks",)) in told
    assert len(told) == 4


async def test_an_edit_of_an_article_older_than_the_memory_of_the_ledger_tells_nobody() -> None:
    bench = Bench()
    old = article(kind=ArticleKind.EDITED, published_at=NOW - timedelta(days=31))
    assert await bench.route(matched(article=old)) == []
    assert bench.suppressed(Suppression.OLD_EDIT) == 1


async def test_a_match_that_no_route_takes_is_counted_and_still_public() -> None:
    bench = Bench()
    assert await bench.route(matched(matches=(match(rule_id="unrouted"),))) == []
    assert bench.suppressed(Suppression.NO_ROUTE) == 1
    assert len(bench.store.public) == 1


async def test_a_subscriber_without_a_target_that_is_on_is_counted() -> None:
    bench = Bench()
    assert await bench.route(matched(matches=(match(rule_id="quiet"),))) == []
    assert bench.suppressed(Suppression.NO_TARGET) == 1


async def test_a_match_is_published_once_however_often_the_article_comes() -> None:
    bench = Bench()
    await bench.route(matched(), matched(article=article(fingerprint="f2")))
    assert len(bench.store.public) == 1


async def test_a_crash_before_the_entry_was_finished_repeats_nothing() -> None:
    bench = Bench()
    bench.store.min_idle = timedelta()
    bench.store.matches.append(matched())
    entries = await bench.service._read(10, timedelta())
    for entry in entries:
        await bench.service._tell(entry.value, NOW)  # and then the process dies
    await bench.service.step()
    assert len(await bench.ledger.find(DeliveryFilter(limit=100))) == 2
    assert bench.store.matches.entries == {}


async def test_every_decision_is_left_for_the_archive() -> None:
    bench = Bench()
    both = (match(), match(rule_id="quiet"))
    await bench.route(matched(matches=both))
    await bench.route(matched(matches=both))
    first, second = (chapter.decisions for chapter in bench.store.archive.entries.values())
    assert {(d.rule_ids, d.target_id, bool(d.delivery_id), d.suppressed) for d in first} == {
        (("talks",), "desk/slack", True, None),
        (("talks",), "desk/email", True, None),
        (("quiet",), "", False, Suppression.NO_TARGET),
    }
    told_before = [d for d in second if d.suppressed is Suppression.ALREADY_TOLD]
    assert [(d.rule_ids, d.subscriber, d.target_id) for d in told_before] == [
        (("talks",), "desk", "desk/slack"),
        (("talks",), "desk", "desk/email"),
    ]


async def test_trace_of_an_inhibition_that_cannot_be_read_keeps_nothing_back() -> None:
    bench = Bench()
    rule = InhibitRule(source=parse_matchers("rule=vote"), target=parse_matchers("rule=talks"))
    bench.service.use(replace(TABLE, inhibit=(rule,)))
    for key in asked([rule], Subject(article(), match(rule_id="talks"))):
        draft = Draft(id=key, value=b"9 of a newer release")
        await bench.registry.put(RecordKind.INHIBITION, draft, NOW)
    assert len(await bench.route(matched())) == 2
    assert bench.suppressed(Suppression.INHIBITED) == 0


async def test_a_rule_in_shadow_is_counted_and_told_nobody_nor_public() -> None:
    bench = Bench()
    bench.service.use(replace(TABLE, shadow=frozenset({"vote"})))
    both = matched(matches=(match(rule_id="talks"), match(rule_id="vote")))
    alone = matched(article=article(id="a2"), matches=(match(rule_id="vote", article_id="a2"),))
    assert await bench.route(both, alone) == [
        ("desk/email", ("talks",)),
        ("desk/slack", ("talks",)),
    ]
    assert bench.suppressed(Suppression.SHADOW) == 2
    assert [fields["rule"] for fields in bench.store.public] == ["talks"]


# --- by whose clocks it is told what became of an article ---

KOLKATA = ZoneInfo("Asia/Kolkata")  # 5:30 ahead of UTC
NIGHT = Pace(zone=KOLKATA, quiet=(Quiet(start=17 * 60, end=7 * 60),))


async def explained(bench: Bench, directory: Path) -> Sequence[str]:
    """Archive what was decided, and tell the story of the article."""
    async with open_sqlite(directory / "archive.sqlite") as archive:
        seen = Chapter(article=article(), matches=(match(),))
        await archive.add([seen, *bench.store.archive.entries.values()])
        [story] = await stories(archive, bench.ledger, bench.table.zone_of, article().id)
        return [event.said for event in story.events]


def desk_of(pace: Pace) -> RoutingTable:
    return replace(TABLE, desks={"desk": Desk(paces={"desk/slack": pace})})


@pytest.mark.parametrize(
    ("pace", "until"),
    [
        (NIGHT, "16 07:00"),
        (Pace(zone=KOLKATA, schedule=HOURLY), "15 18:00"),
    ],
)
async def test_what_is_held_is_explained_by_the_clocks_of_its_subscriber(
    pace: Pace, until: str, tmp_path: Path
) -> None:
    bench = Bench(desk_of(pace))
    await bench.route(matched())
    said = await explained(bench, tmp_path)
    assert "published 2026-01-15 11:57:00 UTC" in said[0]
    assert said[2].startswith("talks: routed to desk/slack, held, ")
    assert said[2].endswith(f"Asia/Kolkata, until 2026-01-{until} IST")
    assert said[-1].endswith(f", until 2026-01-{until}:00 IST")


async def test_what_is_silenced_is_explained_by_the_clocks_of_each_subscriber(
    tmp_path: Path,
) -> None:
    bench = Bench(desk_of(NIGHT))
    silence = new_silence(
        parse_matchers("rule=talks"),
        starts_at=NOW,
        ends_at=datetime(2026, 1, 15, 20, tzinfo=UTC),
        author="ana",
    )
    draft = Draft(id=silence.id, value=SILENCES.encode(silence))
    await bench.registry.put(RecordKind.SILENCE, draft, NOW)
    await bench.route(matched())
    assert (await explained(bench, tmp_path))[-1].endswith("of ana until 2026-01-16 01:30 IST")


async def test_day_on_which_a_reader_left_is_that_of_the_clocks_there(tmp_path: Path) -> None:
    bench = Bench(desk_of(NIGHT))
    left_at = datetime(2026, 1, 14, 20, tzinfo=UTC)
    choice = Choice(subscriber="desk", target_id="desk/slack", unsubscribed=True, chosen_at=left_at)
    draft = Draft(id=choice.target_id, value=CHOICES.encode(choice))
    await bench.registry.put(RecordKind.CHOICE, draft, NOW)
    await bench.route(matched())
    assert (await explained(bench, tmp_path))[-1].endswith("desk/slack left on 2026-01-15")
