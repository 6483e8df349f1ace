"""The matches of each rule as Atom and as JSON Feed, for feed readers."""

import base64
import binascii
from collections.abc import Callable, Sequence
from hashlib import blake2b

from aiohttp import web

from monitor.core.access import Scope
from monitor.core.model import Rule
from monitor.core.render.syndication import atom, json_feed
from monitor.errors import ArchiveError, StreamError
from monitor.ports import Archive, Page
from monitor.web.api.operation import ApiProblem, Gate, presented, token_digest

PATH = "/feeds/rules/{rule}.{kind:atom|json}"
_ENTRIES = 50
_KINDS = {
    "atom": ("application/atom+xml", atom),
    "json": ("application/feed+json", json_feed),
}


class RuleFeeds:
    """Serves feeds to whoever has a token that may read.

    Feed readers send no `Authorization: Bearer`: the token is the password of Basic authentication, whatever the name,
    or the parameter `token`, which then stands in the logs of whatever is in between.
    """

    def __init__(
        self, rules: Callable[[], Sequence[Rule]], archive: Archive | None, gate: Gate
    ) -> None:
        """Serve what `archive` has of the `rules` in force."""
        self._rules = rules
        self._archive = archive
        self._gate = gate

    def add_to(self, app: web.Application) -> None:
        """Serve both kinds for every rule."""
        app.router.add_get(PATH, self._respond)

    async def _respond(self, request: web.Request) -> web.Response:
        try:
            await self._gate.admit(token_digest(_presented(request)), request.remote, Scope.READ)
            return await self._feed(request)
        except ApiProblem as problem:
            response = problem.response()
            if response.status == web.HTTPUnauthorized.status_code:
                response.headers["WWW-Authenticate"] = 'Basic realm="monitor", charset="UTF-8"'
            return response
        except (StreamError, ArchiveError) as error:
            return ApiProblem(503, f"{error}; try again", retry_after=5).response()

    async def _feed(self, request: web.Request) -> web.Response:
        wanted = request.match_info["rule"]
        rule = next((each for each in self._rules() if each.id == wanted), None)
        if rule is None:
            raise ApiProblem(404, f"there is no rule {wanted!r}; GET /api/rules lists them")
        if self._archive is None:
            raise ApiProblem(404, "nothing is archived: set archive.enabled in monitor.yaml")
        found = await self._archive.page(Page(rule=rule.id, limit=_ENTRIES))
        content_type, render = _KINDS[request.match_info["kind"]]
        body = render(rule, found, str(request.url.with_query(None)))
        etag = blake2b(body, digest_size=12).hexdigest()
        headers = {"Cache-Control": "private, max-age=60", "X-Content-Type-Options": "nosniff"}
        known = {each.value for each in request.if_none_match or ()}
        if etag in known:
            response = web.Response(status=304, headers=headers)
        else:
            response = web.Response(
                body=body, content_type=content_type, charset="utf-8", headers=headers
            )
        response.etag = etag
        return response


def _presented(request: web.Request) -> str:
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return presented(request) or request.query.get("token", "")
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
