"""What rules usually find, on the server."""

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.core.burst import COOL_DOWN, WINDOWS, Tally, hour_of
from monitor.core.model import Article, Match
from monitor.streams import codec, keys
from monitor.streams.client import Command, call
from monitor.streams.keys import hash64, key
from monitor.streams.store import Store


class StreamHabits:
    """A `Habits` on the server: what concerns a rule lies in the partition of its id."""

    def __init__(self, store: Store) -> None:
        """Count in the store."""
        self._store = store

    async def count(
        self, matches: Sequence[Match], slot: int, story: str, source: str, least: int
    ) -> Mapping[str, Tally]:
        """See `Habits.count`."""
        words = (slot, hour_of(slot), hash64(story), hash64(source), least, *WINDOWS)
        replies = await self._store.server.each([self._count(each, words) for each in matches])
        return {
            match.rule_id: _tally(slot, *reply)
            for match, reply in zip(matches, replies, strict=True)
            if reply
        }

    def _count(self, match: Match, words: tuple[int, ...]) -> Command:
        partition, name = self._place(match)
        touched = [key(partition, f"{name}{part}") for part in ("", ":stories", ":sources")]
        return call("monitor_count_story", touched, *words)

    async def tell(self, match: Match, slot: int, notice: Article) -> bool:
        """See `Habits.tell`."""
        partition, name = self._place(match)
        touched = [key(partition, name), key(partition, keys.ARTICLES)]
        words = (slot, COOL_DOWN, codec.articles.encode(notice))
        return bool(await self._store.server.run(call("monitor_tell_burst", touched, *words)))

    def _place(self, match: Match) -> tuple[int, str]:
        """Return the partition and the name of what is kept of a rule."""
        name = f"habit:{hash64(match.rule_id, match.rule_version)}"
        return self._store.partition_of(match.rule_id), name


def _tally(slot: int, found: Sequence[int], flat: Sequence[Any]) -> Tally:
    fields = {name.decode(): int(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}
    return Tally(
        slot=slot,
        found=tuple(zip(found[::2], found[1::2], strict=True)),
        since=fields.pop("since"),
        told=fields.pop("told", None),
        hours={int(hour): count for hour, count in fields.items()},
    )
