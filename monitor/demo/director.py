"""Lets the newsroom publish, and shows what becomes of every piece, until all has come or the time is over."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from monitor.core.model import Article, ArticleKind, Match
from monitor.demo.newsroom import Newsroom
from monitor.demo.receivers import Receipt, article_path
from monitor.demo.script import Piece, Stale
from monitor.demo.show import Show
from monitor.demo.tally import Progress, Tally

_TICK = 0.1
_SETTLED = 1.0  # seconds after a match for which slower subscribers are waited for, so that one block tells all
SILENCE = 2.0  # four polls

_NO_RULE = "no rule matches"
_WHY = {
    Stale.EDIT: "an edit: already told",
    Stale.AGAIN: "a new guid: already known",
    Stale.COPY: "a copy: already told",
    Stale.LATE: "days old: slid back in",
}
_KNOWN = {Stale.AGAIN, Stale.LATE}  # these do not even reach the rules


@dataclass(frozen=True, slots=True)
class Sighting:
    """That an article reached the rules: from which feed, and whether as an edit."""

    feed: str
    path: str
    edited: bool


class Director:
    """Runs one performance. `see` and `receive` are called as things happen, on the event loop."""

    def __init__(
        self, newsroom: Newsroom, tally: Tally, show: Show, silence: float = SILENCE
    ) -> None:
        """Take it for settled that nothing comes of a piece `silence` seconds after its appearance."""
        self._newsroom = newsroom
        self._tally = tally
        self._silence = silence
        self._show = show
        self._sightings: dict[Sighting, bool] = {}
        self._open: list[Piece] = []
        self._entered = 0
        self._troubles = 0
        self._refusals: list[Receipt] = []
        self._told: dict[str, set[str]] = {}
        self.quiet: Counter[str] = Counter()

    def see(self, article: Article, matches: tuple[Match, ...]) -> None:
        """Note that an article was held against the rules."""
        self._enter()
        path = article_path(article.url, self._newsroom.site)
        edited = article.kind is ArticleKind.EDITED
        self._sightings[Sighting(article.feed_id, path, edited)] = bool(matches)
        self._tally.match(path, article, matches, self._newsroom.elapsed)

    def receive(self, receipt: Receipt) -> None:
        """Note what came to a subscriber."""
        self._enter()
        self._tally.receive(receipt, self._newsroom.elapsed)
        if receipt.refused:
            self._refusals.append(receipt)

    async def play(self, seconds: float) -> None:
        """Begin; return when everything has come, or when `seconds` are over."""
        self._newsroom.begin()
        while not self._is_over() and self._newsroom.elapsed < seconds:
            await asyncio.sleep(_TICK)
            self._tick()

    def status(self) -> str:
        """Say in a line how things stand."""
        articles = list(self._tally.articles())
        alerts = sum(len(self._tally.latencies(each.id)) for each in self._tally.subscribers)
        return (
            f"{self._newsroom.elapsed:.0f} s  articles published: {self._entered}, "
            f"matched: {sum(1 for each in articles if each.matches)}, alerts delivered: {alerts}"
        )

    def complaints(self) -> list[str]:
        """Say everything that is not as it should be."""
        unread = [
            f"{each.id} never came to the rules"
            for each in self._open
            if each.stale not in _KNOWN and _sighting_of(each) not in self._sightings
        ]
        return self._tally.missing() + self._tally.surplus() + unread

    def _is_over(self) -> bool:
        return self._newsroom.is_done and not self._open and not self._tally.missing()

    def _enter(self) -> None:
        """Note what has appeared by now; what comes of it may come before the next tick."""
        for piece in self._newsroom.published()[self._entered :]:
            self._entered += 1
            self._open.append(piece)
            self._tally.appear(piece, self._newsroom.appears_at(piece))

    def _tick(self) -> None:
        self._enter()
        for who, trouble in self._newsroom.troubles[self._troubles :]:
            self._troubles += 1
            self._show.trouble(self._newsroom.elapsed, who, trouble)
        for each in self._refusals:
            what = f"answers {each.refused}: the alert is kept, and tried again"
            self._show.trouble(self._newsroom.elapsed, each.subscriber, what)
        self._refusals.clear()
        self._open = [each for each in self._open if not self._is_settled(each)]
        self._tell_late()

    def _is_settled(self, piece: Piece) -> bool:
        """Tell what became of a piece, if that can be said by now."""
        matched = self._sightings.get(_sighting_of(piece))
        if piece.stale:
            silent = self._newsroom.was_read_since(piece, self._silence)
            if silent and (matched or piece.stale in _KNOWN):
                return self._ignore(piece, _WHY[piece.stale])
            return False
        if matched is None:
            return False
        progress = self._tally.of(piece.path)
        if not matched or progress is None:
            return self._ignore(piece, _NO_RULE)
        return self._tell(progress)

    def _ignore(self, piece: Piece, why: str) -> bool:
        self.quiet[why] += 1
        self._show.ignored(self._newsroom.elapsed, piece.title, why)
        return True

    def _tell(self, progress: Progress) -> bool:
        wanting = {each.id for each in self._tally.subscribers if each.wants(progress.found)}
        now = self._newsroom.elapsed
        if not wanting <= progress.arrivals.keys() and now < progress.matched_at + _SETTLED:
            return False
        self._told[progress.piece.path] = {
            each for each in wanting if progress.latency(each) is not None
        }
        self._show.told(now, progress, self._tally.subscribers)
        return True

    def _tell_late(self) -> None:
        for path, told in self._told.items():
            progress = self._tally.of(path)
            for who in self._tally.subscribers:
                if progress and who.id not in told and progress.latency(who.id) is not None:
                    told.add(who.id)
                    self._show.came_late(self._newsroom.elapsed, who, progress)


def _sighting_of(piece: Piece) -> Sighting:
    return Sighting(piece.feed, piece.path, piece.stale is Stale.EDIT)
