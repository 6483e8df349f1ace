"""Where the demo looks over the pipeline's shoulder: at the rules, and as the subscriber `console`."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from monitor.core.model import Article, Delivery, Match
from monitor.core.outcome import Delivered
from monitor.ports import Matcher

See = Callable[[Article, tuple[Match, ...]], None]


class WatchedMatcher:
    """Matches with `rules`, and tells `see` of every article and what was found in it, on the event loop."""

    def __init__(self, rules: Matcher, see: See) -> None:
        """Belong to the running event loop; `match` is called in a thread."""
        self._rules = rules
        self._see = see
        self._loop = asyncio.get_running_loop()

    def match(self, article: Article, now: datetime) -> tuple[Match, ...]:
        """Match as the rules do."""
        matches = self._rules.match(article, now)
        self._loop.call_soon_threadsafe(self._see, article, matches)
        return matches


class ScreenChannel:
    """Delivers to the screen that the demo fills."""

    def __init__(self, take: Callable[[Article], None]) -> None:
        """Hand the article of every delivery to `take`."""
        self._take = take

    async def deliver(self, delivery: Delivery, now: datetime) -> Delivered:  # noqa: ARG002 - the port's signature
        """Deliver; a screen never refuses."""
        self._take(delivery.alert.article)
        return Delivered()

    async def close(self) -> None:
        """Keep nothing open."""
