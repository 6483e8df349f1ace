"""What an operation of the API is, and what is checked around each: who asks, how often, with what."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any, get_args

import msgspec
import structlog
from aiohttp import web

from monitor.core.access import PREFIX, Allowance, Rate, Scope, Token, digest
from monitor.errors import (
    ArchiveError,
    CodecError,
    HeldError,
    QueryError,
    RefusedError,
    StreamError,
    UnknownError,
)
from monitor.ports import Clock, RecordKind, Registry
from monitor.registry import TOKENS
from monitor.web.app import LARGEST_BODY

RATE = Rate(burst=60, every=timedelta(milliseconds=50))
STRANGER_RATE = Rate(burst=20, every=timedelta(seconds=1))  # for those whose token is not good
_REMEMBERED = 10_000
_PROBLEM_TYPE = "application/problem+json"
_WHOLE = re.compile(r"-?[0-9]{1,18}")

log = structlog.get_logger()


class ApiProblem(Exception):  # noqa: N818 - named as in RFC 9457
    """An answer that is a problem. `detail` names the thing, the cause and the next step."""

    def __init__(self, status: int, detail: str, **more: Any) -> None:
        """Answer with `status`; `more` are members beside those that every problem has."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.more = more

    def response(self) -> web.Response:
        """Return the answer."""
        title = HTTPStatus(self.status).phrase
        body = {
            "type": "about:blank",
            "title": title,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        headers = {}
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = 'Bearer realm="monitor"'
        if "retry_after" in self.more:
            headers["Retry-After"] = str(self.more["retry_after"])
        return web.Response(
            body=msgspec.json.encode(body),
            status=self.status,
            content_type=_PROBLEM_TYPE,
            headers=headers,
        )


class Nothing(msgspec.Struct):
    """No parameters, no body, no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request after every check: `path` and `query` by name, the `body` as its type, and who asks."""

    path: Mapping[str, str]
    query: Any
    body: Any
    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that can be asked. `query`, `body` and `answer` are Structs; the document is made from them."""

    method: str
    path: str
    name: str
    summary: str
    scope: Scope
    handle: Callable[[Asked], Awaitable[Any]]
    query: type[msgspec.Struct] = Nothing
    body: type[msgspec.Struct] = Nothing
    answer: Any = Nothing
    status: int = 200
    errors: tuple[int, ...] = ()
    path_texts: Mapping[str, str] = field(default_factory=dict)


class Gate:
    """Lets those in whose token is good, as often as is good for the rest."""

    def __init__(self, registry: Registry, clock: Clock, local: str = "") -> None:
        """Know the tokens of `registry`, and `local`, a token that lives as long as this process."""
        self._registry = registry
        self._clock = clock
        self._local = digest(local) if local else ""
        self._allowances: dict[str, Allowance] = {}

    async def enter(self, request: web.Request, needed: Scope) -> Token:
        """Return who asks, or raise `ApiProblem`."""
        return await self.admit(token_digest(presented(request)), request.remote, needed)

    async def admit(self, known: str, remote: str | None, needed: Scope) -> Token:
        """Return whose token has the digest `known`, or raise `ApiProblem`."""
        token = await self._token(known) if known else None
        if token is None:
            self._count(f"stranger {remote}", STRANGER_RATE)
            raise ApiProblem(
                401,
                "no good token: send `Authorization: Bearer TOKEN`; `monitor tokens create` makes one",
            )
        self._count(known, RATE)
        if not token.scope.covers(needed):
            raise ApiProblem(
                403, f"the token {token.name!r} may {token.scope}; this needs {needed}"
            )
        return token

    async def _token(self, known: str) -> Token | None:
        now = self._clock.now()
        if known == self._local:
            return Token(name="local", scope=Scope.ADMIN, created_at=now)
        record = await self._registry.get(RecordKind.TOKEN, known)
        token = TOKENS.decode(record.value) if record else None
        return token if token and token.is_good(now) else None

    def _count(self, who: str, rate: Rate) -> None:
        now = self._clock.now()
        if len(self._allowances) >= _REMEMBERED:
            self._allowances = {k: v for k, v in self._allowances.items() if v.full_at > now}
        left, wait = self._allowances.get(who, Allowance(now)).take(rate, now)
        self._allowances[who] = left
        if wait:
            seconds = max(1, round(wait.total_seconds()))
            raise ApiProblem(429, f"too many requests: wait {seconds} s", retry_after=seconds)


def serve_operation(operation: Operation, gate: Gate) -> Callable[..., Awaitable[web.Response]]:
    """Return the handler of an operation for the router."""

    async def respond(request: web.Request) -> web.Response:
        try:
            token = await gate.enter(request, operation.scope)
            asked = Asked(
                path=dict(request.match_info),
                query=_query(request, operation.query),
                body=await _body(request, operation.body),
                token=token,
            )
            answer = await operation.handle(asked)
        except ApiProblem as problem:
            return problem.response()
        except (QueryError, RefusedError) as error:
            return refusal(error).response()
        except (StreamError, ArchiveError) as error:
            return ApiProblem(503, f"{error}; try again", retry_after=5).response()
        except CodecError as error:
            return ApiProblem(422, str(error)).response()
        if operation.status == HTTPStatus.NO_CONTENT:
            return web.Response(status=204)
        return web.Response(
            body=msgspec.json.encode(answer),
            status=operation.status,
            content_type="application/json",
            headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        )

    return respond


def presented(request: web.Request) -> str:
    """Return the token that a request presents as its bearer; nothing if it presents none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def token_digest(token: str) -> str:
    """Return what a token is known by; nothing for what cannot be one."""
    return digest(token) if token.startswith(PREFIX) else ""


def _query(request: web.Request, shape: type[msgspec.Struct]) -> Any:
    known = {each.encode_name for each in msgspec.structs.fields(shape)}
    given = dict(request.query)
    for name in given:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise ApiProblem(400, f"unknown parameter {name!r}; there are: {names}")
        if len(request.query.getall(name)) > 1:
            raise ApiProblem(400, f"the parameter {name!r} is given more than once")
    values = {
        each.encode_name: _plain(given[each.encode_name], each.type)
        for each in msgspec.structs.fields(shape)
        if each.encode_name in given
    }
    return _converted(lambda: msgspec.convert(values, shape), 400)


def _plain(text: str, wanted: Any) -> str | int:
    """Return a whole number where one is wanted. All else is read strictly: lax reading takes 0.5 for an instant."""
    return int(text) if _is_whole(wanted) and _WHOLE.fullmatch(text) else text


def _is_whole(wanted: Any) -> bool:
    return wanted is int or any(map(_is_whole, get_args(wanted)))


async def _body(request: web.Request, shape: type[msgspec.Struct]) -> Any:
    if shape is Nothing:
        return None
    if request.content_type != "application/json":
        raise ApiProblem(415, "send JSON, with `Content-Type: application/json`")
    try:
        data = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise ApiProblem(413, f"the body is larger than {LARGEST_BODY // 1024} KiB") from None
    return _converted(lambda: msgspec.json.decode(data, type=shape), 422)


def _converted(convert: Callable[[], Any], status: int) -> Any:
    try:
        return convert()
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiProblem(status, str(error)) from None
    except RecursionError:
        raise ApiProblem(status, "nested too deeply") from None


def refusal(error: QueryError | RefusedError) -> ApiProblem:
    """Return what to answer to somebody who cannot have what they asked for."""
    if isinstance(error, QueryError):
        return _refused_query(error)
    if isinstance(error, UnknownError):
        return ApiProblem(404, str(error))
    if isinstance(error, HeldError):
        return ApiProblem(409, str(error))
    return ApiProblem(422, str(error), **({"field": error.field} if error.field else {}))


def _refused_query(error: QueryError) -> ApiProblem:
    return ApiProblem(
        422,
        error.message + (f" ({error.hint})" if error.hint else ""),
        position=error.position,
        length=error.length,
    )
