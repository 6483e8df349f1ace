"""`monitor routes`: who is told of what, when, and why the others are not."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from monitor.app.everyone import with_made
from monitor.app.parts import StoreParts, open_store_parts
from monitor.cli.articles import one_article
from monitor.cli.options import config_option, instant_option, load_settings
from monitor.cli.output import text_console
from monitor.cli.routeviews import desk_table, told_by, tree_of_routes, trial_trees
from monitor.cli.trees import print_tree
from monitor.config.settings import Settings
from monitor.config.values import nearest
from monitor.core.inhibition import asked
from monitor.core.matchers import Subject
from monitor.core.model import Article, Match, MatchedArticle, Severity, Span
from monitor.core.notice import OWN_SEVERITIES
from monitor.core.telling import Circumstances, aloud, answers, own_traces
from monitor.core.wording import format_duration
from monitor.ports import RecordKind
from monitor.registry import CHOICES, SILENCES, SOURCES, Roster

_FAILED = 1
_NOBODY = "nobody"
_OF_ARTICLE = ("lang", "country", "category", "title")


@click.group()
def routes() -> None:
    """Show and try who is told of what."""


@routes.command()
@config_option
def show(config: Path) -> None:
    """Draw the tree of routes, the subscribers, and what inhibits what."""
    settings = load_settings(config)
    table = settings.routing
    print_tree(tree_of_routes(table.tree))
    console = text_console()
    if table.desks:
        console.print()
        console.print(desk_table(table.desks))
    for rule in table.inhibit:
        equal = f", for the same {', '.join(rule.equal)}" if rule.equal else ""
        click.echo(f"inhibition: {rule}{equal}, within {format_duration(rule.window)}")


@routes.command()
@config_option
@instant_option("--at", "As of this instant instead of now.")
@click.option(
    "--expect",
    metavar="SUBSCRIBERS",
    help=f"Exit 1 unless exactly these are told, at once or later; with commas, or `{_NOBODY}`.",
)
@click.option("--offline", is_flag=True, help="Do not ask the store for silences.")
@click.argument("about", nargs=-1, required=True, metavar="ARTICLE|LABEL...")
def test(
    config: Path, at: datetime | None, expect: str | None, offline: bool, about: tuple[str, ...]
) -> None:
    """Print who would be told of an article or a match, when, and why the others would not.

    ARTICLE is a file with a JSON object or a text, whose first line is the title; `-` is standard input.
    It goes to those who are told of the rules that find it.
    LABELs are such as rule=syria severity=critical lang=en feed=bbc-world entity=lavrov; what is left out is that
    of the rule and of the feed. Silences, and what was made while it runs, are those of the store, if there is one.
    """
    settings, now = load_settings(config), at or datetime.now(UTC)
    asked_about, store = _read(about), settings.store
    if offline or not (store.url or store.directory.is_dir()):
        matched = _matched(asked_about, settings, now)
        around = Circumstances(remembered=_own(settings, matched, now))
    else:
        settings, matched, around = asyncio.run(_tried(settings, asked_about, now))
    if not matched.matches:
        click.echo("no rule finds this article: nobody is told")
        _verify(expect, frozenset(), settings)
        return
    given = tuple(answers(settings.routing, around, matched, now))
    for tree in trial_trees(settings.routing, matched, given, now):
        print_tree(tree)
        click.echo()
    told = told_by(given)
    click.echo(f"told: {', '.join(sorted(told)) or _NOBODY}")
    _verify(expect, told, settings)


def _verify(expect: str | None, told: frozenset[str], settings: Settings) -> None:
    if expect is None:
        return
    wanted = {name.strip() for name in expect.split(",")} - {"", _NOBODY}
    for name in wanted - settings.routing.desks.keys():
        hint = nearest(name, settings.routing.desks)
        raise click.UsageError(f"there is no subscriber '{name}'" + (f" ({hint})" if hint else ""))
    missing, extra = sorted(wanted - told), sorted(told - wanted)
    if missing:
        click.echo(f"expected and not told: {', '.join(missing)}")
    if extra:
        click.echo(f"told and not expected: {', '.join(extra)}")
    if missing or extra:
        sys.exit(_FAILED)


# --- what it is about ---


@dataclass(frozen=True, slots=True)
class _Labels:
    """What is said of a match that there is no article of."""

    values: Mapping[str, str]
    entities: tuple[str, ...]


def _read(about: tuple[str, ...]) -> Article | _Labels:
    if len(about) == 1 and "=" not in Path(about[0]).name:
        return one_article(Path(about[0]))
    labels: dict[str, str] = {}
    entities = []
    for each in about:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise click.UsageError(f"'{each}' is not a label such as rule=syria")
        if name == "entity":
            entities.append(value)
        elif name in labels:
            raise click.UsageError(f"the label '{name}' is given twice")
        else:
            labels[name] = value
    return _Labels(labels, tuple(entities))


def _matched(about: Article | _Labels, settings: Settings, now: datetime) -> MatchedArticle:
    if isinstance(about, Article):
        return MatchedArticle(article=about, matches=settings.rule_set.match(about, now))
    labels = dict(about.values)
    article = _article(labels, settings)
    match = _match(labels, about.entities, article, settings)
    return MatchedArticle(article=article, matches=(match,))


def _article(labels: dict[str, str], settings: Settings) -> Article:
    feed_id = labels.pop("feed", "")
    feed = next((each for each in settings.feeds if each.id == feed_id), None)
    if feed_id and feed is None:
        hint = nearest(feed_id, [each.id for each in settings.feeds])
        raise click.UsageError(f"there is no feed '{feed_id}'" + (f" ({hint})" if hint else ""))
    said = {name: labels.pop(name, None) for name in _OF_ARTICLE}
    return Article(
        id=labels.pop("article", "test"),
        feed_id=feed_id,
        title=said["title"] or "",
        lang=said["lang"] or (feed.lang if feed else None),
        country=said["country"] or (feed.country if feed else None),
        category=said["category"] or (feed.category if feed else None),
        feed_name=feed.name if feed else "",
    )


def _match(
    labels: dict[str, str], entities: tuple[str, ...], article: Article, settings: Settings
) -> Match:
    rule_id, severity = labels.pop("rule", ""), labels.pop("severity", "")
    rule = next((each for each in settings.rules if each.id == rule_id), None)
    if rule_id and rule is None and rule_id not in OWN_SEVERITIES:
        hint = nearest(rule_id, [*(each.id for each in settings.rules), *OWN_SEVERITIES])
        raise click.UsageError(f"there is no rule '{rule_id}'" + (f" ({hint})" if hint else ""))
    if severity and severity not in list(Severity):
        raise click.UsageError(f"a severity is {', '.join(Severity)}, not '{severity}'")
    spans = tuple(
        Span(field="title", start=0, end=0, text=name, part=f"entity:{name}") for name in entities
    )
    least = rule.severity if rule else OWN_SEVERITIES.get(rule_id, Severity.INFO)
    return Match(
        rule_id=rule_id,
        article_id=article.id,
        rule_name=rule.name if rule else "",
        severity=Severity(severity) if severity else least,
        labels={**(rule.labels if rule else {}), **labels},
        spans=spans,
    )


# --- what else counts ---


async def _tried(
    settings: Settings, about: Article | _Labels, now: datetime
) -> tuple[Settings, MatchedArticle, Circumstances]:
    """Return what is in force, what it is about, and what the store says of that."""
    async with open_store_parts(settings) as parts:
        named = {} if isinstance(about, Article) else about.values
        feeds = [named["feed"]] if named.get("feed") else []
        settings = await with_made(settings, parts.registry, feeds)
        matched = _matched(about, settings, now)
        silences, choices = Roster(parts.registry, SILENCES), Roster(parts.registry, CHOICES)
        await silences.refresh()
        await choices.refresh()
        remembered = await _remembered(parts, settings, matched)
        around = Circumstances(
            silences=tuple(silences.values.values()),
            choices=choices.values,
            remembered={**remembered, **_own(settings, matched, now)},
        )
        return settings, matched, around


def _own(settings: Settings, matched: MatchedArticle, now: datetime) -> dict[str, datetime]:
    """Return what the matches themselves inhibit."""
    heard = aloud(settings.routing, matched)
    own = own_traces(settings.routing.inhibit, heard, now)
    return {trace.key: at for trace, at in own.items()}


async def _remembered(
    parts: StoreParts, settings: Settings, matched: MatchedArticle
) -> dict[str, datetime]:
    found = {}
    for match in matched.matches:
        for key in asked(settings.routing.inhibit, Subject(matched.article, match)):
            record = await parts.registry.get(RecordKind.INHIBITION, key)
            if record:
                found[key] = SOURCES.decode(record.value).came_at
    return found
