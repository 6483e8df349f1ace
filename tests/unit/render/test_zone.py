"""Times in messages: by the clocks of whoever reads them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.config.load import load
from monitor.core.model import Delivery
from monitor.core.render import Message, blocks, html, message, payload, text
from monitor.core.render.discord import discord
from monitor.core.render.mattermost import mattermost
from monitor.core.render.ntfy import ntfy
from monitor.core.render.teams import teams
from monitor.core.render.telegram import telegram
from monitor.core.render.template import Composer
from monitor.core.targets import ConsoleTarget, Template, WebhookTarget
from tests import configuration
from tests.factories import alert, article, delivery

BERLIN, KYIV, SAO_PAULO = map(ZoneInfo, ("Europe/Berlin", "Europe/Kyiv", "America/Sao_Paulo"))
READ: Mapping[str, Callable[[Message], object]] = {
    each.__name__: each for each in (text, html, blocks, teams, discord, telegram, ntfy, mattermost)
}


def told(published: datetime, seen: datetime | None = None) -> Delivery:
    made = article(published_at=published, seen_at=seen or published)
    return delivery(alerts=(alert(article=made),))


@pytest.mark.parametrize("render", READ.values(), ids=READ)
def test_every_message_for_people_tells_the_local_time(
    render: Callable[[Message], object],
) -> None:
    case = told(datetime(2026, 1, 15, 11, 57, tzinfo=UTC))
    shown = str(render(message(case, zone=BERLIN))).replace("\\", "")
    assert "15 Jan 2026 12:57 CET" in shown
    assert "UTC" not in shown


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        ("2026-07-15T11:57+00:00", BERLIN, "published 15 Jul 2026 13:57 CEST · seen 13:57 CEST"),
        ("2026-07-15T11:57+00:00", UTC, "published 15 Jul 2026 11:57 UTC · seen 11:57 UTC"),
        ("2026-01-15T11:57+00:00", SAO_PAULO, "published 15 Jan 2026 08:57 UTC-03:00 · seen"),
        ("2026-01-15T22:30+00:00", KYIV, "published 16 Jan 2026 00:30 EET · seen 00:30 EET"),
        ("2026-10-25T00:30+00:00", BERLIN, "published 25 Oct 2026 02:30 CEST"),
        ("2026-10-25T01:30+00:00", BERLIN, "published 25 Oct 2026 02:30 CET"),
        ("9999-12-31T23:30+00:00", BERLIN, "published 31 Dec 9999 23:30 UTC"),
    ],
)
def test_the_clock_on_the_wall_is_shown_with_its_zone(at: str, zone: tzinfo, expected: str) -> None:
    assert expected in text(message(told(datetime.fromisoformat(at)), zone=zone))


def test_the_day_is_repeated_where_it_is_another_for_the_reader() -> None:
    published = datetime(2026, 1, 15, 22, 50, tzinfo=UTC)
    case = told(published, published.replace(hour=23, minute=10))
    assert "seen 16 Jan 2026 00:10 CET" in text(message(case, zone=BERLIN))
    assert "seen 23:10 UTC" in text(message(case))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ alert.published_at | date }}", "2026-01-15 12:57 CET"),
        ("{{ alert.published_at | date('%d.%m. %H:%M %Z') }}", "15.01. 12:57 CET"),
    ],
)
def test_templates_tell_the_local_time(source: str, expected: str) -> None:
    target = ConsoleTarget(
        id="desk", subscriber="desk", zone=BERLIN, template=Template(text=source)
    )
    case = told(datetime(2026, 1, 15, 11, 57, tzinfo=UTC))
    assert Composer(target).compose(case).parts.text == expected


def test_programs_are_told_in_utc_whatever_the_zone_of_the_subscriber(tmp_path: Path) -> None:
    targets = [{"console": {}}, {"webhook": {"url": "https://hooks.example/in"}}]
    subscribers = {"desk": {"timezone": "Europe/Berlin", "targets": targets}}
    config = configuration.write(tmp_path, subscribers=subscribers)
    console, webhook = load(config, {}).targets
    assert (console.zone, webhook.zone) == (BERLIN, UTC)
    assert isinstance(webhook, WebhookTarget)
    published = datetime(2026, 1, 15, 11, 57, tzinfo=UTC).astimezone(BERLIN)
    assert b'"2026-01-15T11:57:00Z"' in payload(told(published))
