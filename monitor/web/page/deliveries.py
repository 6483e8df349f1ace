"""`/deliveries`: what was sent, how each attempt went, and sending it again."""

from urllib.parse import quote, urlencode

from aiohttp import web

from monitor.core.model import FINAL, DeliveryState
from monitor.ports import DeliveryFilter
from monitor.web.api.operation import ApiProblem
from monitor.web.page.backstage import Backstage
from monitor.web.page.frame import Visit, see
from monitor.web.page.site import Shown

_PER_PAGE = 100


class DeliveryViews:
    """Deliveries: a list, and one with its attempts."""

    def __init__(self, backstage: Backstage) -> None:
        """Show what the ledger has."""
        self._backstage = backstage

    async def index(self, visit: Visit) -> Shown:
        """List deliveries, newest first, those that the address asks for."""
        query = visit.request.query
        state, target, text = query.get("state", ""), query.get("target", ""), query.get("q", "")
        which = DeliveryFilter(
            state=DeliveryState(state) if state in set(DeliveryState) else None,
            target_id=target[:300] or None,
            text=text[:200],
            limit=_PER_PAGE,
        )
        says = {
            "deliveries": await self._backstage.operations.ledger.find(which),
            "states": list(DeliveryState),
            "state": state,
            "target": target,
            "targets": [
                each.id
                for one in self._backstage.operations.in_force().subscribers
                for each in one.targets
            ],
            "text": text,
            "most": _PER_PAGE,
            "final": FINAL,
            "back": urlencode({"state": state, "target": target, "q": text}),
        }
        return Shown(template="deliveries.html", says=says)

    async def show(self, visit: Visit) -> Shown:
        """Show a delivery with what it tells and its attempts."""
        ledger, wanted = self._backstage.operations.ledger, visit.request.match_info["id"]
        delivery = await ledger.get(wanted)
        if delivery is None:
            raise ApiProblem(404, f"no delivery {wanted!r}: what is past its retention is gone")
        says = {
            "delivery": delivery,
            "attempts": await ledger.attempts(wanted),
            "final": FINAL,
        }
        return Shown(template="delivery.html", says=says)

    async def replay(self, visit: Visit) -> web.Response:
        """Send it again, under the same id."""
        wanted = visit.request.match_info["id"]
        await self._backstage.operations.replay(visit.asked(id=wanted))
        return see(f"/deliveries/{quote(wanted, safe='')}")
