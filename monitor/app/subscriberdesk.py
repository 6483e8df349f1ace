"""Adds, changes and removes subscribers while the system runs."""

import asyncio

from monitor.app.parts import StoreParts
from monitor.app.program import Program
from monitor.config.added import Say, as_yaml, by_line, by_path, read_yaml, try_added, words_in
from monitor.config.yamlpos import Document
from monitor.core.made import Made
from monitor.errors import HeldError, RefusedError, UnknownError
from monitor.ports import Draft, RecordKind
from monitor.registry import SUBSCRIBERS

_MOST = 1_000  # each process reads all of them when one changes
_LONGEST = 100_000


class SubscriberDesk:
    """Works on the subscribers of the registry.

    What is written is in force here when it returns, elsewhere in a second.
    """

    def __init__(self, program: Program, parts: StoreParts) -> None:
        """Check against what is in force in `program`."""
        self._program = program
        self._registry = parts.registry
        self._clock = parts.clock

    async def get(self, name: str) -> Made | None:
        """Return the subscriber of this name that was added, if one was; a file may hold the name all the same."""
        record = await self._registry.get(RecordKind.SUBSCRIBER, name)
        return SUBSCRIBERS.decode(record.value) if record else None

    async def text(self, name: str) -> str:
        """Return what `write` would take for the subscriber as it is; nothing where there is none."""
        made = await self.get(name)
        return as_yaml(made.settings) if made else ""

    async def put(self, name: str, made: Made) -> None:
        """Write a subscriber, new or instead of the one there is; raise `RefusedError` if that cannot be."""
        document = await asyncio.to_thread(read_yaml, as_yaml(made.settings))
        await self._put(name, document, by_path)

    async def write(self, name: str, text: str) -> None:
        """Do as `put`, with settings as `subscribers.yaml` has them: what is wrong is said with its line."""
        if len(text) > _LONGEST:
            raise RefusedError(f"the settings have more than {_LONGEST:,} characters")
        await self._put(name, await asyncio.to_thread(read_yaml, text), by_line)

    async def remove(self, name: str) -> None:
        """Tell a subscriber nothing more; raise `RefusedError` for one of a file, or that is not there."""
        await self._current(name)
        if not await self._registry.remove(RecordKind.SUBSCRIBER, name, self._clock.now()):
            raise UnknownError(f"no subscriber '{name}'; `GET /api/subscribers` lists them")
        await self._program.following.step()

    async def _put(self, name: str, document: Document, say: Say) -> None:
        await self._current(name)
        added = self._program.added
        known = len(added.in_force) + len(added.left_out)
        if known >= _MOST and await self.get(name) is None:
            raise RefusedError(f"{known:,} subscribers were added: write more into files")
        feeds = self._program.listing.feeds
        named = [word for word in words_in(document.root.value) if word in feeds]
        settings = self._program.settings
        made = await asyncio.to_thread(try_added, name, document, settings, named, say)
        draft = Draft(id=name, value=SUBSCRIBERS.encode(made))
        await self._registry.put(RecordKind.SUBSCRIBER, draft, self._clock.now())
        await self._program.following.step()

    async def _current(self, name: str) -> None:
        """Bring what is in force up to date; raise `HeldError` where a file holds the name."""
        await self._program.following.step()
        if any(each.name == name for each in self._program.files.subscribers):
            raise HeldError(
                f"the subscriber '{name}' stands in a file: change it there, or take another name"
            )
