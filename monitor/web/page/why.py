"""`/articles/{id}`: what became of an article and why. `/stories/{id}`: who else tells its news."""

import asyncio
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitor import lookback
from monitor.core.account import Event
from monitor.core.chapter import Kept
from monitor.core.engine import Explanation, RuleSet
from monitor.core.model import Article, Rule
from monitor.core.stories import headline, story_of
from monitor.core.text import split
from monitor.core.trial import Trial
from monitor.errors import QueryError
from monitor.ports import Archive, Page
from monitor.web.api.operation import ApiProblem
from monitor.web.page.backstage import Backstage
from monitor.web.page.filters import Row, row_of
from monitor.web.page.frame import Visit
from monitor.web.page.site import Shown

_STORY_LASTS = timedelta(hours=72)
_MOST_ARTICLES = 200
_MOST_RULES = 10  # explained without being asked
_LONGEST_BODY = 20_000
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """A rule of an article: its tree, or that it is no more."""

    rule_id: str
    explanation: Explanation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An article with its story so far and its rules."""

    row: Row
    body: str
    events: Sequence[Event]
    whys: list[Why]


class WhyViews:
    """An article by itself, and among others."""

    def __init__(self, backstage: Backstage) -> None:
        """Ask the archive, the ledger and the rules in force."""
        self._backstage = backstage

    async def article(self, visit: Visit) -> Shown:
        """Tell everything about an article or a delivery; explain a rule that the address names as well."""
        ours, wanted = self._backstage.operations, visit.request.match_info["id"]
        found = await lookback.stories(
            ours.archive, ours.ledger, ours.in_force().routing.zone_of, wanted
        )
        if not found:
            gone = "what is old is gone, what came this moment is here in a second"
            raise ApiProblem(404, f"no article and no delivery {wanted!r}: {gone}")
        asked = visit.request.query.get("rule", "")
        in_force = ours.in_force()
        says = {
            "id": wanted,
            "told": [await self._tell(each, asked) for each in found[:_MOST_ARTICLES]],
            "rules": in_force.rules,
            "asked": asked,
        }
        return Shown(template="article.html", says=says)

    async def _tell(self, found: lookback.Story, asked: str) -> Told:
        article, matches = found.article, found.matches
        ids = list(
            dict.fromkeys([*([asked] if asked else []), *(each.rule_id for each in matches)])
        )
        rule_set = self._backstage.operations.in_force().rule_set
        whys = await asyncio.to_thread(_explain, rule_set, article, ids[:_MOST_RULES])
        body = article.body[:_LONGEST_BODY]
        return Told(row=row_of(article, matches), body=body, events=found.events, whys=whys)

    async def story(self, visit: Visit) -> Shown:
        """Show the articles of a story in the order in which they came, and its sources."""
        ours, wanted = self._backstage.operations, visit.request.match_info["id"]
        versions = await ours.archive.versions(wanted) if ours.archive else ()
        if not versions or ours.archive is None:
            raise ApiProblem(404, f"no article {wanted!r} is archived: what is old is gone")
        rules = ours.in_force().rule_set
        kept = await _story(ours.archive, versions[-1], rules)
        first = kept[0].article.seen_at or _ANY_TIME
        rows = [row_of(each.article, each.matches) for each in kept]
        sources = list(dict.fromkeys(row.view.source for row in rows))
        says = {"rows": rows, "sources": sources, "first": first}
        return Shown(template="story.html", says=says)


def _explain(rules: RuleSet, article: Article, ids: Sequence[str]) -> list[Why]:
    at = article.seen_at or article.published_at or _ANY_TIME
    return [
        Why(
            rule_id=id_,
            explanation=rules.explain(id_, article, at) if id_ in rules else None,
        )
        for id_ in ids
    ]


async def _story(archive: Archive, one: Kept, rules: RuleSet) -> list[Kept]:
    """Return the newest text of every article with this headline, within some days, oldest first."""
    seen_at, key = one.article.seen_at or _ANY_TIME, story_of(one.article)
    page = Page(since=seen_at - _STORY_LASTS, until=seen_at + _STORY_LASTS, limit=_MOST_ARTICLES)
    found = {one.article.id: one}
    try:
        rule = Rule(id="?", query=_query(one.article))
        trial = await asyncio.to_thread(Trial, rule, rules)
    except QueryError:  # no headline, or none that can be looked for
        return [one]
    async for each in lookback.search(archive, trial, page):
        if story_of(each.kept.article) == key:
            found.setdefault(each.kept.article.id, each.kept)
    return sorted(found.values(), key=lambda kept: kept.number)


def _query(article: Article) -> str:
    words = split(unicodedata.normalize("NFKC", headline(article)))
    return f'title:"{" ".join(word.folded for word in words if word.folded)}"'
