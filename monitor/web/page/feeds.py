"""`/feeds`: how feeds do, in words, and a poll by hand; feeds are added and removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from aiohttp import web

from monitor.core.model import Feed, FeedState
from monitor.core.standing import ago, ahead, in_a_word, in_detail, is_failing, is_silent
from monitor.errors import MonitorError, RefusedError
from monitor.web.api.operation import ApiProblem
from monitor.web.page.backstage import Backstage
from monitor.web.page.frame import Visit, problem_of, see
from monitor.web.page.site import Shown

PER_PAGE = 200
_LONGEST = 1000
_FIELDS = ("url", "id", "name", "every", "category")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A feed in the list. `troubled` is what somebody should look at."""

    feed: Feed
    word: str
    news: str
    polled: str
    next: str
    because: str
    troubled: bool
    made: bool


class FeedViews:
    """Feeds: a list, and one."""

    def __init__(self, backstage: Backstage) -> None:
        """Show those in force."""
        self._backstage = backstage

    async def index(self, visit: Visit) -> Shown:
        """List feeds by name, those in trouble first; a text in the address picks some."""
        return await self._index(visit, {})

    async def add(self, visit: Visit) -> Shown | web.Response:
        """Add a feed, or say why that cannot be; its address is asked once."""
        values = {key: visit.form.get(key, "").strip()[:_LONGEST] for key in _FIELDS}
        values = {key: text for key, text in values.items() if text or key == "url"}
        try:
            feed_id = await self._backstage.making.feeds.add(values)
        except RefusedError as error:
            return await self._index(visit, values, problem_of(error))
        return see(f"/feeds/{quote(feed_id, safe='')}?said=added")

    async def remove(self, visit: Visit) -> web.Response:
        """Poll a feed no more that was added."""
        await self._backstage.making.remove_feed(visit.asked(id=visit.request.match_info["id"]))
        return see("/feeds?said=removed")

    async def _index(
        self, visit: Visit, given: Mapping[str, str], wrong: ApiProblem | None = None
    ) -> Shown:
        ours = self._backstage.operations
        text = visit.request.query.get("q", "").casefold()[:200]
        current = ours.in_force()
        feeds = [
            feed
            for feed in current.feeds.values()
            if text in f"{feed.id} {feed.name} {feed.url}".casefold()
        ]
        states = await ours.feeds.states([feed.id for feed in feeds])
        now = ours.clock.now()
        lines = [
            _line(feed, states.get(feed.id), now, made=feed.id not in current.filed)
            for feed in feeds
        ]
        lines.sort(key=lambda each: (not each.troubled, each.feed.name.casefold(), each.feed.id))
        troubled = sum(each.troubled for each in lines)
        says = {
            "lines": lines[:PER_PAGE],
            "count": len(lines),
            "troubled": troubled,
            "text": text,
            "given": given,
            "wrong": wrong.detail if wrong else "",
            "said": _said(visit),
        }
        return Shown(template="feeds.html", status=wrong.status if wrong else 200, says=says)

    async def show(self, visit: Visit) -> Shown:
        """Show one feed."""
        return await self._show(visit, "")

    async def poll(self, visit: Visit) -> Shown:
        """Poll it now, and say what came of it."""
        feed = self._feed(visit)
        try:
            came = await self._backstage.poll(feed)
        except MonitorError as error:
            came = str(error)
        return await self._show(visit, came)

    async def _show(self, visit: Visit, came: str) -> Shown:
        feed, ours = self._feed(visit), self._backstage.operations
        states = await ours.feeds.states([feed.id])
        facts = list(in_detail(feed, states.get(feed.id), ours.clock.now()))
        says = {
            "feed": feed,
            "facts": facts,
            "came": came,
            "made": feed.id not in ours.in_force().filed,
            "said": _said(visit),
        }
        return Shown(template="feed.html", says=says)

    def _feed(self, visit: Visit) -> Feed:
        wanted = visit.request.match_info["id"]
        feed = self._backstage.operations.in_force().feeds.get(wanted)
        if feed is None:
            raise ApiProblem(404, f"no feed {wanted!r}")
        return feed


def _said(visit: Visit) -> str:
    """Return what the button did that led here."""
    return visit.request.query.get("said", "")


def _line(feed: Feed, state: FeedState | None, now: datetime, *, made: bool) -> Line:
    return Line(
        feed=feed,
        word=in_a_word(state, now),
        news=ago(state.changed_at, now) if state else "",
        polled=ago(state.polled_at, now) if state else "",
        next=ahead(state.next_poll_at, now) if state else "",
        because=state.because if state else "",
        troubled=state is not None and (is_failing(state) or is_silent(state, now)),
        made=made,
    )
