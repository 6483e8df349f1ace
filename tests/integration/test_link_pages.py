"""The pages behind the links of messages: GET shows, POST acts, and nobody else's link does anything."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from aiohttp import web

from monitor.core.links import GOOD_FOR, Link, LinkAction, Linker
from monitor.core.model import Delivery
from monitor.core.pace import Choice
from monitor.core.secret import Secret
from monitor.core.silences import Silence
from monitor.core.stories import story_of
from monitor.ports import DeliveryFilter, Draft, RecordKind
from monitor.registry import CHOICES, SILENCES, all_records
from monitor.streams.memory.ledger import MemoryDeliveryLedger
from monitor.streams.memory.registry import MemoryRegistry
from monitor.streams.memory.store import MemoryStore
from monitor.web.app import serve
from monitor.web.links import LinkPages
from tests.clock import StandingClock
from tests.factories import NOW, alert, article, delivery, match
from tests.unit.render.cases import ALERTS

BERLIN = ZoneInfo("Europe/Berlin")
KEY = Secret("a key for tests, of 32 characters")


@dataclass
class Site:
    """The pages on a real socket, over stores in memory."""

    base: str
    linker: Linker
    registry: MemoryRegistry
    ledger: MemoryDeliveryLedger
    clock: StandingClock
    session: aiohttp.ClientSession

    async def get(self, url: str) -> tuple[int, str]:
        async with self.session.get(url) as answer:
            return answer.status, await answer.text()

    async def post(self, url: str, **form: str) -> tuple[int, str]:
        async with self.session.post(url, data=form) as answer:
            return answer.status, await answer.text()

    async def silences(self) -> list[Silence]:
        found = [each async for each in all_records(self.registry, RecordKind.SILENCE)]
        return [SILENCES.decode(each.value) for each in found]

    async def choice(self) -> Choice | None:
        record = await self.registry.get(RecordKind.CHOICE, "desk/hook")
        return CHOICES.decode(record.value) if record else None

    def links(self, told: Delivery | None = None) -> Any:
        return self.linker.links(told or delivery())


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    store, clock = MemoryStore(), StandingClock()
    registry, ledger = MemoryRegistry(store), MemoryDeliveryLedger(store)
    app = web.Application(client_max_size=64 * 1024)
    linker = Linker("https://monitor.example", KEY)
    LinkPages(linker, registry, ledger, clock, lambda _: BERLIN).add_to(app)
    async with serve(app, "127.0.0.1", 0) as base, aiohttp.ClientSession() as session:
        yield Site(base, Linker(base, KEY), registry, ledger, clock, session)


async def test_snoozed_story_is_a_silence_of_this_subscriber(site: Site) -> None:
    url = site.links().snooze_story
    status, page = await site.get(url)
    assert status == 200
    assert "Snooze this story?" in page
    assert "Talks resume in Geneva" in page
    assert await site.silences() == []
    status, page = await site.post(url, **{"for": "3d"})
    assert status == 200
    assert "The story is snoozed until 18 Jan 2026 13:00 CET" in page
    [silence] = await site.silences()
    assert silence.ends_at == NOW + timedelta(days=3)
    assert [(each.name, each.value) for each in silence.matchers] == [
        ("story", story_of(article())),
        ("subscriber", "desk"),
    ]


async def test_snooze_done_twice_is_one_and_can_be_ended(site: Site) -> None:
    url = site.links().snooze_rule
    for _ in range(2):
        await site.post(url, **{"for": "24h"})
    [silence] = await site.silences()
    assert silence.ends_at == NOW + timedelta(hours=24)
    status, page = await site.post(url, undo="yes")
    assert status == 200
    assert "Snooze this rule?" in page
    [silence] = await site.silences()
    assert silence.ends_at == NOW


async def test_undo_of_nothing_is_nothing(site: Site) -> None:
    assert (await site.post(site.links().snooze_rule, undo="yes"))[0] == 200
    assert await site.silences() == []


async def test_snooze_without_a_known_length_is_a_day(site: Site) -> None:
    await site.post(site.links().snooze_rule, **{"for": "forever"})
    [silence] = await site.silences()
    assert silence.ends_at == NOW + timedelta(hours=24)


async def test_reader_changes_to_a_digest_and_back(site: Site) -> None:
    url = site.links().digest
    assert "instead of each alert?" in (await site.get(url))[1]
    assert await site.choice() is None
    _, page = await site.post(url, schedule="daily at 08:00")
    assert "gets a digest each day at 08:00" in page
    choice = await site.choice()
    assert choice is not None
    assert (choice.schedule, choice.unsubscribed) == ("daily at 08:00", False)
    await site.post(url, undo="yes")
    choice = await site.choice()
    assert choice is not None
    assert choice.schedule == ""


async def test_schedule_that_nobody_offered_is_the_usual_one(site: Site) -> None:
    await site.post(site.links().digest, schedule="never")
    choice = await site.choice()
    assert choice is not None
    assert choice.schedule == "hourly"


async def test_reader_unsubscribes_with_one_click_and_comes_back(site: Site) -> None:
    url = site.links().unsubscribe
    assert "Unsubscribe desk/hook?" in (await site.get(url))[1]
    status, page = await site.post(url, **{"List-Unsubscribe": "One-Click"})
    assert status == 200
    assert "desk/hook is unsubscribed" in page
    choice = await site.choice()
    assert choice == Choice(
        subscriber="desk", target_id="desk/hook", unsubscribed=True, chosen_at=NOW
    )
    await site.post(site.links().digest, schedule="hourly")
    choice = await site.choice()
    assert choice is not None
    assert choice.unsubscribed
    await site.post(url, undo="yes")
    choice = await site.choice()
    assert choice is not None
    assert (choice.schedule, choice.unsubscribed) == ("hourly", False)


async def test_one_click_at_another_link_unsubscribes_nobody(site: Site) -> None:
    links = site.links()
    for url in (links.open, links.digest, links.snooze_story, links.snooze_rule):
        assert (await site.post(url, **{"List-Unsubscribe": "One-Click"}))[0] == 400
    assert await site.choice() is None
    assert await site.silences() == []


async def test_program_that_looks_at_every_link_changes_nothing(site: Site) -> None:
    links = site.links()
    for url in (
        links.open,
        links.digest,
        links.snooze_story,
        links.snooze_rule,
        links.unsubscribe,
    ):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            async with site.session.request(method, url) as answer:
                assert answer.status in {200, 405}
    assert await site.choice() is None
    assert await site.silences() == []


async def test_opened_alert_says_why(site: Site) -> None:
    told = alert(matches=(match(),))
    kept = await site.ledger.enqueue(told, "desk/hook", NOW)
    found = await site.ledger.get(kept or "")
    assert found is not None
    status, page = await site.get(site.linker.links(found).open)
    assert status == 200
    assert "<mark>Talks</mark> resume in Geneva" in page
    assert "Rule <b>Talks</b> found" in page
    assert "Snooze this story" in page
    assert "Example World" in page
    assert (await site.post(site.linker.links(found).open, do="yes"))[0] == 400


async def test_alert_that_is_no_longer_kept_is_said_to_be(site: Site) -> None:
    assert "no longer kept" in (await site.get(site.links().open))[1]


@pytest.mark.parametrize("case", ALERTS)
async def test_page_of_any_alert_has_no_element_of_strangers(case: str, site: Site) -> None:
    told = ALERTS[case]()
    kept = await site.ledger.enqueue(told, "desk/hook", NOW)
    found = await site.ledger.get(kept or "")
    assert found is not None
    _, page = await site.get(site.linker.links(found).open)
    tags = set(re.findall(r"<([a-zA-Z!/][^\s>]*)", page))
    assert "script" not in tags
    assert "img" not in tags
    assert "javascript:" not in re.sub(r">[^<]*<", "><", page)


async def test_answers_allow_nothing_but_their_own_style_and_form(site: Site) -> None:
    for url in (site.links().unsubscribe, f"{site.base}/l/nonsense"):
        async with site.session.get(url) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; style-src 'sha256-")
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "unsafe" not in policy


async def test_link_that_is_forged_or_expired_does_nothing(site: Site) -> None:
    url = site.links().unsubscribe
    other = Linker(site.base, Secret("another key of 32 characters or so")).links(delivery())
    for bad in (url[:-2], url + "x", other.unsubscribe, f"{site.base}/l/x"):
        assert (await site.get(bad))[0] == 404
        assert (await site.post(bad))[0] == 404
    site.clock.advance(GOOD_FOR)
    status, page = await site.get(url)
    assert status == 404
    assert "This link was good until 2026-03-16" in page
    assert (await site.post(url, **{"List-Unsubscribe": "One-Click"}))[0] == 404
    assert await site.choice() is None


async def test_records_that_cannot_be_read_are_as_none(site: Site) -> None:
    links = site.links()
    await site.post(links.snooze_rule, **{"for": "24h"})
    [silence] = await site.silences()
    await site.registry.put(RecordKind.SILENCE, Draft(id=silence.id, value=b"9{}"), NOW)
    await site.registry.put(RecordKind.CHOICE, Draft(id="desk/hook", value=b"9{}"), NOW)
    assert "Snooze this rule?" in (await site.get(links.snooze_rule))[1]
    assert "instead of each alert?" in (await site.get(links.digest))[1]


async def test_body_that_is_too_large_or_strange_is_refused(site: Site) -> None:
    url = site.links().unsubscribe
    large = {"do": "x" * 100_000}
    async with site.session.post(url, data=large) as answer:
        assert answer.status == 413
    async with site.session.post(url, data=b"anything") as answer:
        assert answer.status == 400
    async with site.session.post(
        url, data=b"\xff\xfe=1&&&=", headers={"content-type": "application/x-www-form-urlencoded"}
    ) as answer:
        assert answer.status == 400
    for kind in (
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/x-www-form-urlencoded; charset=zz",
    ):
        for data in (b"--x", b"--x\r\n\r\n", b"do=1", b"--x\r\nContent-Type: a\r\n\r\nx\r\n--x--"):
            async with site.session.post(url, data=data, headers={"content-type": kind}) as answer:
                assert answer.status == 400
    assert await site.choice() is None


async def test_name_of_a_story_is_shown_and_not_obeyed(site: Site) -> None:
    link = Link(
        action=LinkAction.SNOOZE_STORY,
        subscriber="<b>desk</b>",
        target_id="t",
        delivery_id="d",
        expires_at=NOW + GOOD_FOR,
        subject="s",
        name="<script>alert(1)</script>",
    )
    _, page = await site.get(site.linker.url(link))
    assert "<script>" not in page
    assert "<b>" not in page


async def test_pages_tell_the_time_by_the_clocks_of_the_reader_through_a_turn_of_them(
    site: Site,
) -> None:
    await site.ledger.enqueue(alert(), "desk/hook", NOW)
    [told] = await site.ledger.find(DeliveryFilter())
    _, opened = await site.get(site.links(told).open)
    assert "published 15 Jan 2026 12:57 CET" in opened
    _, digest = await site.get(site.links(told).digest)
    assert "each day at 08:00 Europe/Berlin" in digest
    site.clock.advance(datetime(2026, 3, 28, 12, tzinfo=UTC) - NOW)
    later = delivery(created_at=site.clock.now())
    _, snoozed = await site.post(site.links(later).snooze_story, **{"for": "24h"})
    assert "snoozed until 29 Mar 2026 14:00 CEST" in snoozed
