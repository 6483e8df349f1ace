"""What was expected of the demo and what came: the difference is its exit code."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from monitor.core.model import Article, Match
from monitor.demo.cast import Subscriber
from monitor.demo.receivers import Receipt
from monitor.demo.script import Piece, alerting


@dataclass(slots=True)
class Arrival:
    """What became of one alert: when it was taken, after how many tries; `refusals` came before that."""

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
    arrivals: dict[str, Arrival] = field(default_factory=dict)

    @property
    def found(self) -> frozenset[str]:
        """The rules that matched."""
        return frozenset(each.rule_id for each in self.matches)


class Tally:
    """Follows every article from the newsroom to the receivers. Instants are of the event loop's clock."""

    def __init__(self, pieces: Sequence[Piece], subscribers: Sequence[Subscriber]) -> None:
        self.subscribers = subscribers
        self.expected = {
            (each.id, piece.path)
            for piece in alerting(pieces)
            for each in subscribers
            if each.wants(piece.rules)
        }
        self._progress: dict[str, Progress] = {}
        self.strays: list[Receipt] = []

    def appear(self, piece: Piece, at: float) -> None:
        """Note that an article can be read from now on."""
        self._progress[piece.path] = Progress(piece, at)

    def match(self, path: str, article: Article, matches: tuple[Match, ...]) -> None:
        """Note what was found in an article; an edit adds nothing."""
        progress = self._progress.get(path)
        if progress and not progress.article:
            progress.article, progress.matches = article, matches

    def receive(self, receipt: Receipt, at: float) -> None:
        """Note what came to a subscriber."""
        progress = self._progress.get(receipt.path)
        if progress is None:
            self.strays.append(receipt)
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
        """Return how far an article has come."""
        return self._progress.get(path)

    def articles(self) -> Iterable[Progress]:
        """Return all that has appeared, in that order."""
        return self._progress.values()

    def taken(self, subscriber: str) -> list[Progress]:
        """Return what a subscriber has."""
        return [
            each
            for each in self._progress.values()
            if (arrival := each.arrivals.get(subscriber)) and arrival.taken_at is not None
        ]

    def latencies(self, subscriber: str) -> list[float]:
        """Return the seconds from appearance to arrival, for each alert that a subscriber has."""
        return [
            taken_at - each.appeared_at
            for each in self.taken(subscriber)
            if (taken_at := each.arrivals[subscriber].taken_at) is not None
        ]

    def missing(self) -> list[str]:
        """Say which alerts have not come."""
        came = self._came()
        return [f"{who} has no alert of {path}" for who, path in sorted(self.expected - came)]

    def surplus(self) -> list[str]:
        """Say which alerts should not have come, or not a second time."""
        unexpected = [
            f"{who} has an alert of {path} that it should not have"
            for who, path in sorted(self._came() - self.expected)
        ]
        twice = [
            f"{who} was told of {each.piece.path} {arrival.extra + 1} times"
            for each in self._progress.values()
            for who, arrival in each.arrivals.items()
            if arrival.extra
        ]
        strays = [f"{each.subscriber} has an alert of no article of ours" for each in self.strays]
        return unexpected + twice + strays

    def _came(self) -> set[tuple[str, str]]:
        return {
            (who.id, each.piece.path) for who in self.subscribers for each in self.taken(who.id)
        }


def spread(latencies: Sequence[float]) -> str:
    """Return median and greatest, in words."""
    if not latencies:
        return "-"
    return f"{median(latencies):.2f} s, at most {max(latencies):.2f} s"
