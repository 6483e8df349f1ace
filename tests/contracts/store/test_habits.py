"""What every `Habits` promises."""

from datetime import timedelta

from monitor.core.burst import COOL_DOWN
from tests.contracts.store.conftest import Ports
from tests.factories import article, match

SLOT = 2_000_000
HOUR = SLOT // 4
NOWAIT = timedelta()
TALKS = match(rule_id="talks", rule_version="1")


async def test_stories_and_their_sources_are_counted_in_each_window(ports: Ports) -> None:
    await ports.habits.count([TALKS], SLOT - 2, "a", "one", 1)
    await ports.habits.count([TALKS], SLOT - 1, "b", "two", 1)
    tallies = await ports.habits.count([TALKS], SLOT, "c", "one", 1)
    assert [tuple(each) for each in tallies["talks"].found] == [(1, 1), (2, 2), (3, 2)]


async def test_the_same_story_counts_once_and_brings_its_other_source(ports: Ports) -> None:
    await ports.habits.count([TALKS], SLOT, "a", "one", 1)
    await ports.habits.count([TALKS], SLOT, "a", "one", 1)
    tallies = await ports.habits.count([TALKS], SLOT, "a", "two", 1)
    assert tallies["talks"].found[0] == (1, 2)
    assert tallies["talks"].hours == {HOUR: 1}


async def test_a_story_that_comes_again_in_a_later_slot_does_not_count_there(ports: Ports) -> None:
    await ports.habits.count([TALKS], SLOT, "a", "one", 1)
    tallies = await ports.habits.count([TALKS], SLOT + 1, "a", "one", 1)
    assert [stories for stories, _ in tallies["talks"].found] == [0, 1, 1]


async def test_a_rule_with_few_stories_in_an_hour_is_not_answered(ports: Ports) -> None:
    vote = match(rule_id="vote", rule_version="1")
    await ports.habits.count([TALKS], SLOT, "a", "one", 2)
    tallies = await ports.habits.count([TALKS, vote], SLOT, "b", "one", 2)
    assert list(tallies) == ["talks"]


async def test_the_hours_before_are_remembered_and_so_is_when_counting_began(ports: Ports) -> None:
    await ports.habits.count([TALKS], SLOT - 96, "a", "one", 1)
    await ports.habits.count([TALKS], SLOT - 96, "b", "one", 1)
    tallies = await ports.habits.count([TALKS], SLOT, "c", "one", 1)
    assert tallies["talks"].hours == {HOUR - 24: 2, HOUR: 1}
    assert tallies["talks"].since == HOUR - 24
    assert tallies["talks"].told is None


async def test_hours_of_more_than_eight_days_ago_are_dropped(ports: Ports) -> None:
    await ports.habits.count([TALKS], SLOT - 96 * 9, "a", "one", 1)
    await ports.habits.count([TALKS], SLOT - 96 * 8, "b", "one", 1)
    tallies = await ports.habits.count([TALKS], SLOT, "c", "one", 1)
    assert tallies["talks"].hours == {HOUR - 24 * 8: 1, HOUR: 1}
    assert tallies["talks"].since == HOUR - 24 * 9


async def test_another_query_of_a_rule_begins_a_habit_of_its_own(ports: Ports) -> None:
    await ports.habits.count([TALKS], SLOT - 96, "a", "one", 1)
    changed = match(rule_id="talks", rule_version="2")
    tallies = await ports.habits.count([changed], SLOT, "b", "one", 1)
    assert tallies["talks"].hours == {HOUR: 1}


async def test_a_burst_is_told_once_in_its_time_and_stands_in_the_article_log(ports: Ports) -> None:
    await ports.habits.count([TALKS], SLOT, "a", "one", 1)
    notice = article(id="n")
    assert await ports.habits.tell(TALKS, SLOT, notice)
    assert not await ports.habits.tell(TALKS, SLOT + 1, notice)
    tallies = await ports.habits.count([TALKS], SLOT + 1, "b", "one", 1)
    assert tallies["talks"].told == SLOT
    assert await ports.habits.tell(TALKS, SLOT + COOL_DOWN, article(id="later"))
    entries = await ports.articles("c").read(100, NOWAIT)
    assert sorted(entry.value.id for entry in entries) == ["later", "n"]
