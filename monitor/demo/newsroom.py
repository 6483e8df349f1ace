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
_CUT_OFF = (
    150  # bytes: in the middle of the oldest article, of which a part must not pass for an edit
)
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
        self.requests: Counter[int] = Counter()
        self.all_read = asyncio.Event()
        self.troubles: list[tuple[str, str]] = []
        self._outlets = {each.path: each for each in outlets}
        self._pieces = pieces
        self._pages = {each.path: each for each in pieces if each.repeats is None}
        self._mishaps = mishaps
        self._seconds = seconds
        self._went_wrong: Counter[Mishap] = Counter()
        self._read_at: dict[str, float] = {}
        self._published: list[Piece] = []
        self._opened_at = datetime.now(UTC)
        self._began_at: float | None = None

    def begin(self) -> None:
        """Start to publish."""
        self._began_at = asyncio.get_running_loop().time()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning; negative before it."""
        if self._began_at is None:
            return -1
        return asyncio.get_running_loop().time() - self._began_at

    @property
    def is_done(self) -> bool:
        """Whether everything has appeared."""
        today = sum(1 for each in self._pieces if each.at is not None)
        return self.elapsed >= self._seconds and len(self.published()) == today

    def appears_at(self, piece: Piece) -> float:
        """Return the seconds from the beginning to the appearance of a piece."""
        return self._seconds * (piece.at or 0) / 100

    def published(self) -> list[Piece]:
        """Return what has appeared since the beginning, in order."""
        for each in self._pieces:
            if each.at is not None and each not in self._published and self._is_out(each):
                self._published.append(each)
        return self._published[:]

    def was_read_since(self, piece: Piece, seconds: float) -> bool:
        """Whether the piece has stood there for `seconds`, and its feed was read in that time."""
        appeared_at = self.appears_at(piece)
        read_at = self._read_at.get(piece.feed, -1)
        return read_at > appeared_at and self.elapsed >= appeared_at + seconds

    async def serve_feed(self, request: web.Request) -> web.Response:
        """Answer with the feed as it stands now, 304 for one who has it, or with the trouble that is due."""
        outlet = self._outlets.get(request.path)
        if outlet is None:
            return self._answer(web.Response(status=404))
        trouble = self._trouble(outlet)
        if trouble is Trouble.BUSY:
            return self._answer(web.Response(status=503, headers={"Retry-After": "1"}))
        body = render(outlet, f"{self.site}/{outlet.id}/", self._standing(outlet))
        self._note_reading(outlet)
        if trouble is Trouble.CUT_OFF:
            body = body[:-_CUT_OFF]
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

    def _note_reading(self, outlet: Outlet) -> None:
        self._read_at[outlet.id] = self.elapsed
        if len(self._read_at) == len(self._outlets):
            self.all_read.set()

    def _answer(self, response: web.Response) -> web.Response:
        self.requests[response.status] += 1
        return response

    def _trouble(self, outlet: Outlet) -> Trouble | None:
        for mishap in self._mishaps:
            due = mishap.feed == outlet.id and self.elapsed >= self._seconds * mishap.at / 100
            if due and self._went_wrong[mishap] < mishap.times:
                self._went_wrong[mishap] += 1
                self.troubles.append((outlet.name, mishap.trouble))
                return mishap.trouble
        return None

    def _standing(self, outlet: Outlet) -> list[Published]:
        """Return what stands in a feed now, newest first; an edit stands in the place of what it edits."""
        here = [each for each in self._pieces if each.feed == outlet.id]
        visible = [each for each in here if self._is_out(each)]
        edits = {each.guid: each for each in visible if each.stale is Stale.EDIT}
        late = [each for each in visible if each.stale is Stale.LATE]
        others = [each for each in visible if each.stale not in {Stale.EDIT, Stale.LATE}]
        return [self._as_published(edits.get(each.guid, each)) for each in others[::-1] + late]

    def _is_out(self, piece: Piece) -> bool:
        if piece.stale is Stale.EDIT and not self._was_read(piece):
            return False
        return piece.at is None or self.appears_at(piece) <= self.elapsed

    def _was_read(self, edit: Piece) -> bool:
        """Whether what is edited was read as it stood first: else nobody could tell that it is an edit."""
        original = next(each for each in self._pieces if each.id == edit.repeats)
        return self._read_at.get(edit.feed, -1) > self.appears_at(original)

    def _as_published(self, piece: Piece) -> Published:
        age = _BACKLOG_AGE if piece.at is None else timedelta(hours=piece.backdated_hours)
        appeared_at = self._opened_at + timedelta(seconds=self.appears_at(piece))
        at = (appeared_at - age).replace(microsecond=0)
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
