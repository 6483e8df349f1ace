"""One POST to a receiver that may do anything: bounded in time and bytes, every way to fail an outcome."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import aiohttp

from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.render.clean import visible
from monitor.core.retry import parse_retry_after
from monitor.net import dials, refused

TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
_READ_LIMIT, _KEPT_LIMIT = 4096, 1024
_EVIDENCE_SECONDS = 1.0  # the status has decided; what the body says is not worth more waiting
_STALE_SECONDS = 1.0
# What a connection shows that the receiver closed while it lay idle; a refused or failed connect is not among them.
_DROPPED = (
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientConnectionResetError,
    aiohttp.ClientOSError,
)


# What a status that is no success means. The next two tables say what is left: by class of status.
_RETRIED = {
    404: DeliveryReason.NOT_FOUND,  # for ten minutes; see core/retry.py
    408: DeliveryReason.TIMEOUT,
    409: DeliveryReason.CLIENT_ERROR,
    425: DeliveryReason.CLIENT_ERROR,
    429: DeliveryReason.RATE_LIMITED,
}
_REJECTED = {
    400: DeliveryReason.PAYLOAD_REFUSED,
    401: DeliveryReason.UNAUTHORIZED,
    403: DeliveryReason.UNAUTHORIZED,
    407: DeliveryReason.UNAUTHORIZED,
    410: DeliveryReason.GONE,
    413: DeliveryReason.PAYLOAD_REFUSED,
    415: DeliveryReason.PAYLOAD_REFUSED,
    422: DeliveryReason.PAYLOAD_REFUSED,
}
_RETRIED_CLASSES = {1: DeliveryReason.BAD_RESPONSE, 5: DeliveryReason.SERVER_ERROR}
_REJECTED_CLASSES = {3: DeliveryReason.REDIRECT, 4: DeliveryReason.CLIENT_ERROR}
_SUCCESS = 2
_BAD_URL = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the status, the headers, the first kilobyte of the body as clean text, and more of it as is."""

    status: int
    headers: Mapping[str, str]
    text: str
    body: bytes = b""


async def post(
    session: aiohttp.ClientSession,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    keep: int = _READ_LIMIT,
) -> Answer | RetryLater | Rejected:
    """Send `body` once, within the session's time limits; keep so much of the answer. Redirects are not followed.

    A kept connection that the receiver had closed meanwhile costs one immediate repetition with the same headers,
    because the request was not read; aiohttp repeats only idempotent methods.
    """
    clock = asyncio.get_running_loop().time
    started_at = clock()
    try:
        with dials() as dialled:
            try:
                return await _exchange(session, url, body, headers, keep)
            except _DROPPED as error:
                kept = not dialled and not isinstance(error, aiohttp.ClientConnectorError)
                if not kept or clock() - started_at > _STALE_SECONDS:
                    raise
            return await _exchange(session, url, body, headers, keep)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return failure(error)


async def _exchange(
    session: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str], keep: int
) -> Answer:
    async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
        evidence = await _evidence(response, keep)
        text = visible(evidence[:_KEPT_LIMIT].decode("utf-8", errors="replace")).strip()
        return Answer(status=response.status, headers=response.headers, text=text, body=evidence)


async def _evidence(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read a little of the body. What is left unread costs the connection, not us."""
    read = bytearray()
    try:
        if response.content.is_eof():  # a short answer has come whole with its status
            return response.content.read_nowait(limit)
        async with asyncio.timeout(_EVIDENCE_SECONDS):
            while len(read) < limit:
                chunk = await response.content.read(limit - len(read))
                if not chunk:
                    break
                read += chunk
    except (aiohttp.ClientError, TimeoutError, OSError):
        response.close()
    return bytes(read)


def failure(error: Exception) -> RetryLater | Rejected:
    """Turn what went wrong before there was a status into an outcome."""
    refusal = refused(error)
    if refusal is not None:
        return Rejected(reason=DeliveryReason.REFUSED_ADDRESS, detail=str(refusal))
    # Never the error's own words where they quote the URL, which may be a credential.
    quotes = isinstance(error, (aiohttp.ClientResponseError, *_BAD_URL))
    detail = type(error).__name__ if quotes else visible(str(error))[:300] or type(error).__name__
    match error:
        case TimeoutError():
            return RetryLater(reason=DeliveryReason.TIMEOUT, detail="no answer in time")
        case aiohttp.ClientConnectorCertificateError():
            return Rejected(reason=DeliveryReason.TLS, detail=detail)
        case aiohttp.NonHttpUrlClientError() | ValueError():  # InvalidURL is a ValueError
            return Rejected(
                reason=DeliveryReason.ADDRESS_REFUSED,
                detail=f"the URL or a header cannot be used ({detail}); correct the target",
            )
        case aiohttp.ClientSSLError():
            reason = DeliveryReason.TLS
        case aiohttp.ClientConnectorDNSError():
            reason = DeliveryReason.DNS
        case aiohttp.ClientConnectorError():
            reason = DeliveryReason.CONNECT
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            reason = DeliveryReason.BAD_RESPONSE
        case _:
            reason = DeliveryReason.RESET
    return RetryLater(reason=reason, detail=detail)


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Say what an answer means. The status alone decides; Retry-After only says when."""
    status, kind = answer.status, answer.status // 100
    if kind == _SUCCESS:
        return Delivered(status=status, response=answer.text)
    detail = _detail(answer)
    rejected = _REJECTED.get(status)
    retried = _RETRIED.get(status)
    if rejected is None and retried is None:
        rejected = _REJECTED_CLASSES.get(kind)
    if rejected is not None:
        gone = rejected is DeliveryReason.GONE
        return Rejected(
            reason=rejected, detail=detail, target=gone, status=status, response=answer.text
        )
    after = parse_retry_after(answer.headers.get("Retry-After"), now)
    return RetryLater(
        reason=retried or _RETRIED_CLASSES.get(kind, DeliveryReason.BAD_RESPONSE),
        detail=detail,
        after=after,
        lane=status == 429 or (status == 503 and after is not None),  # noqa: PLR2004
        status=status,
        response=answer.text,
    )


def _detail(answer: Answer) -> str:
    location = answer.headers.get("Location")
    if location is not None:
        return f"HTTP {answer.status}: redirects are not followed; set the target's url to where it leads"
    return f"HTTP {answer.status}"
