"""How often a feed asks to be read."""

from datetime import timedelta

import pytest

from monitor.core.feed import NO_WISHES, Document, Wishes
from monitor.feeds.parse import parse_document
from tests.servers.feeds import item


def wishes(channel: str) -> Wishes:
    source = (
        '<rss version="2.0" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel>'
        f"{channel}{item(1)}<ttl>1</ttl></channel></rss>"
    )
    return parse_document(
        Document(url="http://news.example/", status=200, body=source.encode())
    ).wishes


@pytest.mark.parametrize(
    ("channel", "every"),
    [
        ("<ttl> 90 </ttl>", timedelta(minutes=90)),
        ("<ttl>soon</ttl>", timedelta()),
        ("<ttl>-5</ttl>", timedelta()),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", timedelta(hours=1)),
        (
            "<sy:updatePeriod> Daily </sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>",
            timedelta(hours=6),
        ),
        (
            "<sy:updatePeriod>weekly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>",
            timedelta(),
        ),
        ("<sy:updatePeriod>fortnightly</sy:updatePeriod>", timedelta()),
        ("<ttl>5</ttl><sy:updatePeriod>daily</sy:updatePeriod>", timedelta(minutes=5)),
    ],
)
def test_interval_is_read(channel: str, every: timedelta) -> None:
    assert wishes(channel).every == every


def test_hours_and_days_to_skip_are_read() -> None:
    said = wishes(
        "<skipHours><hour>0</hour><hour> 24 </hour><hour>3</hour><hour>x</hour></skipHours>"
        "<skipDays><day>Sunday</day><day>saturday</day><day>Someday</day></skipDays>"
    )
    assert said == Wishes(skip_hours=(0, 3), skip_days=(5, 6))


def test_feed_that_skips_all_the_time_asks_for_nothing() -> None:
    hours = "".join(f"<hour>{hour}</hour>" for hour in range(24))
    assert wishes(f"<skipHours>{hours}</skipHours>").skip_hours == ()


def test_what_stands_behind_the_first_entry_is_not_the_channel_s() -> None:
    assert wishes("<title>No wishes</title>") == NO_WISHES
