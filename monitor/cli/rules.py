"""`monitor rules`: write, try and mend rules. Needs no store."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import click
from rich.text import Text
from rich.tree import Tree

from monitor.cli.articles import articles_in, one_article, read_file
from monitor.cli.match import match_row
from monitor.cli.options import config_option
from monitor.cli.output import text_console
from monitor.config.explain import explain_problem
from monitor.config.rulebook import Rulebook, load_rulebook
from monitor.config.rulelint import doubts
from monitor.config.rules import examples, explain_example, failed_example
from monitor.config.values import nearest
from monitor.core.engine import Explanation
from monitor.core.model import Span
from monitor.core.query import dialects, parse, rule_version, to_text
from monitor.core.wording import counted
from monitor.errors import ConfigError, Problem, QueryError

_FAILED = 1
_MOST_SPANS = 5  # of one node, in the output for a person
_LONGEST_TEXT = 60


class _Rules(click.Group):
    """The commands of this file, and the one that needs the archive, whose libraries the others do without."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the alphabet."""
        return sorted([*super().list_commands(ctx), "backtest"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import `backtest` when it is asked for."""
        if cmd_name == "backtest":
            command: click.Command = import_module("monitor.cli.backtest").backtest
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Rules)
def rules() -> None:
    """Write, try and mend rules."""


@rules.command()
@config_option
@click.option("--strict", is_flag=True, help="Exit 1 if there is a doubt.")
@click.option(
    "--articles",
    "samples",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Articles of which no rule should find too many (a feed, JSON lines or a text); may be given again.",
)
@click.option(
    "--archived",
    is_flag=True,
    help="Take the articles of the last seven days in the archive, the newest 10,000 at most.",
)
@click.option(
    "--most",
    "most_percent",
    type=click.FloatRange(0, 100),
    default=20.0,
    show_default=True,
    help="How many of them are too many, in percent.",
)
def lint(
    config: Path, strict: bool, samples: tuple[Path, ...], archived: bool, most_percent: float
) -> None:
    """List what the rules say without being wrong, but hardly mean."""
    book = load_rulebook(config)
    articles = [article for path in samples for article in articles_in(path)]
    if archived:
        articles += import_module("monitor.cli.archived").newest_articles(config)
    now = datetime.now(UTC)
    found = tuple(doubts(book, now, articles, most_percent=most_percent))
    for doubt in found:
        click.echo(f"{explain_problem(doubt.problem)}\n  [{doubt.id}]")
    click.echo(f"{counted(len(book.written), 'rule')}, {counted(len(found), 'doubt')}")
    if strict and found:
        sys.exit(_FAILED)


@rules.command()
@config_option
def test(config: Path) -> None:
    """Try the examples of every rule.

    Exit 1 if one contradicts its rule, and show why.
    """
    book = load_rulebook(config)
    tried = failed = 0
    for each in book.written.values():
        for example in examples(each):
            tried += 1
            explanation = explain_example(each, example, book.rules)
            if explanation.matched is not example.wanted:
                failed += 1
                click.echo(explain_problem(failed_example(each, example)))
                _print_tree(explanation)
    without = sum(not any(examples(each)) for each in book.written.values())
    tally = f"{counted(tried, 'example')} of {counted(len(book.written), 'rule')}: {failed} failed"
    click.echo(tally + (f"; rules without: {without}" if without else ""))
    if failed:
        sys.exit(_FAILED)


@rules.command()
@config_option
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
def match(config: Path, files: tuple[Path, ...]) -> None:
    """Print which configured rules find which articles.

    One JSON line for each match in FILEs. A FILE is a feed document (RSS, Atom, JSON Feed), JSON lines,
    or a text that is one article; `-` is standard input.
    """
    book = load_rulebook(config)
    now = datetime.now(UTC)
    for path in files:
        for article in articles_in(path):
            for found in book.rules.match(article, now):
                row = {"title": article.title, **match_row(found)}
                click.echo(json.dumps(row, ensure_ascii=False))


@rules.command()
@config_option
@click.argument("rule")
@click.argument("article", type=click.Path(path_type=Path))
def explain(config: Path, rule: str, article: Path) -> None:
    """Show why RULE finds ARTICLE or does not.

    Yes or no at every part of its query, and where. ARTICLE is a JSON object or a text, whose first line is the
    title; `-` is standard input. Exit 1 if it is not found.
    """
    book = load_rulebook(config)
    _known(book, rule)
    explanation = book.rules.explain(rule, one_article(article), datetime.now(UTC))
    _print_tree(explanation)
    if not explanation.matched:
        sys.exit(_FAILED)


@rules.command()
@config_option
@click.argument("rule", required=False)
def show(config: Path, rule: str | None) -> None:
    """Show rules, or one RULE, in canonical form."""
    book = load_rulebook(config)
    if rule:
        _known(book, rule)
    for id_ in [rule] if rule else book.written:
        query = book.written[id_].rule.query
        click.echo(f"{id_} (version {rule_version(query)})\n  {to_text(parse(query))}")


@rules.command()
@click.option("--from", "dialect", required=True, type=click.Choice(dialects.DIALECTS))
@click.option("--strict", is_flag=True, help="Print no query if something essential is lost.")
@click.argument("file", default="-", type=click.Path(path_type=Path))
def convert(dialect: str, strict: bool, file: Path) -> None:
    """Turn a query of another system into ours.

    What is lost or changed is told on standard error. Exit 1 if something essential is lost: then the new query finds
    other articles than the old one.
    """
    text = read_file(file).decode("utf-8-sig", errors="replace").strip()
    try:
        conversion = dialects.convert(dialect, text)
    except QueryError as error:
        problem = _in_text(file, text, error.position, error.message, error.hint)
        raise ConfigError((problem,)) from error
    _print_notes(conversion, file, text)
    if conversion.complete or not strict:
        click.echo(conversion.query)
    if not conversion.complete:
        sys.exit(_FAILED)


def _known(book: Rulebook, rule: str) -> None:
    if rule not in book.written:
        hint = nearest(rule, book.written)
        raise click.UsageError(f"there is no rule '{rule}'" + (f" ({hint})" if hint else ""))


# --- conversion ---


def _print_notes(conversion: dialects.Conversion, file: Path, text: str) -> None:
    for note in conversion.notes:
        kind = "lost" if note.essential else "changed"
        problem = _in_text(file, text, note.position, f"{kind}: {note.message}")
        click.echo(explain_problem(problem), err=True)


def _in_text(file: Path, text: str, position: int, message: str, hint: str = "") -> Problem:
    before, _, _ = text[:position].rpartition("\n")
    line = text.count("\n", 0, position)
    column = position - len(before) - (1 if line else 0) + 1
    excerpt = text.split("\n")[line]
    return Problem(str(file), line + 1, column, message, hint, excerpt)


# --- explanation ---


def _print_tree(explanation: Explanation) -> None:
    """Print a tree with lines for a terminal, and with blanks alone for a pipe."""
    if sys.stdout.isatty():
        text_console().print(tree(explanation))
        return
    for depth, node in _flat(explanation):
        click.echo("  " * depth + _said(node))


def tree(explanation: Explanation) -> Tree:
    """Return the explanation for a terminal."""

    def node(one: Explanation) -> Text:
        return Text(_said(one), style="green" if one.matched else "red")

    root = Tree(node(explanation))
    waiting = [(explanation, root)]
    while waiting:
        one, branch = waiting.pop()
        waiting += [(child, branch.add(node(child))) for child in one.children]
    return root


def _flat(explanation: Explanation) -> Iterator[tuple[int, Explanation]]:
    waiting = [(0, explanation)]
    while waiting:
        depth, node = waiting.pop()
        yield depth, node
        waiting += [(depth + 1, child) for child in reversed(node.children)]


def _said(node: Explanation) -> str:
    score = f"  score {node.score}" if node.score is not None else ""
    places = tuple(dict.fromkeys(map(_place, node.spans)))
    spans = ", ".join(places[:_MOST_SPANS])
    more = len(places) - _MOST_SPANS
    where = f"  [{spans}{f', {more} more' if more > 0 else ''}]" if spans else ""
    return f"{'yes' if node.matched else 'no '} {node.text}{score}{where}"


def _place(span: Span) -> str:
    # What a feed sends must not steer a terminal.
    text = " ".join("".join(c if c.isprintable() else " " for c in span.text).split())
    short = text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
    return f"{span.field} {span.start}-{span.end} “{short}”"
