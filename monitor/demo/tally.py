"""What was expected of the demo and what came: the difference is its exit code."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from monitor.core.model import Article, Match
from monitor.demo.cast import Subscriber
from monitor.demo.receivers import Receipt
from monitor.demo.script import Piece, alerting


@dataclass(slots=True)
class Arrival:
    """What became of one alert: when it was taken, after how many tries, and how often once more."""

    taken_at: float | None = None
    tries: int = 0
    refusals: list[str] = field(default_factory=list)
    extra: int = 0


@dataclass(slots=True)
class Progress:
    """How far one article has come: when it appeared, what was found in it, and who has it."""

    piece: Piece
    appeared_at: float
    article: Article | None = None
    matches: tuple[Match, ...] = ()
    matched_at: float = 0
    arrivals: dict[str, Arrival] = field(default_factory=dict)

    @property
    def found(self) -> frozenset[str]:
        """The rules that matched."""
        return frozenset(each.rule_id for each in self.matches)

    def latency(self, subscriber: str) -> float | None:
        """Return the seconds from appearance to arrival; None before that."""
        arrival = self.arrivals.get(subscriber)
        if arrival is None or arrival.taken_at is None:
            return None
        return arrival.taken_at - self.appeared_at


class Tally:
    """Follows every article from the newsroom to the receivers. Instants are of the event loop's clock."""

    def __init__(self, pieces: Sequence[Piece], subscribers: Sequence[Subscriber]) -> None:
        """Expect what the script says."""
        self.subscribers = subscribers
        self.expected = {
            (each.id, piece.path)
            for piece in alerting(pieces)
            for each in subscribers
            if each.wants(piece.rules)
        }
        self._progress: dict[str, Progress] = {}
        self._strays: list[Receipt] = []

    def appear(self, piece: Piece, at: float) -> None:
        """Note that a piece can be read from now on; one that repeats another is part of its progress."""
        self._progress.setdefault(piece.path, Progress(piece, at))

    def match(self, path: str, article: Article, matches: tuple[Match, ...], at: float) -> None:
        """Note what was found in an article when it was seen first."""
        progress = self._progress.get(path)
        if progress and progress.article is None:
            progress.article, progress.matches, progress.matched_at = article, matches, at

    def receive(self, receipt: Receipt, at: float) -> None:
        """Note what came to a subscriber."""
        progress = self._progress.get(receipt.path)
        if progress is None:
            self._strays.append(receipt)
            return
        arrival = progress.arrivals.setdefault(receipt.subscriber, Arrival())
        arrival.tries = max(arrival.tries, receipt.tries)
        if receipt.refused:
            arrival.refusals.append(receipt.refused)
        elif arrival.taken_at is None:
            arrival.taken_at = at
        else:
            arrival.extra += 1

    def of(self, path: str) -> Progress | None:
        """Return how far an article has come; None for one that has not appeared."""
        return self._progress.get(path)

    def articles(self) -> Iterable[Progress]:
        """Return all that have appeared, in that order."""
        return self._progress.values()

    def arrivals(self, subscriber: str) -> list[Arrival]:
        """Return what became of each alert to a subscriber."""
        found = (each.arrivals.get(subscriber) for each in self._progress.values())
        return [each for each in found if each]

    def latencies(self, subscriber: str) -> list[float]:
        """Return the seconds from appearance to arrival, for each alert that a subscriber has."""
        found = (each.latency(subscriber) for each in self._progress.values())
        return [each for each in found if each is not None]

    def missing(self) -> list[str]:
        """Say which alerts have not come."""
        absent = sorted(self.expected - self._came())
        return [f"{who} has no alert of {path}" for who, path in absent]

    def surplus(self) -> list[str]:
        """Say which alerts should not have come, or not a second time."""
        unexpected = [
            f"{who} has an alert of {path}, which it should not have"
            for who, path in sorted(self._came() - self.expected)
        ]
        again = [
            f"{who} was told {arrival.extra + 1} times of {path}"
            for path, each in self._progress.items()
            for who, arrival in each.arrivals.items()
            if arrival.extra
        ]
        strays = [
            f"{each.subscriber} has an alert of nothing we published" for each in self._strays
        ]
        return unexpected + again + strays

    def _came(self) -> set[tuple[str, str]]:
        return {
            (who.id, path)
            for path, each in self._progress.items()
            for who in self.subscribers
            if each.latency(who.id) is not None
        }
