"""The pages that articles are on: fetched as politely as feeds, read in processes of their own."""

from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Self

import msgspec

from monitor.core.feed import Document
from monitor.core.fulltext import PageOutcome, PageText
from monitor.core.model import Feed, FeedState
from monitor.errors import FeedReason, FetchError
from monitor.feeds.frames import PageReply, PageRequest
from monitor.feeds.process import without_ballast
from monitor.feeds.workers import WorkerError, WorkerPool
from monitor.ports import Fetcher

MOST_BYTES = 5 * 1024 * 1024
_TIMEOUT = timedelta(seconds=10)
_TYPES = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain")
# A host that answers so is not asked for the next page at once.
_ENDS = frozenset(
    {
        *(FeedReason.RATE_LIMITED, FeedReason.SERVER_ERROR, FeedReason.UNAUTHORIZED, FeedReason.TIMEOUT),
        *(FeedReason.DNS, FeedReason.CONNECT, FeedReason.TLS, FeedReason.RESET, FeedReason.REFUSED_ADDRESS),
    }
)  # fmt: skip


class HttpPages:
    """Fetches pages and extracts their texts. Use it with `async with`, or call `close`."""

    def __init__(self, fetcher: Fetcher, *, timeout: timedelta = _TIMEOUT) -> None:
        """Take a fetcher that is bounded, and shares its gate with that of the feeds; its owner closes it.

        `timeout` bounds the reading of one page.
        """
        self._fetcher = fetcher
        self._pool = WorkerPool("page", workers=1, timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def read(self, feed: Feed, url: str) -> PageText:
        """Return the text of the page at `url`, or why there is none; never raises for what the page is."""
        try:
            document = await self._fetcher.fetch(replace(feed, url=url), FeedState())
        except FetchError as error:
            return PageText(
                outcome=PageOutcome.NOT_FETCHED,
                detail=error.detail,
                ends=error.reason in _ENDS,
                reason=error.reason,
                retry_after=error.retry_after,
            )
        kind = document.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind and kind not in _TYPES:
            return PageText(outcome=PageOutcome.NOT_A_PAGE, detail=f"it is {kind[:60]}")
        return await self.extract(document)

    async def extract(self, document: Document) -> PageText:
        """Return the text of a page that was fetched, or why there is none."""
        request = PageRequest(without_ballast(document))
        try:
            answer = await self._pool.ask(msgspec.msgpack.encode(request))
            return msgspec.msgpack.decode(answer, type=PageReply).page
        except WorkerError as error:
            return PageText(outcome=PageOutcome.FAILED, detail=str(error))
        except msgspec.MsgspecError as error:
            return PageText(outcome=PageOutcome.FAILED, detail=f"its text cannot be read ({error})")

    async def close(self) -> None:
        """End the process that reads."""
        await self._pool.close()
