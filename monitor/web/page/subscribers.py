"""`/subscribers`: who is told, where, how their targets do, and a test; subscribers are added, changed and removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from monitor.core.access import Scope
from monitor.core.breaker import TargetStatus
from monitor.core.model import Attempt
from monitor.core.pace import Choice
from monitor.core.standing import ahead
from monitor.core.targets import Target, kind_of
from monitor.errors import HeldError, RefusedError
from monitor.ports import LaneStanding
from monitor.registry import CHOICES, Roster
from monitor.web.api.operation import ApiProblem
from monitor.web.page.backstage import Backstage
from monitor.web.page.frame import Visit, problem_of, see
from monitor.web.page.site import Shown

_BLANK = """\
route:
  match:
    severity: warning
targets:
  - email:
      to: desk@example.org
      from: monitor@example.org
      smtp: {host: smtp.example.org}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A target as it stands, and what its reader chose."""

    id: str
    kind: str
    state: str
    well: bool
    waiting: int
    failure: str
    choice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a test."""

    target: str
    attempt: Attempt


class SubscriberViews:
    """Subscribers: a list with their targets."""

    def __init__(self, backstage: Backstage) -> None:
        """Show those in force."""
        self._backstage = backstage

    async def index(self, visit: Visit) -> Shown:
        """List subscribers."""
        return await self._index(visit)

    async def editor(self, visit: Visit) -> Shown:
        """Show what a subscriber that was added is told of, and where; or a form for a new one."""
        name = visit.request.query.get("name", "")
        text = await self._backstage.making.subscribers.text(name) if name else _BLANK
        if not text:
            raise ApiProblem(404, f"no subscriber {name!r} was added")
        return self._editor(visit, name, name, text)

    async def save(self, visit: Visit) -> Shown | web.Response:
        """Keep the subscriber in the store, or say what is wrong with it and change nothing."""
        before, name = visit.form.get("before", ""), visit.form.get("name", "").strip()
        text = visit.form.get("text", "")
        try:
            if name != before and await self._backstage.operations.subscriber(name):
                raise HeldError(
                    f"there is a subscriber '{name}' already: change it, or take another name"
                )
            await self._backstage.making.subscribers.write(name, text)
        except RefusedError as error:
            return self._editor(visit, before, name, text, problem_of(error))
        return see("/subscribers?said=saved")

    async def remove(self, visit: Visit) -> web.Response:
        """Tell a subscriber nothing more that was added."""
        wanted = visit.request.match_info["name"]
        await self._backstage.making.remove_subscriber(visit.asked(name=wanted))
        return see("/subscribers?said=removed")

    def _editor(
        self, visit: Visit, before: str, name: str, text: str, wrong: ApiProblem | None = None
    ) -> Shown:
        says = {
            "before": before,
            "name": name,
            "text": text,
            "wrong": wrong.detail if wrong else "",
            "may_change": _may_change(visit),
        }
        return Shown(template="subscriber.html", status=wrong.status if wrong else 200, says=says)

    async def test(self, visit: Visit) -> Shown:
        """Send a test to a target, and say what came of it."""
        wanted = visit.form.get("target", "")
        target = self._targets().get(wanted)
        if target is None:
            raise ApiProblem(404, f"no target {wanted!r} is switched on")
        tried = Tried(target=wanted, attempt=await self._backstage.send_test(target))
        return await self._index(visit, tried)

    def _targets(self) -> dict[str, Target]:
        return {
            each.id: each
            for one in self._backstage.operations.in_force().subscribers
            for each in one.targets
        }

    async def _index(self, visit: Visit, tried: Tried | None = None) -> Shown:
        ours, current = self._backstage.operations, self._backstage.operations.in_force()
        standings = await ours.ledger.standings(list(self._targets()))
        choices = Roster(ours.registry, CHOICES)
        await choices.refresh()
        now = ours.clock.now()
        shown = [
            (
                one,
                [_line(each, standings, choices.values.get(each.id), now) for each in one.targets],
            )
            for one in current.subscribers
        ]
        says = {
            "subscribers": shown,
            "added": current.added,
            "untold": current.untold,
            "tried": tried,
            "said": visit.request.query.get("said", ""),
            "may_change": _may_change(visit),
        }
        return Shown(template="subscribers.html", says=says)


def _may_change(visit: Visit) -> bool:
    return visit.token.scope.covers(Scope.ADMIN)


def _line(
    target: Target, standings: Mapping[str, LaneStanding], choice: Choice | None, now: datetime
) -> Line:
    standing = standings.get(target.id, LaneStanding())
    health = standing.health
    state = _state(standing, now)
    return Line(
        id=target.id,
        kind=kind_of(target),
        state=state,
        well=state == "ok",
        waiting=standing.waiting,
        failure=f"{health.reason}: {health.detail}" if health.reason else health.detail,
        choice=_chosen(choice),
    )


def _state(standing: LaneStanding, now: datetime) -> str:
    health = standing.health
    match health.status:
        case TargetStatus.DISABLED:
            return "switched off"
        case TargetStatus.OPEN:
            return f"left alone, asked again {ahead(health.until, now)}"
        case TargetStatus.ACTIVE:
            return "slow" if health.slow else "ok"


def _chosen(choice: Choice | None) -> str:
    if choice and choice.unsubscribed:
        return "unsubscribed by its reader"
    return f"its reader chose a digest: {choice.schedule}" if choice and choice.schedule else ""
