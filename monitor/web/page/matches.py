"""The first view: matches, newest first, and those that come while somebody looks."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from aiohttp import web

from monitor.core.chapter import Kept
from monitor.core.model import Article, Match
from monitor.errors import ArchiveError, StreamError
from monitor.ports import Archive, Page, PublicEntry
from monitor.web.api.live import EVENT_HEADERS, MOST_LISTENERS, Tail, order, send
from monitor.web.api.operation import ApiProblem
from monitor.web.page.backstage import Backstage
from monitor.web.page.filters import Filters, Row, Sieve, filters_of, sieve
from monitor.web.page.frame import Visit
from monitor.web.page.site import Shown, Site

PER_PAGE = 40
_CHUNK = 200
_MOST_READ = 10_000  # articles of the archive for one page: beyond, the reader asks on
_BEFORE = timedelta(minutes=1)  # what came then may not be archived yet
_TURN_SECONDS = 15.0
_LONGEST_SECONDS = 900.0  # then the browser comes again, and its session is looked at again
_KEPT = 300  # articles of which more rules may tell


class _Told(msgspec.Struct):
    """What an entry of the public stream says in `data`."""

    article: Article
    match: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rows, newest first, and where to go on, if there may be more."""

    rows: list[Row]
    next: int | None = None


async def read(archive: Archive, which: Sieve, before: int | None) -> Found:
    """Read a page of matches; it ends early where little is found in much."""
    rows: list[Row] = []
    asked = which.filters
    looked_up = Filters(rule=asked.rule, feed=asked.feed, lang=asked.lang)
    limit = PER_PAGE if asked == looked_up else _CHUNK
    for _ in range(_MOST_READ // _CHUNK):
        page = Page(
            narrowing=which.narrowing,
            rule=asked.rule or None,
            matched=True,
            before=before,
            limit=limit,
        )
        kept = await archive.page(page)
        for each, row in await asyncio.to_thread(_sift, which, kept):
            before = each.number
            if row:
                rows.append(row)
            if len(rows) == PER_PAGE:
                return Found(rows=rows, next=before)
        if len(kept) < limit:
            return Found(rows=rows)
    return Found(rows=rows, next=before)


def _sift(which: Sieve, kept: Sequence[Kept]) -> list[tuple[Kept, Row | None]]:
    return [(each, which.row(each.article, each.matches)) for each in kept]


class MatchViews:
    """`/` and `/live`."""

    def __init__(self, backstage: Backstage, site: Site) -> None:
        """Show what the archive has, and tell what the stream brings."""
        self._backstage = backstage
        self._site = site

    async def show(self, visit: Visit) -> Shown:
        """Show matches that the filters let through."""
        ours = self._backstage.operations
        query = visit.request.query
        in_force = ours.in_force()
        which = await asyncio.to_thread(sieve, filters_of(query), in_force.rule_set)
        before = _cursor(query)
        found = Found(rows=[])
        if ours.archive and not which.error:
            found = await read(ours.archive, which, before)
        says = {
            "filters": filters_of(query),
            "error": which.error,
            "rows": found.rows,
            "next": found.next,
            "older": before is not None,
            "archive": ours.archive is not None,
            "rules": in_force.rules,
            "feeds": sorted(in_force.feeds.values(), key=lambda each: each.name.casefold()),
            "after": f"{max(0, round((ours.clock.now() - _BEFORE).timestamp() * 1000))}-0",
        }
        return Shown(template="matches.html", says=says)

    async def live(self, visit: Visit) -> web.StreamResponse:
        """Tell matches as rows, and how everything stands, as server-sent events."""
        tail, request = self._backstage.tail, visit.request
        if tail.listeners >= MOST_LISTENERS:
            raise ApiProblem(503, f"{MOST_LISTENERS} listen already", retry_after=30)
        rule_set = self._backstage.operations.in_force().rule_set
        which = await asyncio.to_thread(sieve, filters_of(request.query), rule_set)
        last = _start(request, tail)
        response = web.StreamResponse(headers=EVENT_HEADERS)
        await response.prepare(request)
        tail.listeners += 1
        try:
            async for event in self._events(which, last, rows="rows" in request.query):
                await send(request, response, event)
        except (ConnectionError, StreamError, ArchiveError):
            return response
        finally:
            tail.listeners -= 1
        return response

    async def _events(self, which: Sieve, last: str, *, rows: bool) -> AsyncIterator[bytes]:
        tail, loop, known = self._backstage.tail, asyncio.get_running_loop(), dict[str, _Known]()
        until = loop.time() + _LONGEST_SECONDS
        yield b"retry: 3000\n\n"
        while loop.time() < until and not tail.stopped:
            status = self._site.write("status.html", {"status": await self._backstage.status()})
            yield _event("status", status)
            turn = loop.time() + _TURN_SECONDS
            while (left := turn - loop.time()) > 0 and not tail.stopped:
                entries = [each.entry for each in await tail.after(last, left)]
                if entries and rows:
                    for entry_id, row in await asyncio.to_thread(_rows, which, entries, known):
                        yield _event("row", self._site.write("row.html", {"row": row}), entry_id)
                last = entries[-1].id if entries else last


@dataclass(frozen=True, slots=True)
class _Known:
    article: Article
    matches: tuple[Match, ...]


def _rows(
    which: Sieve, entries: Sequence[PublicEntry], known: dict[str, _Known]
) -> list[tuple[str, Row]]:
    """Return what to tell of entries: an article once for all the rules that found it by now."""
    told: dict[str, str] = {}
    for entry in entries:
        try:
            data = msgspec.json.decode(entry.fields.get("data", ""), type=_Told)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # a newer release wrote it
        id_ = data.article.id
        before = known.pop(id_, None)
        known[id_] = _Known(data.article, (*(before.matches if before else ()), data.match))
        told.pop(id_, None)
        told[id_] = entry.id
    for id_ in list(known)[:-_KEPT]:
        del known[id_]
    rows = (
        (told[id_], which.row(each.article, each.matches))
        for id_, each in known.items()
        if id_ in told
    )
    return [(entry_id, row) for entry_id, row in rows if row]


def _event(kind: str, text: str, entry_id: str = "") -> bytes:
    data = "".join(f"data: {each}\n" for each in text.splitlines() if each.strip())
    known_as = f"id: {entry_id}\n" if entry_id else ""
    return f"{known_as}event: {kind}\n{data}\n".encode()


def _start(request: web.Request, tail: Tail) -> str:
    asked = request.headers.get("Last-Event-ID", "") or request.query.get("after", "")
    try:
        return asked if asked and order(asked) else tail.last
    except ValueError as error:
        raise ApiProblem(400, f"after: {error}") from None


def _cursor(query: Mapping[str, str]) -> int | None:
    text = query.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004 - an integer of SQLite
