"""Fetches the canary, which lives on this machine, and everything else as usual."""

from monitor.core.canary import CANARY
from monitor.core.feed import Document
from monitor.core.model import Feed, FeedState
from monitor.ports import Fetcher


class CanaryFetcher:
    """Asks for the canary by a fetcher that may dial this machine, which that of the other feeds may not."""

    def __init__(self, others: Fetcher, home: Fetcher) -> None:
        """Fetch the canary by `home` and everything else by `others`."""
        self._others = others
        self._home = home

    async def fetch(self, feed: Feed, state: FeedState) -> Document:
        """See `Fetcher.fetch`."""
        fetcher = self._home if feed.id == CANARY else self._others
        return await fetcher.fetch(feed, state)
