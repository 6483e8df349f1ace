"""`/silences`: what nobody is told of for a while."""

from collections.abc import Mapping
from datetime import timedelta

from aiohttp import web

from monitor.web.api.operation import ApiProblem
from monitor.web.api.operations import SilenceBody
from monitor.web.page.backstage import Backstage
from monitor.web.page.frame import Visit, see
from monitor.web.page.site import Shown

LASTING = {
    "1h": ("1 hour", timedelta(hours=1)),
    "4h": ("4 hours", timedelta(hours=4)),
    "24h": ("1 day", timedelta(days=1)),
    "3d": ("3 days", timedelta(days=3)),
    "7d": ("a week", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}
_USUAL = "24h"
_LONGEST = 10_000


class SilenceViews:
    """Silences: a list with a form below it."""

    def __init__(self, backstage: Backstage) -> None:
        """Show what the registry has."""
        self._backstage = backstage

    async def index(self, visit: Visit) -> Shown:
        """List silences; the address may say what to fill in."""
        given = {"matchers": visit.request.query.get("matchers", "")}
        return await self._index(visit, given)

    async def add(self, visit: Visit) -> Shown | web.Response:
        """Make a silence, or say what is wrong with it."""
        form, ours = visit.form, self._backstage.operations
        _, lasting = LASTING.get(form.get("for", ""), LASTING[_USUAL])
        matchers = form.get("matchers", "").strip()
        if not 0 < len(matchers) <= _LONGEST:
            return await self._index(visit, form, 'say what, for example rule="syria"', 422)
        body = SilenceBody(
            matchers=matchers,
            ends_at=ours.clock.now() + lasting,
            author=visit.token.name[:200],
            comment=form.get("comment", "")[:1000],
        )
        try:
            await ours.add_silence(visit.asked(body=body))
        except ApiProblem as problem:
            return await self._index(visit, form, problem.detail, problem.status)
        return see("/silences")

    async def expire(self, visit: Visit) -> web.Response:
        """End a silence now."""
        await self._backstage.operations.expire_silence(
            visit.asked(id=visit.request.match_info["id"])
        )
        return see("/silences")

    async def _index(
        self, visit: Visit, given: Mapping[str, str], wrong: str = "", status: int = 200
    ) -> Shown:
        listed = await self._backstage.operations.list_silences(visit.asked())
        says = {
            "silences": sorted(listed.silences, key=lambda each: each.status == "expired"),
            "lasting": LASTING,
            "usual": given.get("for", _USUAL),
            "given": given,
            "wrong": wrong,
        }
        return Shown(template="silences.html", status=status, says=says)
