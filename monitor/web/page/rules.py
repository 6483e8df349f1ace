"""`/rules`: the rules in force, how much each finds, where it is written, and whether its examples hold."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.model import Rule
from monitor.core.query import parse, to_text
from monitor.core.trial import Trial
from monitor.errors import ArchiveError
from monitor.web.api.operation import ApiProblem
from monitor.web.page.backstage import Backstage
from monitor.web.page.editor import tried
from monitor.web.page.frame import Visit
from monitor.web.page.site import Shown

_PER_PAGE = 200
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A rule in the list, with how many articles it found."""

    rule: Rule
    day: int
    week: int
    expired: bool
    made: bool
    error: str


class RuleViews:
    """Rules: a list, and one."""

    def __init__(self, backstage: Backstage) -> None:
        """Show those in force."""
        self._backstage = backstage

    async def index(self, visit: Visit) -> Shown:
        """List those that cannot be used, then rules in the order of the files; a text in the address picks some."""
        ours, now = self._backstage.operations, self._backstage.operations.clock.now()
        text = visit.request.query.get("q", "").casefold()[:200]
        current = ours.in_force()
        rules = [
            rule
            for rule in (*(each.rule for each in current.left_out.values()), *current.rules)
            if text in f"{rule.id} {rule.name} {rule.owner} {rule.query}".casefold()
        ]
        day, week = await self._found(now - _DAY), await self._found(now - _WEEK)
        lines = [
            Line(
                rule=rule,
                day=day.get(rule.id, 0),
                week=week.get(rule.id, 0),
                expired=rule.expires_at is not None and rule.expires_at <= now,
                made=rule.id in current.made,
                error=current.left_out[rule.id].why if rule.id in current.left_out else "",
            )
            for rule in rules[:_PER_PAGE]
        ]
        says = {"lines": lines, "count": len(rules), "text": text, "said": _said(visit)}
        return Shown(template="rules.html", says=says)

    async def _found(self, since: datetime) -> Mapping[str, int]:
        archive = self._backstage.operations.archive
        try:
            return await archive.matched(since) if archive else {}
        except ArchiveError:
            return {}

    async def show(self, visit: Visit) -> Shown:
        """Show one rule."""
        ours, wanted = self._backstage.operations, visit.request.match_info["id"]
        in_force = ours.in_force()
        rule = next((each for each in in_force.rules if each.id == wanted), None)
        if wanted in in_force.left_out:
            left_out = in_force.left_out[wanted]
            return Shown(template="rule.left.html", says={"left": left_out, "said": _said(visit)})
        if rule is None:
            raise ApiProblem(404, f"no rule {wanted!r} is in force")
        week = await self._found(ours.clock.now() - _WEEK)
        trial = await asyncio.to_thread(Trial, rule, in_force.rule_set)
        examples = self._backstage.examples(rule.id)
        says = {
            "rule": rule,
            "canonical": await asyncio.to_thread(_canonical, rule.query),
            "place": self._backstage.places().get(rule.id, ""),
            "made": rule.id in in_force.made,
            "said": _said(visit),
            "week": week.get(rule.id, 0),
            "examples": await asyncio.to_thread(tried, trial, examples),
        }
        return Shown(template="rule.html", says=says)


def _canonical(query: str) -> str:
    return to_text(parse(query))


def _said(visit: Visit) -> str:
    """Return what the button did that led here."""
    return visit.request.query.get("said", "")
