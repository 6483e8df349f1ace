"""`/feeds`: how feeds do, in words, and a poll by hand."""

from dataclasses import dataclass
from datetime import datetime

from monitor.core.model import Feed, FeedState
from monitor.core.standing import ago, ahead, in_a_word, in_detail, is_failing, is_silent
from monitor.errors import MonitorError
from monitor.web.api.operation import ApiProblem
from monitor.web.page.backstage import Backstage
from monitor.web.page.frame import Visit
from monitor.web.page.site import Shown

PER_PAGE = 200


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


class FeedViews:
    """Feeds: a list, and one."""

    def __init__(self, backstage: Backstage) -> None:
        """Show those in force."""
        self._backstage = backstage

    async def index(self, visit: Visit) -> Shown:
        """List feeds by name, those in trouble first; a text in the address picks some."""
        ours = self._backstage.operations
        text = visit.request.query.get("q", "").casefold()[:200]
        feeds = [
            feed
            for feed in ours.in_force().feeds.values()
            if text in f"{feed.id} {feed.name} {feed.url}".casefold()
        ]
        states = await ours.feeds.states([feed.id for feed in feeds])
        now = ours.clock.now()
        lines = [_line(feed, states.get(feed.id), now) for feed in feeds]
        lines.sort(key=lambda each: (not each.troubled, each.feed.name.casefold(), each.feed.id))
        troubled = sum(each.troubled for each in lines)
        says = {"lines": lines[:PER_PAGE], "count": len(lines), "troubled": troubled, "text": text}
        return Shown(template="feeds.html", says=says)

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
        return Shown(template="feed.html", says={"feed": feed, "facts": facts, "came": came})

    def _feed(self, visit: Visit) -> Feed:
        wanted = visit.request.match_info["id"]
        feed = self._backstage.operations.in_force().feeds.get(wanted)
        if feed is None:
            raise ApiProblem(404, f"no feed {wanted!r}")
        return feed


def _line(feed: Feed, state: FeedState | None, now: datetime) -> Line:
    return Line(
        feed=feed,
        word=in_a_word(state, now),
        news=ago(state.changed_at, now) if state else "",
        polled=ago(state.polled_at, now) if state else "",
        next=ahead(state.next_poll_at, now) if state else "",
        because=state.because if state else "",
        troubled=state is not None and (is_failing(state) or is_silent(state, now)),
    )
