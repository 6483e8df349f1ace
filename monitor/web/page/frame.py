"""What is around every view: who looks, what may go wrong, and the frame that is written around it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import web

from monitor.core.access import Scope, Token
from monitor.errors import ArchiveError, MonitorError, QueryError, RefusedError, StreamError
from monitor.web.api.operation import ApiProblem, Asked, Nothing, refusal
from monitor.web.page.backstage import Backstage
from monitor.web.page.entry import Entry
from monitor.web.page.site import HEADERS, Shown, Site

_LONGEST_FIELD = 100_000
SIGN_IN = "/sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody who looks, or presses a button: `form` holds what came with it."""

    request: web.Request
    token: Token
    form: Mapping[str, str]

    def asked(self, *, query: Any = None, body: Any = None, **path: str) -> Asked:
        """Return the same as a question to an operation of the API."""
        return Asked(path=path, query=query or Nothing(), body=body, token=self.token)

    @property
    def may_write(self) -> bool:
        """Whether buttons do anything for them."""
        return self.token.scope.covers(Scope.WRITE)


View = Callable[[Visit], Awaitable[Shown | web.StreamResponse]]


class Frame:
    """Serves views."""

    def __init__(self, site: Site, entry: Entry, backstage: Backstage) -> None:
        """Write with `site` for those whom `entry` lets in."""
        self._site = site
        self._entry = entry
        self._backstage = backstage

    def serve(self, view: View, needed: Scope) -> Callable[..., Awaitable[web.StreamResponse]]:
        """Return a view as a handler for the router."""

        async def respond(request: web.Request) -> web.StreamResponse:
            token: Token | None = None
            try:
                token = await self._entry.enter(request, needed)
                visit = Visit(request=request, token=token, form=await read_form(request))
                shown = await view(visit)
                if isinstance(shown, Shown):
                    return self._site.answer(shown, await self._around(visit))
            except (ApiProblem, MonitorError) as error:
                return self._stopped(request, problem_of(error), token)
            return shown

        return respond

    async def _around(self, visit: Visit) -> dict[str, Any]:
        return {
            "path": visit.request.path,
            "token": visit.token,
            "may_write": visit.may_write,
            "status": await self._backstage.status(),
            "now": self._backstage.operations.clock.now(),
        }

    def _stopped(
        self, request: web.Request, problem: ApiProblem, token: Token | None = None
    ) -> web.Response:
        """Say what is wrong; ask strangers who look at a page to sign in."""
        if problem.status == web.HTTPUnauthorized.status_code and request.method == "GET":
            where = f"{SIGN_IN}?next={quote(request.path_qs, safe='')}"
            return web.Response(status=303, headers={**HEADERS, "Location": where})
        says = {"problem": problem, "token": token, "path": request.path, "status": None}
        return self._site.answer(
            Shown(template="problem.html", status=problem.status, says=says), {}
        )


def problem_of(error: ApiProblem | MonitorError) -> ApiProblem:
    """Return what to say of something that went wrong."""
    if isinstance(error, ApiProblem):
        return error
    if isinstance(error, QueryError | RefusedError):
        return refusal(error)
    passing = isinstance(error, StreamError | ArchiveError)
    return ApiProblem(503 if passing else 422, f"{error}; try again" if passing else str(error))


async def read_form(request: web.Request) -> Mapping[str, str]:
    """Read what a form sent, or raise `ApiProblem`."""
    if request.method != "POST":
        return {}
    try:
        sent = await request.post()
    except web.HTTPRequestEntityTooLarge:
        raise ApiProblem(413, "this is more than the page takes: make it shorter") from None
    except (ValueError, LookupError, AssertionError):
        raise ApiProblem(400, "this is no form") from None
    return {name: text[:_LONGEST_FIELD] for name, text in sent.items() if isinstance(text, str)}


def see(where: str) -> web.Response:
    """Return the answer to a button that did its work: look there."""
    return web.Response(status=303, headers={**HEADERS, "Location": where})
