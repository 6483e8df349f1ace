"""`monitor rules backtest`: what a rule would have found."""

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console

from monitor import lookback
from monitor.cli.archived import article_lines, open_archive_of, since_option, until_option
from monitor.cli.options import config_option, load_settings
from monitor.cli.output import text_console
from monitor.config.settings import Settings
from monitor.core.model import Rule
from monitor.core.rehearsal import Rehearsal
from monitor.core.trial import Difference, Trial
from monitor.core.wording import counted
from monitor.lookback import Backtest
from monitor.ports import Page

_ALL = 2**31
_BAR = 40
_LONGEST_CHART = 62  # days
_DAY = timedelta(days=1)


@click.command()
@config_option
@since_option
@until_option
@click.option("--against", metavar="RULE", help="Compare with a configured rule: gained and lost.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(0, 10_000))
@click.argument("query_or_rule")
def backtest(
    config: Path,
    since: datetime,
    until: datetime | None,
    against: str | None,
    limit: int,
    query_or_rule: str,
) -> None:
    """Show what a query or a configured rule would have found in the archive.

    How many articles and stories a day, how many alerts by the routes in force, and the newest. A configured
    rule is compared with what it found when the articles came; `--against` compares with another rule.
    """
    settings = load_settings(config)
    rules = {rule.id: rule for rule in settings.rules}
    if against and against not in rules:
        raise click.UsageError(f"there is no rule '{against}'")
    rule = rules.get(query_or_rule) or Rule(id="trial", query=query_or_rule)
    trial = Trial(rule, settings.rule_set)
    other = rule.id if rule.id in rules else None
    compared = Trial(rules[against], settings.rule_set) if against else other
    page = Page(since=since, until=until, limit=_ALL)
    report = asyncio.run(_try(settings, trial, page, limit, compared))
    _print(text_console(), report, since, until)


async def _try(
    settings: Settings, trial: Trial, page: Page, limit: int, against: Trial | str | None
) -> Backtest:
    async with open_archive_of(settings) as archive:
        rehearsal = Rehearsal(settings.routing)
        return await lookback.backtest(archive, trial, page, limit, against, rehearsal)


def _print(console: Console, report: Backtest, since: datetime, until: datetime | None) -> None:
    tally = report.tally
    span = f"since {since:%Y-%m-%d %H:%M} UTC" + (
        f", before {until:%Y-%m-%d %H:%M}" if until else ""
    )
    console.print(
        f"{tally.articles} of {counted(report.seen, 'article')}, {counted(tally.stories, 'story', 'stories')},"
        f" {counted(report.alerts or 0, 'alert')}, {span}",
        style="bold",
    )
    days = tally.days(_days(since, until)) if tally.articles else ()
    most = max((each.articles for each in days), default=1)
    for each in days:
        bar = "█" * round(each.articles / most * _BAR)
        console.print(f"{each.day:%a %Y-%m-%d} {each.articles:6} {each.stories:6}  {bar}")
    if report.difference:
        _print_difference(console, report.difference, len(report.newest))
    for found in report.newest:
        console.print(*article_lines(found.kept.article, found.match), sep="\n")


def _print_difference(console: Console, difference: Difference, limit: int) -> None:
    gained, lost = difference.gained, difference.lost
    console.print(f"{len(gained)} gained, {len(lost)} lost", style="bold")
    for sign, articles in (("+", gained), ("-", lost)):
        for article in [*articles.values()][:limit]:
            console.print(f"{sign} {article_lines(article)[0]}")


def _days(since: datetime, until: datetime | None) -> list[date]:
    """Return the days from the first to the last, for a chart without holes; too many are left out."""
    first, last = since.date(), (until or datetime.now(since.tzinfo)).date()
    count = (last - first).days + 1
    return [first + n * _DAY for n in range(count)] if count <= _LONGEST_CHART else []
