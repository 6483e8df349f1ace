from collections.abc import Mapping
from datetime import datetime, timedelta

from monitor.core.inhibition import InhibitRule, asked, inhibited_by, traces
from monitor.core.matchers import Subject, parse_matchers
from monitor.core.model import Match, Severity
from tests.factories import NOW, article, match

HOUR = timedelta(hours=1)
SYRIA, RESOLUTION = match(rule_id="syria"), match(rule_id="resolution")
RULE = InhibitRule(
    source=parse_matchers("rule=resolution"),
    target=parse_matchers("rule=syria"),
    equal=("story",),
    window=HOUR,
)


def about(told: Match, title: str = "One story") -> Subject:
    return Subject(article(title=title), told)


def remembered(
    *sources: Subject, rule: InhibitRule = RULE, at: datetime = NOW
) -> Mapping[str, datetime]:
    return {trace.key: at for source in sources for trace in traces([rule], source)}


def test_source_keeps_its_target_back_within_the_window() -> None:
    memory = remembered(about(RESOLUTION))
    found = inhibited_by([RULE], memory, about(SYRIA), NOW + HOUR - timedelta(seconds=1))
    assert found is not None
    assert (found.rule, found.source_at) == (RULE, NOW)
    assert inhibited_by([RULE], memory, about(SYRIA), NOW + HOUR) is None


def test_source_is_not_kept_back_itself() -> None:
    assert inhibited_by([RULE], remembered(about(RESOLUTION)), about(RESOLUTION), NOW) is None


def test_what_must_be_equal_is() -> None:
    memory = remembered(about(RESOLUTION))
    assert inhibited_by([RULE], memory, about(SYRIA, "ONE story!"), NOW)
    assert inhibited_by([RULE], memory, about(SYRIA, "Another story"), NOW) is None


def test_what_both_lack_is_equal() -> None:
    by_label = InhibitRule(source=RULE.source, target=RULE.target, equal=("region",), window=HOUR)
    bare = remembered(about(RESOLUTION), rule=by_label)
    assert inhibited_by([by_label], bare, about(SYRIA), NOW)
    labelled = match(rule_id="syria", labels={"region": "asia"})
    assert inhibited_by([by_label], bare, about(labelled), NOW) is None


def test_what_is_source_and_target_both_is_not_kept_back_by_its_like() -> None:
    """As in Alertmanager, where such a rule would otherwise keep everything back."""
    rule = InhibitRule(
        source=parse_matchers("severity=critical"), target=parse_matchers("rule=syria")
    )
    both = match(rule_id="syria", severity=Severity.CRITICAL)
    only_source = match(rule_id="resolution", severity=Severity.CRITICAL)
    only_target = match(rule_id="syria")

    def kept_back(told: Match, by: Match) -> bool:
        memory = remembered(about(by), rule=rule)
        return inhibited_by([rule], memory, about(told), NOW) is not None

    assert not kept_back(both, by=both)
    assert kept_back(both, by=only_source)
    assert kept_back(only_target, by=both)
    assert kept_back(only_target, by=only_source)
    assert not kept_back(only_source, by=both)


def test_only_what_could_be_kept_back_is_asked_for() -> None:
    assert asked([RULE], about(match(rule_id="other"))) == frozenset()
    assert len(asked([RULE], about(SYRIA))) == 2
    assert remembered(about(SYRIA)) == {}


def test_target_can_be_of_one_subscriber() -> None:
    rule = InhibitRule(source=RULE.source, target=parse_matchers("rule=syria, subscriber!=archive"))
    memory = remembered(about(RESOLUTION), rule=rule)
    assert asked([rule], about(SYRIA)) >= memory.keys()
    for name, inhibited in (("desk", True), ("archive", False)):
        subject = Subject(article(title="One story"), SYRIA, name)
        assert (inhibited_by([rule], memory, subject, NOW) is not None) is inhibited


def test_rule_says_what_it_does() -> None:
    assert str(RULE) == "rule=resolution inhibits rule=syria"
    named = InhibitRule(source=RULE.source, target=RULE.target, name="a resolution says it all")
    assert str(named) == "a resolution says it all"
