"""Signing in and out."""

from urllib.parse import urlsplit

from aiohttp import web

from monitor.errors import StreamError
from monitor.web.api.operation import ApiProblem
from monitor.web.page.entry import Entry
from monitor.web.page.frame import SIGN_IN, read_form, see
from monitor.web.page.site import Shown, Site


class Signing:
    """`/sign-in` and `/sign-out`."""

    def __init__(self, site: Site, entry: Entry) -> None:
        """Ask `entry`."""
        self._site = site
        self._entry = entry

    def add_to(self, app: web.Application) -> None:
        """Serve both in an application."""
        app.router.add_get(SIGN_IN, self.ask)
        app.router.add_post(SIGN_IN, self.sign_in)
        app.router.add_post("/sign-out", self.sign_out)

    async def ask(self, request: web.Request) -> web.Response:
        """Ask for a token."""
        return self._asked(_inside(request.query.get("next", "")))

    async def sign_in(self, request: web.Request) -> web.Response:
        """Look at a token."""
        where = "/"
        try:
            form = await read_form(request)
            where = _inside(form.get("next", ""))
            answer = see(where)
            await self._entry.sign_in(request, form.get("token", "").strip(), answer)
        except StreamError as error:
            return self._asked(where, f"{error}; try again", 503)
        except ApiProblem as problem:
            wrong = problem.status == web.HTTPUnauthorized.status_code
            text = "This token is not good." if wrong else problem.detail
            return self._asked(where, text, problem.status)
        return answer

    async def sign_out(self, request: web.Request) -> web.Response:
        """Forget who asks."""
        answer = see(SIGN_IN)
        try:
            await self._entry.sign_out(request, answer)
        except StreamError as error:
            return self._asked("/", f"{error}; try again", 503)
        except ApiProblem as problem:
            return self._asked("/", problem.detail, problem.status)
        return answer

    def _asked(self, where: str, problem: str = "", status: int = 200) -> web.Response:
        says = {"next": where, "problem": problem, "token": None, "status": None, "path": SIGN_IN}
        return self._site.answer(Shown(template="signin.html", status=status, says=says), {})


def _inside(where: str) -> str:
    """Return a path of the page; what leads elsewhere leads to its first view."""
    parts = urlsplit(where.replace("\\", "/"))
    good = where.startswith("/") and not where.startswith("//") and not parts.netloc
    return where if good and where.isprintable() and where.isascii() else "/"
