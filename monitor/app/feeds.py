"""What people do with feeds by command: look, add, import, list, poll, remove."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice

from monitor.app.feedtexts import FeedHeldError, FeedRefusedError, make_feed, values_of
from monitor.app.parts import Outside, StoreParts
from monitor.app.reading import page_reading
from monitor.config.settings import Settings
from monitor.core.addresses import distinct_id, feed_key, suggested_id
from monitor.core.feed import Document, ParsedFeed
from monitor.core.model import Feed, FeedState
from monitor.core.poll import PollDecision
from monitor.core.websub import HubSubscription
from monitor.errors import FeedReason, HeldError, MonitorError, ParseError, UnknownError
from monitor.feeds.charset import decode
from monitor.feeds.discover import FeedLink, feed_links
from monitor.feeds.lines import FeedLine
from monitor.ports import Draft, PollRecorded, RecordKind, Refusal
from monitor.registry import FEEDS, all_records
from monitor.services.poller import PollerService
from monitor.services.websub import subscription_of
from monitor.telemetry import Metrics

FILE, ADDED = "file", "added"
_LEASE = timedelta(minutes=5)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What stands at an address: a feed, or a page with links to some."""

    document: Document
    parsed: ParsedFeed | None = None
    links: tuple[FeedLink, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A feed, where it comes from, and how it stands."""

    feed: Feed
    origin: str
    state: FeedState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What came of a poll by hand."""

    feed: Feed
    decision: PollDecision
    recorded: PollRecorded


@dataclass(slots=True)
class Imported:
    """What became of the lines of a list; of those that were refused, the number and why."""

    added: int
    known: int
    refused: list[tuple[int, str]]


class FeedDesk:
    """Adds, removes, polls and lists feeds, those of files and those that were added."""

    def __init__(self, settings: Settings, parts: StoreParts) -> None:
        """Work on an open store; the files of `settings` have their feeds."""
        self._settings = settings
        self._parts = parts
        self._files = {feed.id: feed for feed in settings.feeds}
        self._file_keys = {feed_key(feed.url): feed.id for feed in settings.feeds}

    # --- look ---

    async def get(self, feed_id: str) -> Listed:
        """Return a feed with its state; raise `MonitorError` when there is none of this id."""
        feed, origin = self._files.get(feed_id), FILE
        if feed is None:
            record = await self._parts.registry.get(RecordKind.FEED, feed_id)
            if record is None:
                raise MonitorError(f"no feed {feed_id!r}; `monitor feeds list` shows the ids")
            feed, origin = FEEDS.decode(record.value), ADDED
        state = (await self._parts.feeds.states([feed_id])).get(feed_id)
        return Listed(feed=feed, origin=origin, state=state)

    async def hub_of(self, feed_id: str) -> HubSubscription | None:
        """Return what the hub of a feed was asked for."""
        subscription, _ = await subscription_of(self._parts.registry, feed_id)
        return subscription

    async def everything(self) -> AsyncIterator[Listed]:
        """Yield every feed with its state: those of files first, then those added, in the order of adding."""
        chunk: dict[str, tuple[Feed, str]] = {
            feed.id: (feed, FILE) for feed in self._files.values()
        }
        async for record in all_records(self._parts.registry, RecordKind.FEED):
            if record.id not in self._files:
                chunk[record.id] = (FEEDS.decode(record.value), ADDED)
            if len(chunk) >= _AT_ONCE:
                for listed in await self._with_states(chunk):
                    yield listed
                chunk = {}
        for listed in await self._with_states(chunk):
            yield listed

    async def _with_states(self, feeds: Mapping[str, tuple[Feed, str]]) -> Sequence[Listed]:
        states = await self._parts.feeds.states(list(feeds))
        return [
            Listed(feed=feed, origin=origin, state=states.get(feed_id))
            for feed_id, (feed, origin) in feeds.items()
        ]

    # --- add ---

    async def add(self, values: Mapping[str, str], outside: Outside) -> Polled | Feed | Found:
        """Add the feed at `values["url"]` with one request, which is its first poll.

        A page that links to one feed adds that, whose first poll is then the poller's; one that links to several adds
        nothing, and is returned. Raise `FeedRefusedError` for a feed that is there already.
        """
        feed, found = await self._find(values, outside)
        if feed is None:
            return found
        feed = await self._keep(feed, named="id" in values)
        if found.parsed is None:
            return feed
        ready = Outside(
            fetcher=_Ready(found.document, found.parsed),
            parser=_Ready(found.document, found.parsed),
            pages=outside.pages,
            linguist=outside.linguist,
            channel=outside.channel,
        )
        return await self.poll(feed, ready)

    async def put(
        self, feed_id: str, values: Mapping[str, str], outside: Outside
    ) -> Polled | Feed | Found:
        """Add the feed of this id, or change the one that was added; a change is told to the poller.

        One request where the address is new, none where it is not; a feed that keeps its address keeps its name,
        unless `values` have one. Raise `FeedRefusedError`, also for an id that a file holds.
        """
        if feed_id in self._files:
            raise FeedHeldError(f"the feed '{feed_id}' stands in a file: change it there")
        record = await self._parts.registry.get(RecordKind.FEED, feed_id)
        if record is None:
            return await self.add({**values, "id": feed_id}, outside)
        before = FEEDS.decode(record.value)
        if feed_key(values["url"]) == feed_key(before.url):
            feed = self._suggested({"name": before.name, **values, "id": feed_id})
        else:
            there, found = await self._find({**values, "id": feed_id}, outside, own=feed_id)
            if there is None:
                return found
            feed = there
        await self._write(feed, expected=record.version)
        return feed

    async def _find(
        self, values: Mapping[str, str], outside: Outside, own: str = ""
    ) -> tuple[Feed | None, Found]:
        """Look at `values["url"]` with one request; return the feed that it leads to, or None if those are several.

        Refuse one that is there already, but for the feed `own`.
        """
        feed = self._suggested(values)
        await self._refuse_known(feed.url, own)
        found = await look(feed.url, outside)
        if len(found.links) > 1:
            return None, found
        if found.links:
            feed = self._suggested({**values, "url": found.links[0].url})
            await self._refuse_known(feed.url, own)
        elif found.document.url != feed.url:
            await self._refuse_known(found.document.url, own)
        title = (found.parsed.title if found.parsed else found.links[0].title) or feed.id
        return (feed if "name" in values else replace(feed, name=title)), found

    def _suggested(self, values: Mapping[str, str]) -> Feed:
        return make_feed({"id": suggested_id(values["url"]), **values}, self._settings.poll)

    async def _refuse_known(self, url: str, own: str) -> None:
        """Refuse an address that another feed has than `own`."""
        key = feed_key(url)
        holder = self._file_keys.get(key)
        holder = holder or await self._parts.registry.holder(RecordKind.FEED, key)
        if holder and holder != own:
            raise FeedHeldError(f"{url} is there already: it is feed '{holder}'")

    async def _write(self, feed: Feed, expected: int) -> None:
        draft = _draft(feed, expected)
        put = await self._parts.registry.put(RecordKind.FEED, draft, self._parts.clock.now())
        if put.refusal is Refusal.TAKEN:
            raise FeedHeldError(f"{feed.url} is there already: it is feed '{put.holder}'")
        if put.refusal is not None:
            raise FeedHeldError(f"somebody else changed the feed '{feed.id}' meanwhile: try again")

    async def _keep(self, feed: Feed, named: bool) -> Feed:
        """Write the record, under another id where the one suggested is taken."""
        for feed_id in (feed.id,) if named else (feed.id, distinct_id(feed.url)):
            kept = replace(feed, id=feed_id, name=feed_id if feed.name == feed.id else feed.name)
            if feed_id in self._files:
                continue
            draft = _draft(kept, expected=0)
            put = await self._parts.registry.put(RecordKind.FEED, draft, self._parts.clock.now())
            if put.refusal is None:
                return kept
            if put.refusal is Refusal.TAKEN:
                raise FeedHeldError(f"{feed.url} is there already: it is feed '{put.holder}'")
        raise FeedHeldError(f"the id '{feed.id}' is taken by another feed: choose one with --id")

    # --- poll ---

    async def poll(self, feed: Feed, outside: Outside) -> Polled:
        """Poll a feed now, as the poller would."""
        clock, store = self._parts.clock, self._parts.feeds
        now = clock.now()
        lease = await store.take(feed.id, now, _LEASE)
        metrics = Metrics()
        if lease is None:
            await store.schedule([feed], now + _LEASE, timedelta())
            lease = await store.take(feed.id, now, _LEASE)
        if lease is None:
            raise UnknownError(f"the feed '{feed.id}' was unlisted a moment ago")
        poller = PollerService(
            store,
            outside.fetcher,
            outside.parser,
            {feed.id: feed},
            clock,
            metrics,
            linguist=outside.linguist,
            concurrency=1,
            lease=_LEASE,
            new_trace=lambda: uuid.uuid4().hex[:16],
            reading=page_reading(self._settings, outside, store, clock, metrics),
        )
        decision, recorded = await poller.poll(feed, lease)
        return Polled(feed=feed, decision=decision, recorded=recorded)

    # --- remove ---

    async def remove(self, feed_id: str) -> None:
        """Poll a feed no more. What was seen in it is kept: added again under this id, its backlog is silent."""
        if feed_id in self._files:
            raise HeldError(
                f"the feed '{feed_id}' stands in a file of the configuration: take it out there"
            )
        now = self._parts.clock.now()
        if not await self._parts.registry.remove(RecordKind.FEED, feed_id, now):
            raise UnknownError(f"no feed {feed_id!r}; `monitor feeds list` shows the ids")
        await self._parts.feeds.unschedule([feed_id])

    # --- import ---

    async def import_(self, lines: Iterable[FeedLine], progress: Callable[[int], None]) -> Imported:
        """Add the feeds of a list; tell `progress` the number of each line that is dealt with.

        A feed that is there already is left as it is, so that importing a list again changes nothing.
        """
        keys, ids = dict(self._file_keys), set(self._files)
        async for record in all_records(self._parts.registry, RecordKind.FEED):
            keys[feed_key(FEEDS.decode(record.value).url)] = record.id
            ids.add(record.id)
        result = Imported(0, 0, [])
        rest = iter(lines)
        while chunk := list(islice(rest, _AT_ONCE)):
            new: list[tuple[int, Feed]] = []
            for each in chunk:
                try:
                    feed = self._new(each, keys, ids)
                except FeedRefusedError as error:
                    result.refused.append((each.number, str(error)))
                    continue
                if feed is None:
                    result.known += 1
                else:
                    new.append((each.number, feed))
            await self._put_all(new, result)
            progress(chunk[-1].number)
        return result

    def _new(self, read: FeedLine, keys: dict[str, str], ids: set[str]) -> Feed | None:
        """Return the feed of a line, or None if it is there already; keep count of both."""
        if read.problem:
            raise FeedRefusedError(read.problem)
        values = values_of(read)
        url = values["url"]
        if feed_key(url) in keys:
            return None
        if "id" not in values:
            suggestion = suggested_id(url)
            values["id"] = suggestion if suggestion not in ids else distinct_id(url)
        feed = make_feed(values, self._settings.poll)
        if feed.id in ids:
            raise FeedRefusedError(f"the id '{feed.id}' is taken by another feed")
        keys[feed_key(url)] = feed.id
        ids.add(feed.id)
        return feed

    async def _put_all(self, new: Sequence[tuple[int, Feed]], result: Imported) -> None:
        drafts = [_draft(feed, expected=0) for _, feed in new]
        now = self._parts.clock.now()
        puts = await self._parts.registry.put_all(RecordKind.FEED, drafts, now)
        for (number, feed), put in zip(new, puts, strict=True):
            if put.refusal is None:
                result.added += 1
            else:
                holder = put.holder or feed.id
                why = f"somebody else has added it a moment ago, as '{holder}'"
                result.refused.append((number, why))


async def look(url: str, outside: Outside) -> Found:
    """Fetch what stands at an address, once, and read it as a feed or as a page that links to feeds."""
    document = await outside.fetcher.fetch(Feed(id="new", url=url, name=url), FeedState())
    try:
        return Found(document=document, parsed=await outside.parser.parse(document))
    except ParseError as error:
        if error.reason is not FeedReason.NOT_A_FEED:
            raise
        page = decode(document.body, document.headers.get("content-type", ""))
        links = feed_links(page, document.url)
        if not links:
            raise
        return Found(document=document, links=links)


def _draft(feed: Feed, expected: int) -> Draft:
    return Draft(id=feed.id, value=FEEDS.encode(feed), expected=expected, unique=feed_key(feed.url))


class _Ready:
    """A fetcher and a parser that have what they are asked for already."""

    def __init__(self, document: Document, parsed: ParsedFeed) -> None:
        self._document = document
        self._parsed = parsed

    async def fetch(self, feed: Feed, state: FeedState) -> Document:  # noqa: ARG002 - the port's
        return self._document

    async def parse(self, document: Document, *, pruned: bool = False) -> ParsedFeed:  # noqa: ARG002 - the port's
        return self._parsed
