"""What rules usually find, so that the unusual shows."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from monitor.core.burst import Tally
from monitor.core.model import Article, Match


class Habits(Protocol):
    """How many stories each rule finds, in slots of a quarter of an hour; a rule with another query starts anew."""

    async def count(
        self, matches: Sequence[Match], slot: int, story: str, source: str, least: int
    ) -> Mapping[str, Tally]:
        """Count a story that a source told in a slot, for each of these rules; counting it again changes nothing.

        Return, by rule, the tallies of those that found at least `least` stories in the longest window.
        """
        ...

    async def tell(self, match: Match, slot: int, notice: Article) -> bool:
        """Append the notice of a burst to the article log; return False, and do nothing, if one was told lately.

        That it was told is recorded in the same step.
        """
        ...
