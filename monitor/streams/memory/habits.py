"""What rules usually find, in memory."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from monitor.core.burst import COOL_DOWN, SLOT, WINDOWS, Tally, hour_of
from monitor.core.model import Article, Match
from monitor.streams import bounds
from monitor.streams.memory.store import Habit, MemoryStore

_SLOTS = bounds.STORIES_KEPT // SLOT
_HOURS = bounds.HABIT // timedelta(hours=1)


class MemoryHabits:
    """A `Habits` in memory."""

    def __init__(self, store: MemoryStore) -> None:
        """Count in the store."""
        self._store = store

    async def count(
        self, matches: Sequence[Match], slot: int, story: str, source: str, least: int
    ) -> Mapping[str, Tally]:
        """See `Habits.count`."""
        tallies = {each.rule_id: self._count(each, slot, story, source) for each in matches}
        return {rule_id: tally for rule_id, tally in tallies.items() if tally.found[-1][0] >= least}

    def _count(self, match: Match, slot: int, story: str, source: str) -> Tally:
        habit, hour = self._habit(match), hour_of(slot)
        stories, sources = habit.stories, habit.sources
        if _has_room(stories, slot, story) and story not in stories:
            stories[story] = slot
            habit.since = hour if habit.since is None else habit.since
            habit.hours[hour] = habit.hours.get(hour, 0) + 1
            for old in [each for each in habit.hours if each < hour - _HOURS]:
                del habit.hours[old]
        if _has_room(sources, slot, source):
            sources[source] = max(slot, sources.get(source, slot))
        first = [slot - length + 1 for length in WINDOWS]
        return Tally(
            slot=slot,
            found=[
                (
                    sum(start <= at <= slot for at in stories.values()),
                    sum(start <= at for at in sources.values()),
                )
                for start in first
            ],
            hours=dict(habit.hours),
            since=hour if habit.since is None else habit.since,
            told=habit.told,
        )

    async def tell(self, match: Match, slot: int, notice: Article) -> bool:
        """See `Habits.tell`."""
        habit = self._habit(match)
        if habit.told is not None and abs(slot - habit.told) < COOL_DOWN:
            return False
        habit.told = slot
        self._store.articles.append(notice)
        return True

    def _habit(self, match: Match) -> Habit:
        return self._store.habits.setdefault((match.rule_id, match.rule_version), Habit())


def _has_room(members: dict[str, int], slot: int, member: str) -> bool:
    for old in [each for each, at in members.items() if at <= slot - _SLOTS]:
        del members[old]
    return member in members or len(members) < bounds.STORIES_COUNTED
