"""Puts the page into an application."""

from aiohttp import web

from monitor.core.access import Scope
from monitor.web.api.operation import Gate
from monitor.web.page.backstage import Backstage
from monitor.web.page.entry import Entry
from monitor.web.page.frame import Frame, View
from monitor.web.page.matches import MatchViews
from monitor.web.page.signing import Signing
from monitor.web.page.site import Site


def add_page(app: web.Application, site: Site, backstage: Backstage, gate: Gate) -> None:
    """Serve every view; who looks has to have signed in."""
    ours = backstage.operations
    entry = Entry(gate, ours.registry, ours.clock)
    frame = Frame(site, entry, backstage)
    site.add_to(app)
    Signing(site, entry).add_to(app)

    def get(path: str, view: View) -> None:
        app.router.add_get(path, frame.serve(view, Scope.READ))

    matches = MatchViews(backstage, site)
    get("/", matches.show)
    get("/live", matches.live)
