from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from monitor.core.breaker import HEALTHY
from monitor.core.burst import Burst
from monitor.core.canary import CANARY
from monitor.core.matchers import Matchers, parse_matchers
from monitor.core.notice import (
    OWN_SEVERITIES,
    TARGET_DISABLED,
    feed_notice,
    own_matches,
    rule_burst,
    target_disabled,
    target_test,
    told_elsewhere,
)
from monitor.core.routing import Route
from monitor.core.targets import ConsoleTarget
from monitor.core.telling import RoutingTable
from tests.factories import NOW, article, feed, match


def console(subscriber: str, name: str = "console") -> ConsoleTarget:
    return ConsoleTarget(id=f"{subscriber}/{name}", subscriber=subscriber)


def led_to(*subscribers: str) -> RoutingTable:
    """A table in which the rule leads to these, and everything else to somebody else."""
    rule = Matchers(texts=parse_matchers(f"rule={TARGET_DISABLED}"))
    nodes = [Route(subscriber=one, matchers=rule, continue_=True) for one in subscribers]
    return RoutingTable(tree=Route(subscriber="rest", routes=tuple(nodes)))


ALL = [console("desk"), console("ops"), console("ops", "other"), console("rest")]


def test_the_other_targets_of_a_subscriber_say_that_one_is_switched_off() -> None:
    assert told_elsewhere(ALL[1], ALL, led_to("rest")) == ("ops/other",)


def test_of_an_only_target_whoever_the_routes_name_is_told() -> None:
    assert told_elsewhere(ALL[0], ALL, led_to("ops")) == ("ops/console", "ops/other")
    assert told_elsewhere(ALL[0], ALL, led_to()) == ("rest/console",)


def test_nobody_is_told_by_the_target_itself() -> None:
    assert told_elsewhere(ALL[3], ALL, led_to()) == ()
    assert told_elsewhere(ALL[3], ALL, RoutingTable()) == ()


def test_notice_is_the_same_whoever_finds_out_first() -> None:
    failing = replace(HEALTHY, failing_since=NOW)
    one, other = (target_disabled(name, "desk/hook", failing, NOW) for name in ("desk", "ops"))
    assert one.article == other.article
    assert (one.subscriber, other.subscriber) == ("desk", "ops")


def test_notice_of_a_feed_is_found_by_its_rule() -> None:
    notice = feed_notice(feed(), "feed-gone", "is gone", "The server says so.", NOW)
    found = own_matches(notice)
    assert found is not None
    assert [match.rule_id for match in found] == ["monitor.feed-gone"]
    assert found[0].severity is OWN_SEVERITIES["monitor.feed-gone"]


def test_notice_of_a_burst_says_what_is_unusual_and_carries_the_rule_as_a_label() -> None:
    burst = Burst(slot=7, slots=1, stories=14, sources=9, usual=1.2)
    notice = rule_burst(match(rule_id="syria", rule_name="Syria"), burst, NOW)
    assert notice.id == "monitor:rule-burst:syria:7"
    assert notice.title == "Syria: 14 stories from 9 sources in 15 minutes"
    assert "about 1.2." in notice.summary
    found = own_matches(notice)
    assert found is not None
    assert [(each.rule_id, each.labels) for each in found] == [
        ("monitor.rule-burst", {"burst_of": "syria"})
    ]


def test_notice_of_a_burst_of_a_rule_that_finds_nothing_else_says_so() -> None:
    burst = Burst(slot=7, slots=4, stories=4, sources=2, usual=0.01)
    notice = rule_burst(match(), burst, NOW)
    assert notice.title.endswith("4 stories from 2 sources in 60 minutes")
    assert "next to none." in notice.summary


def test_canary_is_found_by_its_own_name_and_a_publisher_by_none() -> None:
    found = own_matches(article(feed_id=CANARY))
    assert found is not None
    assert [match.rule_id for match in found] == [CANARY]
    assert own_matches(article(feed_id="monitoring-news")) is None


def test_test_says_that_it_is_one() -> None:
    sent = target_test(console("desk"), NOW)
    assert sent.target_id == "desk/console"
    assert sent.alert.article.title.startswith("Test:")


def test_notice_tells_the_time_by_the_clocks_of_its_reader() -> None:
    failing = replace(HEALTHY, failing_since=datetime(2026, 7, 15, 22, 30, tzinfo=UTC))
    told = target_disabled("desk", "desk/hook", failing, NOW, ZoneInfo("Europe/Kyiv"))
    assert "since 16 Jul 2026 01:30 EEST:" in told.article.summary
