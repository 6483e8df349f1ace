"""Doubts about the rules of a configuration, each at its place in the file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.config.problems import at
from monitor.config.querypos import place_in
from monitor.config.rulebook import Rulebook
from monitor.config.rules import WrittenRule
from monitor.core.model import Article
from monitor.core.query import lint, parse
from monitor.core.query.lint import Lint, LintId, duplicates
from monitor.errors import Problem

_FEWEST_FOUND = 5  # fewer say nothing about a rule


@dataclass(frozen=True, slots=True)
class Doubt:
    """A doubt, and where it stands."""

    id: LintId
    problem: Problem


def doubts(
    book: Rulebook, now: datetime, articles: Sequence[Article] = (), *, most_percent: float = 20.0
) -> Iterator[Doubt]:
    """Yield the doubts about each rule, in the order of the files.

    With `articles`, a rule that finds more than `most_percent` of them, and not just a few, is doubted too.
    """
    expressions = {id_: parse(each.rule.query) for id_, each in book.written.items()}
    twins = dict(duplicates(expressions))
    found = _found(book, articles, now)
    for id_, each in book.written.items():
        about = [*lint(expressions[id_]), *_expired(each, now)]
        if id_ in twins:
            other = book.written[twins[id_]]
            where = f" in {other.document.file}" if other.document is not each.document else ""
            message = f"the rule '{id_}' asks for the same as '{twins[id_]}'{where}"
            about.append(_whole(LintId.DUPLICATE, message, "leave one out, or route it twice"))
        about += _too_much(id_, found.get(id_, 0), len(articles), most_percent)
        for doubt in about:
            place = place_in(each.document.lines, each.query, doubt.position)
            yield Doubt(doubt.id, at(each.document, place, doubt.message, doubt.hint))


def _found(book: Rulebook, articles: Sequence[Article], now: datetime) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for article in articles:
        for match in book.rules.match(article, now):
            found[match.rule_id] = found.get(match.rule_id, 0) + 1
    return found


def _expired(each: WrittenRule, now: datetime) -> Iterator[Lint]:
    expires = each.rule.expires_at
    if expires is not None and expires <= now:
        message = f"the rule '{each.rule.id}' has expired and finds nothing any more"
        yield _whole(LintId.EXPIRED, message, "remove it, or give it a later `expires`")


def _too_much(id_: str, found: int, articles: int, most_percent: float) -> Iterator[Lint]:
    if found >= _FEWEST_FOUND and 100 * found > most_percent * articles:
        message = f"the rule '{id_}' finds {found} of {articles} articles"
        hint = "ask for more at once, or for a place: title:, LEAD(), NEAR"
        yield _whole(LintId.MATCHES_TOO_MUCH, message, hint)


def _whole(id_: LintId, message: str, hint: str) -> Lint:
    return Lint(id_, message, 0, 1, hint)
