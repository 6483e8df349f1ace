"""One POST to a receiver that may do anything: bounded in time and bytes, every way to fail an outcome."""

from collections.abc import Mapping
from datetime import datetime
from socket import gaierror
from ssl import SSLCertVerificationError, SSLError

from monitor.channels.exchange import Answer, NoAnswerError
from monitor.channels.wire import Wire
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.render.clean import visible
from monitor.core.retry import parse_retry_after
from monitor.net import RefusedAddressError

_KEPT = 4096
_NONE: Mapping[str, str] = {}


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


async def post(
    wire: Wire, url: str, body: bytes, headers: Mapping[str, str], *, keep: int = _KEPT
) -> Answer | RetryLater | Rejected:
    """Send `body` once, and keep so many bytes of the answer."""
    return await ask(wire, "POST", url, body, headers, keep=keep)


async def ask(
    wire: Wire,
    method: str,
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] = _NONE,
    *,
    keep: int = _KEPT,
) -> Answer | RetryLater | Rejected:
    """Send a request within the time limits of the wire; keep so many bytes of the answer's body."""
    try:
        return await wire.request(method, url, body, headers, keep)
    except (NoAnswerError, OSError, ValueError) as error:
        return failure(error)


def failure(error: Exception) -> RetryLater | Rejected:
    """Turn what went wrong before there was a status into an outcome."""
    detail = visible(str(error))[:300] or type(error).__name__
    match error:
        case RefusedAddressError():
            return Rejected(reason=DeliveryReason.REFUSED_ADDRESS, detail=str(error))
        case TimeoutError():
            return RetryLater(reason=DeliveryReason.TIMEOUT, detail="no answer in time")
        case SSLCertVerificationError():
            return Rejected(reason=DeliveryReason.TLS, detail=detail)
        case SSLError():
            reason = DeliveryReason.TLS
        case gaierror():
            reason = DeliveryReason.DNS
        case NoAnswerError():
            reason = DeliveryReason.BAD_RESPONSE
        case ValueError():  # its own words may quote the URL, which may be a credential
            return Rejected(
                reason=DeliveryReason.ADDRESS_REFUSED,
                detail=f"the URL or a header cannot be used ({type(error).__name__}); correct the target",
            )
        case ConnectionRefusedError():
            reason = DeliveryReason.CONNECT
        case ConnectionError():
            reason = DeliveryReason.RESET
        case _:
            reason = DeliveryReason.CONNECT
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
