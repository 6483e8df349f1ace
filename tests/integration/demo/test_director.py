"""The director with a pipeline of twenty lines, which can be told to fail."""

import asyncio
from collections.abc import Callable
from io import StringIO

import aiohttp
from rich.console import Console

from monitor.core.model import ArticleKind
from monitor.demo.cast import Subscriber
from monitor.demo.director import Director
from monitor.demo.newsroom import Newsroom, open_newsroom
from monitor.demo.receivers import Receipt
from monitor.demo.script import Outlet, Piece, Stale
from monitor.demo.show import Show
from monitor.demo.tally import Tally
from tests.factories import article, match

DESK = Subscriber(id="desk", channel="webhook", rules=frozenset({"talks"}))
FAST, SLOW = 0.05, 0.2
OUTLET = Outlet(id="world", name="World", lang="en")


def piece(name: str, at: float, title: str, **changes: object) -> Piece:
    fields = {"id": name, "feed": "world", "path": f"/world/{name}", "title": title, "at": at}
    return Piece(**{"summary": ""} | fields | changes)  # type: ignore[arg-type]


TALKS = frozenset({"talks"})
ONE = piece("one", 0, "Talks begin", rules=TALKS)
NOISE = piece("noise", 10, "A goal in the rain")
EDIT = piece(
    "one-edited", 30, "Talks go on", path="/world/one", rules=TALKS, repeats="one", stale=Stale.EDIT
)
PIECES = (ONE, NOISE, EDIT)


class Performance:
    """A director at work, and a pipeline that does for each piece what `act` says."""

    def __init__(self, act: Callable[["Performance", Piece], None]) -> None:
        self.out = StringIO()
        self.newsroom = Newsroom([OUTLET], PIECES, [], FAST)
        self.tally = Tally(PIECES, [DESK])
        show = Show(Console(file=self.out, width=80), ["talks"], {"world": OUTLET})
        self.director = Director(self.newsroom, self.tally, show, silence=SLOW)
        self.act = act

    def see(self, each: Piece, *, found: bool) -> None:
        kind = ArticleKind.EDITED if each.stale is Stale.EDIT else ArticleKind.NEW
        url = f"{self.newsroom.site}{each.path}"
        it = article(title=each.title, url=url, feed_id=each.feed, kind=kind)
        self.director.see(it, (match(spans=()),) if found else ())

    def deliver(self, each: Piece, **changes: object) -> None:
        fields: dict[str, object] = {"subscriber": "desk", "path": each.path}
        self.director.receive(Receipt(**fields | changes))  # type: ignore[arg-type]

    async def play(self, seconds: float) -> list[str]:
        async with open_newsroom(self.newsroom), aiohttp.ClientSession() as session:
            done: set[str] = set()
            playing = asyncio.ensure_future(self.director.play(seconds))
            while not playing.done():
                async with session.get(f"{self.newsroom.site}{OUTLET.path}"):
                    pass
                await asyncio.sleep(0.01)
                for each in self.newsroom.published():
                    if each.id not in done:
                        done.add(each.id)
                        self.act(self, each)
            await playing
        return self.director.complaints()


def as_it_should(performance: Performance, each: Piece) -> None:
    performance.see(each, found=bool(each.rules))
    if each is ONE:
        performance.deliver(each)


async def test_all_is_well_when_each_alert_comes_once() -> None:
    performance = Performance(as_it_should)
    assert await performance.play(20) == []
    text = performance.out.getvalue()
    assert "World · en" in text
    assert "→ desk" in text
    assert [line.split("s  ")[1] for line in text.splitlines() if "no rule" in line] == [
        "A goal in the rain" + " " * 39 + "no rule matches"
    ]
    assert performance.director.quiet == {"no rule matches": 1, "an edit: already told": 1}
    assert performance.director.status().endswith(
        "articles published: 3, matched: 1, alerts delivered: 1"
    )


async def test_a_lost_alert_is_named_when_the_time_is_over() -> None:
    def lose(performance: Performance, each: Piece) -> None:
        performance.see(each, found=bool(each.rules))

    assert await Performance(lose).play(0.5) == ["desk has no alert of /world/one"]


async def test_an_alert_of_an_edit_is_named() -> None:
    def repeat(performance: Performance, each: Piece) -> None:
        as_it_should(performance, each)
        if each is EDIT:
            performance.deliver(each)

    assert await Performance(repeat).play(20) == ["desk was told 2 times of /world/one"]


async def test_an_alert_of_noise_is_named() -> None:
    def chatter(performance: Performance, each: Piece) -> None:
        as_it_should(performance, each)
        if each is NOISE:
            performance.deliver(each)

    assert await Performance(chatter).play(20) == [
        "desk has an alert of /world/noise, which it should not have"
    ]


async def test_what_never_came_to_the_rules_is_named() -> None:
    def forget(performance: Performance, each: Piece) -> None:
        if each is not NOISE:
            as_it_should(performance, each)

    assert await Performance(forget).play(0.5) == ["noise never came to the rules"]


async def test_an_alert_that_was_refused_first_is_shown_when_it_comes() -> None:
    def late(performance: Performance, each: Piece) -> None:
        performance.see(each, found=bool(each.rules))
        if each is ONE:
            performance.deliver(each, refused="503")
        if each is EDIT:
            loop = asyncio.get_running_loop()
            loop.call_later(SLOW, lambda: performance.deliver(ONE, tries=2))

    performance = Performance(late)
    assert await performance.play(20) == []
    text = performance.out.getvalue()
    assert "! desk 503" in text
    assert "→ desk has it on try 2: Talks begin" in text
