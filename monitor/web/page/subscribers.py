"""`/subscribers`: who is told, where, how their targets do, and a test."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.core.breaker import TargetStatus
from monitor.core.model import Attempt
from monitor.core.pace import Choice
from monitor.core.standing import ahead
from monitor.core.targets import Target, kind_of
from monitor.ports import LaneStanding
from monitor.registry import CHOICES, Roster
from monitor.web.api.operation import ApiProblem
from monitor.web.page.backstage import Backstage
from monitor.web.page.frame import Visit
from monitor.web.page.site import Shown


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

    async def index(self, visit: Visit) -> Shown:  # noqa: ARG002 - every view is asked
        """List subscribers."""
        return await self._index(None)

    async def test(self, visit: Visit) -> Shown:
        """Send a test to a target, and say what came of it."""
        wanted = visit.form.get("target", "")
        target = self._targets().get(wanted)
        if target is None:
            raise ApiProblem(404, f"no target {wanted!r} is switched on")
        return await self._index(
            Tried(target=wanted, attempt=await self._backstage.send_test(target))
        )

    def _targets(self) -> dict[str, Target]:
        return {each.id: each for one in self._backstage.subscribers() for each in one.targets}

    async def _index(self, tried: Tried | None) -> Shown:
        ours, subscribers = self._backstage.operations, self._backstage.subscribers()
        standings = await ours.ledger.standings(list(self._targets()))
        choices = Roster(ours.registry, CHOICES)
        await choices.refresh()
        now = ours.clock.now()
        shown = [
            (
                one,
                [_line(each, standings, choices.values.get(each.id), now) for each in one.targets],
            )
            for one in subscribers
        ]
        return Shown(template="subscribers.html", says={"subscribers": shown, "tried": tried})


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
