"""Puts the page into an application."""

from aiohttp import web

from monitor.core.access import Scope
from monitor.web.api.operation import Gate
from monitor.web.page.backstage import Backstage
from monitor.web.page.deliveries import DeliveryViews
from monitor.web.page.editor import EditorViews
from monitor.web.page.entry import Entry
from monitor.web.page.feeds import FeedViews
from monitor.web.page.frame import Frame, View
from monitor.web.page.matches import MatchViews
from monitor.web.page.rules import RuleViews
from monitor.web.page.signing import Signing
from monitor.web.page.silences import SilenceViews
from monitor.web.page.site import Site
from monitor.web.page.subscribers import SubscriberViews
from monitor.web.page.why import WhyViews


def add_page(app: web.Application, site: Site, backstage: Backstage, gate: Gate) -> None:
    """Serve every view; who looks has to have signed in."""
    ours = backstage.operations
    entry = Entry(gate, ours.registry, ours.clock)
    frame = Frame(site, entry, backstage)
    site.add_to(app)
    Signing(site, entry).add_to(app)

    def get(path: str, view: View) -> None:
        app.router.add_get(path, frame.serve(view, Scope.READ))

    def post(path: str, view: View, needed: Scope = Scope.WRITE) -> None:
        app.router.add_post(path, frame.serve(view, needed))

    matches = MatchViews(backstage, site)
    get("/", matches.show)
    get("/live", matches.live)
    whys = WhyViews(backstage)
    get("/articles/{id}", whys.article)
    get("/stories/{id}", whys.story)
    rules = RuleViews(backstage)
    get("/rules", rules.index)
    get("/rules/{id}", rules.show)
    editor = EditorViews(backstage)
    get("/editor", editor.show)
    post("/editor/try", editor.try_, Scope.READ)
    post("/editor/save", editor.save)
    post("/rules/{id}/remove", editor.remove)
    post("/editor/backtest", editor.backtest, Scope.READ)
    feeds = FeedViews(backstage)
    get("/feeds", feeds.index)
    get("/feeds/{id}", feeds.show)
    post("/feeds", feeds.add)
    post("/feeds/{id}/poll", feeds.poll)
    post("/feeds/{id}/remove", feeds.remove)
    deliveries = DeliveryViews(backstage)
    get("/deliveries", deliveries.index)
    get("/deliveries/{id}", deliveries.show)
    post("/deliveries/{id}/replay", deliveries.replay)
    silences = SilenceViews(backstage)
    get("/silences", silences.index)
    post("/silences", silences.add)
    post("/silences/{id}/expire", silences.expire)
    subscribers = SubscriberViews(backstage)
    get("/subscribers", subscribers.index)
    post("/subscribers/test", subscribers.test)
    get("/subscribers/editor", subscribers.editor)
    post("/subscribers/save", subscribers.save, Scope.ADMIN)
    post("/subscribers/{name}/remove", subscribers.remove, Scope.ADMIN)
