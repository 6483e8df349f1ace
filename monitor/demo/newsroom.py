"""The demo's newsroom: a web server on loopback whose feeds fill up while one watches."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from html import escape

from aiohttp import web

from monitor.demo.render import CONTENT_TYPE, Published, render, render_page
from monitor.demo.script import Mishap, Outlet, Piece, Stale, Trouble
from monitor.demo.site import serving

_BACKLOG_AGE = timedelta(hours=26)
_HTML = "text/html"


class Newsroom:
    """Publishes pieces over `seconds`, once it was told to begin; until then its feeds hold the backlog."""

    def __init__(
        self,
        outlets: Sequence[Outlet],
        pieces: Sequence[Piece],
        mishaps: Sequence[Mishap],
        seconds: float,
    ) -> None:
        self.site = ""
        self.seconds = seconds
        self.requests: Counter[int] = Counter()
        self.all_read = asyncio.Event()
        self._outlets = {each.path: each for each in outlets}
        self._pieces = pieces
        self._pages = {each.path: each for each in pieces if each.repeats is None}
        self._mishaps = mishaps
        self._went_wrong: Counter[Mishap] = Counter()
        self._unread = set(self._outlets)
        self._opened_at = datetime.now(UTC)
        self._began_at: float | None = None

    def begin(self) -> None:
        """Start to publish."""
        self._began_at = asyncio.get_running_loop().time()

    @property
    def progress(self) -> float:
        """How much of the publishing time has passed, in percent; it may be more than all of it."""
        if self._began_at is None:
            return -1
        return (asyncio.get_running_loop().time() - self._began_at) / self.seconds * 100

    def published(self) -> list[Piece]:
        """Return what has appeared since the beginning, in order."""
        progress = self.progress
        return [each for each in self._pieces if each.at is not None and each.at <= progress]

    def appeared_at(self, piece: Piece) -> float:
        """Return when a piece appears, on the event loop's clock. Only for a newsroom that has begun."""
        return (self._began_at or 0.0) + self.seconds * (piece.at or 0) / 100

    async def serve_feed(self, request: web.Request) -> web.Response:
        """Answer with the feed as it stands now, 304 for one who has it, or with the trouble that is due."""
        outlet = self._outlets.get(request.path)
        if outlet is None:
            return self._answer(web.Response(status=404))
        self._unread.discard(outlet.path)
        if not self._unread:
            self.all_read.set()
        trouble = self._trouble(outlet)
        if trouble is Trouble.BUSY:
            return self._answer(web.Response(status=503, headers={"Retry-After": "1"}))
        body = render(outlet, f"{self.site}/{outlet.id}/", self._standing(outlet))
        if trouble is Trouble.CUT_OFF:
            body = body[: len(body) // 2]
        etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        if request.headers.get("If-None-Match") == etag:
            return self._answer(web.Response(status=304, headers={"ETag": etag}))
        headers = {"ETag": etag, "Content-Type": CONTENT_TYPE[outlet.format]}
        return self._answer(web.Response(body=body, headers=headers))

    async def serve_page(self, request: web.Request) -> web.Response:
        """Answer with the page of an article."""
        piece = self._pages.get(request.path)
        if piece is None:
            return web.Response(status=404)
        outlet = next(each for each in self._outlets.values() if each.id == piece.feed)
        return web.Response(text=render_page(piece, outlet), content_type=_HTML)

    async def serve_index(self, _request: web.Request) -> web.Response:
        """Answer with a list of the feeds."""
        rows = "".join(
            f'<li><a href="{each.path}">{escape(each.name)}</a> ({each.lang}, {each.format})'
            for each in self._outlets.values()
        )
        page = f"<!doctype html><meta charset=utf-8><title>Newsroom</title><ul>{rows}</ul>"
        return web.Response(text=page, content_type=_HTML)

    def _answer(self, response: web.Response) -> web.Response:
        self.requests[response.status] += 1
        return response

    def _trouble(self, outlet: Outlet) -> Trouble | None:
        for mishap in self._mishaps:
            due = mishap.feed == outlet.id and self.progress >= mishap.at
            if due and self._went_wrong[mishap] < mishap.times:
                self._went_wrong[mishap] += 1
                return mishap.trouble
        return None

    def _standing(self, outlet: Outlet) -> list[Published]:
        """Return what stands in a feed now, newest first; an edit stands in the place of what it edits."""
        progress = self.progress
        here = [each for each in self._pieces if each.feed == outlet.id]
        visible = [each for each in here if each.at is None or each.at <= progress]
        edits = {each.guid: each for each in visible if each.stale is Stale.EDIT}
        late = [each for each in visible if each.stale is Stale.LATE]
        others = [each for each in visible if each.stale not in {Stale.EDIT, Stale.LATE}]
        return [self._as_published(edits.get(each.guid, each)) for each in others[::-1] + late]

    def _as_published(self, piece: Piece) -> Published:
        age = _BACKLOG_AGE if piece.at is None else timedelta(hours=piece.backdated_hours)
        offset = timedelta(seconds=self.seconds * (piece.at or 0) / 100)
        at = (self._opened_at + offset - age).replace(microsecond=0)
        return Published(piece=piece, url=f"{self.site}{piece.path}{piece.query}", at=at)


@asynccontextmanager
async def open_newsroom(newsroom: Newsroom) -> AsyncIterator[Newsroom]:
    """Serve `newsroom` on a free port of loopback."""
    routes = [
        web.get("/", newsroom.serve_index),
        web.get("/{outlet}/{document:feed[.].*}", newsroom.serve_feed),
        web.get("/{outlet}/{slug}", newsroom.serve_page),
    ]
    async with serving(routes) as site:
        newsroom.site = site
        yield newsroom
