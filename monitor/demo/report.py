"""The words at the beginning and at the end: what is going on, and what came of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from monitor.config.settings import Settings
from monitor.core.outcome import Suppression
from monitor.core.wording import counted
from monitor.demo.cast import Subscriber
from monitor.demo.newsroom import Newsroom
from monitor.demo.script import Outlet, Piece
from monitor.demo.tally import Tally
from monitor.ports import Census
from monitor.telemetry import Metrics

Facts = list[tuple[str, RenderableType]]


def introduce(
    settings: Settings,
    outlets: Sequence[Outlet],
    subscribers: Sequence[Subscriber],
    site: str,
    config: Path,
    census: Census,
    rule_names: Callable[[Iterable[str]], Text],
) -> Facts:
    """Return what is going on and where things are: a name and what it says, for each part."""
    rules, told = _columns(2), _columns(3)
    for rule in settings.rules:
        rules.add_row(rule_names([rule.id]), rule.query)
    for who in subscribers:
        told.add_row(who.id, who.channel, rule_names(sorted(who.rules)))
    languages = len({each.lang for each in outlets})
    return [
        (
            "Newsroom",
            Text(f"{counted(len(outlets), 'feed')} in {counted(languages, 'language')} at {site}"),
        ),
        ("Store", Text(f"{census.server}, embedded, on a socket of its own")),
        ("Rules", rules),
        ("Subscribers", told),
        ("Config", Text(f"{config} (while this runs)")),
    ]


def summarise(
    outlets: Sequence[Outlet],
    newsroom: Newsroom,
    tally: Tally,
    quiet: Mapping[str, int],
    metrics: Metrics,
) -> Facts:
    """Return how much was published, who was told of it how fast, and what was kept quiet."""
    return [
        ("Published", Text(_published(outlets, newsroom.published()))),
        ("Polled", Text(_polled(newsroom.requests))),
        ("Matched", Text(_matched(tally))),
        ("Delivered", _delivered(tally)),
        ("Retried", Text(_retried(tally))),
        ("Kept quiet", _quiet(quiet, metrics)),
    ]


def _columns(count: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(count - 1):
        grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _published(outlets: Sequence[Outlet], published: Sequence[Piece]) -> str:
    lang = {each.id: each.lang for each in outlets}
    languages = {lang[each.feed] for each in published}
    return f"{len(published)} articles in {len(languages)} languages by {len(outlets)} feeds (RSS, Atom, JSON Feed)"


def _polled(requests: Mapping[int, int]) -> str:
    words = {200: "with a document", 304: "not modified", 503: "busy"}
    parts = [
        f"{count} {words.get(status, str(status))}" for status, count in sorted(requests.items())
    ]
    return f"{sum(requests.values())} requests: {', '.join(parts)}"


def _matched(tally: Tally) -> str:
    found = [each.found for each in tally.articles() if each.found]
    rules = Counter(rule for each in found for rule in each)
    parts = ", ".join(f"{rule} {count}" for rule, count in sorted(rules.items()))
    return f"{counted(len(found), 'article')}: {parts}"


def _delivered(tally: Tally) -> Table:
    table = Table("to", "by", "alerts", "median", "slowest", box=None, padding=(0, 2, 0, 0))
    for who in tally.subscribers:
        latencies = tally.latencies(who.id)
        table.add_row(
            who.id,
            who.channel,
            f"{len(latencies)} of {sum(1 for each, _ in tally.expected if each == who.id)}",
            f"{median(latencies):.1f} s" if latencies else "-",
            f"{max(latencies):.1f} s" if latencies else "-",
        )
    return table


def _retried(tally: Tally) -> str:
    arrivals = [(who.id, each) for who in tally.subscribers for each in tally.arrivals(who.id)]
    delivered = Counter(
        who for who, each in arrivals if each.refusals and each.taken_at is not None
    )
    parts = [
        f"{who} {count}, refused at first and delivered on another try"
        for who, count in delivered.items()
    ]
    return ", ".join(parts) or "none"


def _quiet(quiet: Mapping[str, int], metrics: Metrics) -> Table:
    table = _columns(2)
    for why, count in quiet.items():
        table.add_row(str(count), why)
    labels = {"reason": Suppression.BASELINE.value}
    backlog = metrics.registry.get_sample_value("monitor_suppressed_total", labels) or 0
    table.add_row(f"{backlog:.0f}", "there before the monitor: a new feed's backlog alerts nobody")
    return table
