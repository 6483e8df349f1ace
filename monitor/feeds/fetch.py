"""Fetching a feed's document: conditional, bounded, and with a sentence for whatever goes wrong."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
from yarl import URL

from monitor.core.feed import Document, digest_of
from monitor.core.freshness import retry_after
from monitor.core.model import Feed, FeedState
from monitor.core.moves import address_of
from monitor.errors import FeedReason, FetchError
from monitor.feeds.body import ACCEPT_ENCODING, read_body
from monitor.feeds.gate import HostGate
from monitor.net import refused

MAX_BYTES = 15 * 1024 * 1024  # as miniflux
MAX_REDIRECTS = 5
TIMEOUT = timedelta(seconds=20)
_PATIENCE = 2.0  # seconds that a request waits for others to the same host

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9,"
    " application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.5"
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_OK, _IM_USED, _NOT_MODIFIED = 200, 226, 304
_REFUSED_STATUSES = {
    401: (FeedReason.UNAUTHORIZED, "wants a user name and password: put them into the url"),
    403: (FeedReason.UNAUTHORIZED, "does not let us read this feed"),
    404: (FeedReason.NOT_FOUND, "has nothing at this address: check the url"),
    410: (FeedReason.GONE, "has removed this feed for good: take it out of the configuration"),
    429: (FeedReason.RATE_LIMITED, "says that we ask too often: set a longer `every`"),
}
_ERROR_STATUSES = 400
_SERVER_ERRORS = 500


class HttpFetcher:
    """Gets documents over HTTP, one at a time from each host unless the gate says otherwise."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        gate: HostGate | None = None,
        timeout: timedelta = TIMEOUT,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Take a session that keeps no cookies and guards what it dials; its owner closes it.

        `timeout` bounds a fetch with its redirects, but not the wait for the gate; `max_bytes` the decompressed body.
        """
        self._session = session
        self._gate = gate or HostGate()
        self._timeout = timeout
        self._max_bytes = max_bytes

    async def fetch(self, feed: Feed, state: FeedState) -> Document:
        """Fetch with the validators in `state`, where they belong to the address asked.

        Raise `FetchError` for all but 200, 226 and 304; `HostBusyError` when it was not asked, because the host
        does not answer other requests.
        """
        url = _address(address_of(feed, state))
        progress = _Progress(url, self._timeout.total_seconds())
        try:
            return await self._follow(url, state, progress)
        except TimeoutError as error:
            seconds = self._timeout.total_seconds()
            raise FetchError(
                FeedReason.TIMEOUT, f"{progress.host} {progress.stage} within {seconds:g} s"
            ) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _explained(progress.host, error) from error

    async def _follow(self, url: URL, state: FeedState, progress: "_Progress") -> Document:
        seen: list[URL] = []
        permanent = True
        while True:
            progress.url = url
            seen.append(url)
            headers = _request_headers(url, state)
            async with (
                self._gate.pass_through(url.raw_host or "", _PATIENCE),
                progress.running(),
                self._session.get(
                    url,
                    headers=headers,
                    allow_redirects=False,
                    auto_decompress=False,
                    timeout=aiohttp.ClientTimeout(),  # ours is around all of it
                ) as response,
            ):
                if response.status not in _REDIRECTS:
                    progress.stage = "did not finish its answer"
                    moved = _named(url) if permanent and len(seen) > 1 else None
                    return await self._document(response, url, headers, moved)
                permanent = permanent and response.status in _PERMANENT
                location = response.headers.get("Location", "")
            url = _next_address(seen, location)

    async def _document(
        self,
        response: aiohttp.ClientResponse,
        url: URL,
        sent: Mapping[str, str],
        moved: str | None,
    ) -> Document:
        _check_status(response, url, sent)
        is_bare = response.status == _NOT_MODIFIED
        body = b"" if is_bare else await read_body(response, url.host or "", self._max_bytes)
        return Document(
            url=_named(url),
            status=response.status,
            body=body,
            digest=digest_of(body),
            headers=_lower(response),
            etag=_validator(response, "ETag"),
            last_modified=_validator(response, "Last-Modified"),
            permanent_url=moved,
        )


class _Progress:
    """How far a fetch has come, for the sentence about its timeout, and how much time it has left."""

    def __init__(self, url: URL, seconds: float) -> None:
        self.url = url
        self.stage = "did not answer"
        self._left = seconds

    @property
    def host(self) -> str:
        """The host that is asked, as people write it; decoded only for a sentence."""
        return self.url.host or ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Use up time while the block runs; raise `TimeoutError` when none is left."""
        now = asyncio.get_running_loop().time
        began = now()
        async with asyncio.timeout(self._left):
            yield
        self._left -= now() - began


def _address(text: str) -> URL:
    try:
        url = URL(text)
    except ValueError as error:
        raise FetchError(
            FeedReason.BAD_RESPONSE, f"cannot be read as an address: {error}"
        ) from error
    if url.scheme not in {"http", "https"} or not url.raw_host:
        raise FetchError(
            FeedReason.REFUSED_ADDRESS,
            f"the url must begin with http:// or https://, not {url.scheme or text[:40]!r}",
        )
    return url.with_fragment(None)


def _next_address(seen: list[URL], location: str) -> URL:
    here = seen[-1]
    try:
        there = here.join(URL(location)).with_fragment(None)
    except ValueError as error:
        raise FetchError(
            FeedReason.REDIRECT, f"{here.host} redirects to {location[:200]!r}"
        ) from error
    if not location or there.scheme not in {"http", "https"} or not there.raw_host:
        raise FetchError(FeedReason.REDIRECT, f"{here.host} redirects to {location[:200]!r}")
    if there in seen:
        raise FetchError(
            FeedReason.REDIRECT, f"{here.host} redirects in a circle, back to {_shown(there)}"
        )
    if len(seen) > MAX_REDIRECTS:
        raise FetchError(
            FeedReason.REDIRECT, f"more than {MAX_REDIRECTS} redirects, the last to {_shown(there)}"
        )
    return there


def _request_headers(url: URL, state: FeedState) -> dict[str, str]:
    headers = {"Accept": _ACCEPT, "Accept-Encoding": ACCEPT_ENCODING}
    if state.url != _named(url):
        return headers
    if state.etag:
        headers |= {"If-None-Match": state.etag, "A-IM": "feed"}
    if state.last_modified:
        headers["If-Modified-Since"] = state.last_modified
    return headers


def _check_status(response: aiohttp.ClientResponse, url: URL, sent: Mapping[str, str]) -> None:
    """Raise `FetchError` unless there is a document, or the one we have is said to be current."""
    status = response.status
    if response.headers.get("Cf-Mitigated", "").lower() == "challenge":
        raise FetchError(
            FeedReason.CHALLENGE,
            f"{url.host} lets only browsers in (a challenge of Cloudflare, HTTP {status}): ask the publisher to let"
            " the feed through, or look for another address of it",
            status=status,
            retry_after=retry_after(_lower(response), datetime.now(UTC)),
        )
    is_conditional = "If-None-Match" in sent or "If-Modified-Since" in sent
    if (
        status == _OK
        or (status == _NOT_MODIFIED and is_conditional)
        or (status == _IM_USED and "A-IM" in sent)
    ):
        return
    if status >= _SERVER_ERRORS:
        reason, what = FeedReason.SERVER_ERROR, "has a fault of its own"
    elif status >= _ERROR_STATUSES:
        reason, what = _REFUSED_STATUSES.get(
            status, (FeedReason.CLIENT_ERROR, "refused the request")
        )
    else:
        reason, what = FeedReason.BAD_RESPONSE, "sent an answer that does not fit the question"
    raise FetchError(
        reason,
        f"{url.host} {what} (HTTP {status})",
        status=status,
        retry_after=retry_after(_lower(response), datetime.now(UTC)),
    )


def _lower(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for given, raw in response.headers.items():
        name, value = given.lower(), raw.encode("utf-8", "replace").decode()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _validator(response: aiohttp.ClientResponse, name: str) -> str | None:
    """Return a validator as it was sent; none if it holds bytes that are not text, which nobody could send back."""
    value = response.headers.get(name)
    return value if value and value.isprintable() else None


def _explained(host: str, error: Exception) -> FetchError:
    """Turn what the HTTP client raises into a reason and a sentence."""
    blocked = refused(error)
    if blocked is not None:
        return FetchError(FeedReason.REFUSED_ADDRESS, f"{host}: {blocked}")
    match error:
        case aiohttp.ClientConnectorDNSError():
            reason, what = (
                FeedReason.DNS,
                "does not resolve (DNS): check the network or the address",
            )
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError() | ssl.SSLError():
            reason, what = (
                FeedReason.TLS,
                f"cannot be trusted or spoken to over TLS ({_cause(error)})",
            )
        case aiohttp.ClientConnectorError():
            reason, what = FeedReason.CONNECT, f"does not take connections ({_cause(error)})"
        case aiohttp.ClientPayloadError():
            reason, what = FeedReason.RESET, "broke off before the document was complete"
        case aiohttp.ServerConnectionError() | aiohttp.ClientOSError() | ConnectionError():
            reason, what = FeedReason.RESET, "closed the connection without an answer"
        case OSError():
            reason, what = FeedReason.CONNECT, f"cannot be reached ({_cause(error)})"
        case _:
            reason, what = (
                FeedReason.BAD_RESPONSE,
                f"sent an answer that is not HTTP ({_cause(error)})",
            )
    return FetchError(reason, f"{host} {what}")


def _cause(error: Exception) -> str:
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    text = getattr(inner, "strerror", None) or getattr(inner, "message", None) or str(inner)
    return " ".join(str(text).split())[:200] or type(inner).__name__


def _named(url: URL) -> str:
    """Return the address as it is remembered: without the password it may carry."""
    return str(url.with_user(None))


def _shown(url: URL) -> str:
    return str(url.with_user(None).with_query(None))
