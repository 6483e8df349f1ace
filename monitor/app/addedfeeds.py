"""Adds, changes and removes feeds for the API and the page, as `monitor feeds` does."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from monitor.app.parts import Outside, StoreParts
from monitor.app.program import Program
from monitor.core.render.clean import line
from monitor.errors import FeedError, RefusedError

if TYPE_CHECKING:
    from monitor.app.feeds import FeedDesk, Found, Polled
    from monitor.core.model import Feed

_LOOKED_AT_ONCE = 4  # each holds a document
_SHOWN = 10
_LONGEST = 200


class AddedFeeds:
    """Works on the feeds of the registry. What is written is known here when it returns, elsewhere in a second."""

    def __init__(self, program: Program, parts: StoreParts, outside: Outside) -> None:
        """Work beside the feeds of files that `program` has."""
        self._program = program
        self._parts = parts
        self._outside = outside
        self._turn = asyncio.Semaphore(_LOOKED_AT_ONCE)

    async def add(self, values: Mapping[str, str]) -> str:
        """Add the feed at `values["url"]`, and return its id; raise `RefusedError` if that cannot be."""
        desk = self._desk()
        try:
            async with self._turn:
                done = await desk.add(values, self._outside)
        except FeedError as error:
            raise _unread(values["url"], error) from error
        return await self._known(done, values["url"])

    async def put(self, feed_id: str, values: Mapping[str, str]) -> None:
        """Add the feed of this id or change it; raise `RefusedError` if that cannot be."""
        desk = self._desk()
        try:
            async with self._turn:
                done = await desk.put(feed_id, values, self._outside)
        except FeedError as error:
            raise _unread(values["url"], error) from error
        await self._known(done, values["url"])

    async def remove(self, feed_id: str) -> None:
        """Poll a feed no more; raise `RefusedError` for one of a file, or that is not there."""
        await self._desk().remove(feed_id)
        await self._program.catch_up()

    async def _known(self, done: "Polled | Feed | Found", url: str) -> str:
        from monitor.app.feeds import Found, Polled  # noqa: PLC0415 - see `_desk`

        if isinstance(done, Found):
            links = ", ".join(line(each.url, _LONGEST) for each in done.links[:_SHOWN])
            raise RefusedError(f"{url} links to several feeds, add one of these: {links}", "url")
        await self._program.catch_up()
        return done.feed.id if isinstance(done, Polled) else done.id

    def _desk(self) -> "FeedDesk":
        # It reads documents, and the daemon is to load no parser of them before it is asked to.
        from monitor.app.feeds import FeedDesk  # noqa: PLC0415

        return FeedDesk(self._program.settings, self._parts)


def _unread(url: str, error: FeedError) -> RefusedError:
    return RefusedError(f"there is no feed at {url} that can be read: {error}", "url")
