"""Who looks at the page: a token is exchanged for a cookie, and a POST has to come from the page itself."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from aiohttp import web

from monitor.core.access import Scope, Session, Token, digest
from monitor.errors import CodecError
from monitor.ports import Clock, Draft, RecordKind, Registry
from monitor.registry import SESSIONS
from monitor.web.api.operation import ApiProblem, Gate

COOKIE = "monitor_session"
_LASTS = timedelta(days=30)
_RANDOM_BYTES = 32


class Entry:
    """Lets those in who signed in with a token that is still good."""

    def __init__(self, gate: Gate, registry: Registry, clock: Clock) -> None:
        """Ask `gate` for tokens; keep who signed in in `registry`, for every process that serves the page."""
        self._gate = gate
        self._registry = registry
        self._clock = clock

    async def enter(self, request: web.Request, needed: Scope) -> Token:
        """Return who asks, or raise `ApiProblem`: 401 for strangers, 403 for what the token is not good for."""
        if request.method == "POST":
            require_own(request.headers)
        return await self._gate.admit(await self._signed_in(request), request.remote, needed)

    async def _signed_in(self, request: web.Request) -> str:
        """Return the digest of the token with which somebody signed in; nothing if nobody did."""
        secret = request.cookies.get(COOKIE, "")
        record = secret and await self._registry.get(RecordKind.SESSION, digest(secret))
        if not record:
            return ""
        try:
            session = SESSIONS.decode(record.value)
        except CodecError:  # a newer release wrote it
            return ""
        return session.token if session.expires_at > self._clock.now() else ""

    async def sign_in(self, request: web.Request, token: str, answer: web.StreamResponse) -> None:
        """Set the cookie for whoever has a good token; raise `ApiProblem` for others."""
        require_own(request.headers)
        known = digest(token)
        await self._gate.admit(known, request.remote, Scope.READ)
        now, secret = self._clock.now(), secrets.token_urlsafe(_RANDOM_BYTES)
        session = Session(token=known, expires_at=now + _LASTS)
        draft = Draft(
            id=digest(secret), value=SESSIONS.encode(session), expires_at=session.expires_at
        )
        await self._registry.put(RecordKind.SESSION, draft, now)
        answer.set_cookie(
            COOKIE,
            secret,
            max_age=round(_LASTS.total_seconds()),
            httponly=True,
            samesite="Strict",
            secure=request.headers.get("X-Forwarded-Proto", request.scheme) == "https",
        )

    async def sign_out(self, request: web.Request, answer: web.StreamResponse) -> None:
        """Forget who signed in."""
        require_own(request.headers)
        secret = request.cookies.get(COOKIE, "")
        await self._registry.remove(RecordKind.SESSION, digest(secret), self._clock.now())
        answer.del_cookie(COOKIE, samesite="Strict", httponly=True)


def require_own(headers: Mapping[str, str]) -> None:
    """Raise `ApiProblem` unless a request was sent by a page of ours.

    Browsers say so in `Sec-Fetch-Site`, and over plain HTTP from other machines in `Origin` alone.
    """
    site = headers.get("Sec-Fetch-Site")
    origin = headers.get("Origin", "")
    same = urlsplit(origin).netloc == headers.get("Host") if origin else False
    if not (site == "same-origin" if site else same):
        raise ApiProblem(403, "this was sent by another site: open the page itself and try again")
