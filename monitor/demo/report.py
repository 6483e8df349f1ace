"""The closing summary: how much was published, who was told of it how fast, and what was kept quiet."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from monitor.demo.script import Outlet, Piece
from monitor.demo.tally import Tally


def summarise(
    outlets: Sequence[Outlet],
    published: Sequence[Piece],
    requests: Mapping[int, int],
    tally: Tally,
    quiet: Mapping[str, int],
) -> list[tuple[str, RenderableType]]:
    """Return the parts of the summary: a name and what it says."""
    return [
        ("Published", Text(_published(outlets, published))),
        ("Polled", Text(_polled(requests))),
        ("Matched", Text(_matched(tally))),
        ("Delivered", _delivered(tally)),
        ("Kept quiet", _quiet(quiet)),
    ]


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
    return f"{len(found)} articles: {parts}"


def _delivered(tally: Tally) -> Table:
    table = Table("to", "by", "alerts", "median", "slowest", "", box=None, padding=(0, 2, 0, 0))
    for who in tally.subscribers:
        latencies = tally.latencies(who.id)
        refused = [each for each in tally.arrivals(who.id) if each.refusals]
        table.add_row(
            who.id,
            who.channel,
            f"{len(latencies)} of {sum(1 for each, _ in tally.expected if each == who.id)}",
            f"{median(latencies):.1f} s" if latencies else "-",
            f"{max(latencies):.1f} s" if latencies else "-",
            _retried(sum(len(each.refusals) for each in refused), len(refused)),
        )
    return table


def _retried(refusals: int, alerts: int) -> str:
    if not refusals:
        return ""
    return f"{refusals} refusals (503) of {alerts} alerts: retried, delivered"


def _quiet(quiet: Mapping[str, int]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    table.add_column()
    for why, count in quiet.items():
        table.add_row(str(count), why)
    return table
