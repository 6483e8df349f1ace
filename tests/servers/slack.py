"""A stand-in for Slack's incoming webhooks that enforces the limits Slack documents, and says its error strings.

Limits: https://docs.slack.dev/reference/block-kit/blocks and /reference/block-kit/composition-objects/text-object;
errors: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

_BLOCKS, _SECTION, _HEADER, _ELEMENTS, _TEXT, _TOTAL = 50, 3000, 150, 10, 40_000, 13_200
_PATH = "/services/T0/B0/secret"
# What may stand between < and > in mrkdwn: a link, a date; a mention never comes from us.
_MARK_UP = re.compile(r"<(https?://[^\s<>|]+(\|[^<>]+)?|!date\^\d+\^[^<>|]+\|[^<>]+)>")


def refuse(message: Mapping[str, Any]) -> str | None:
    """Return the error string that Slack would answer with, or None when it takes the message."""
    text, blocks = message.get("text"), message.get("blocks", [])
    if not isinstance(text, str) or not isinstance(blocks, list):
        return "invalid_payload"
    if not text and not blocks:
        return "no_text"
    if len(text) > _TEXT or _bad_mark_up(text):
        return "invalid_payload"
    if len(blocks) > _BLOCKS or not all(_good_block(block) for block in blocks):
        return "invalid_blocks"
    said = sum(len(text) for block in blocks for text in _texts(block))
    return "msg_blocks_too_long" if said > _TOTAL else None


def _good_block(block: Mapping[str, Any]) -> bool:
    match block:
        case {"type": "header", "text": {"type": "plain_text", "text": str(text)}}:
            return 1 <= len(text) <= _HEADER
        case {"type": "section", "text": {"type": "mrkdwn", "text": str(text)}}:
            return 1 <= len(text) <= _SECTION and not _bad_mark_up(text)
        case {"type": "context", "elements": list(elements)}:
            return 1 <= len(elements) <= _ELEMENTS and all(_good_element(one) for one in elements)
        case _:
            return False


def _good_element(element: Mapping[str, Any]) -> bool:
    match element:
        case {"type": "mrkdwn", "text": str(text)}:
            return 1 <= len(text) <= _SECTION and not _bad_mark_up(text)
        case _:
            return False


def _bad_mark_up(text: str) -> bool:
    """Tell whether anything but our links and dates is left where Slack sees mark-up."""
    rest = _MARK_UP.sub("", text)
    return "<" in rest or ">" in rest or re.search(r"&(?!(amp|lt|gt);)", text) is not None


def _texts(block: Mapping[str, Any]) -> Sequence[str]:
    if "elements" in block:
        return [element["text"] for element in block["elements"]]
    return [block["text"]["text"]]


@dataclass
class FakeSlack:
    """One incoming webhook. `messages` are those it took; `answers` are given first, one a request.

    `pace` makes it answer 429 to a message that comes less than so many seconds after the one before.
    """

    pace: float | None = None
    messages: list[Mapping[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    answers: deque[tuple[int, str, Mapping[str, str]]] = field(default_factory=deque)
    url: str = ""
    requests: int = 0
    _taken_at: float | None = None
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post(_PATH, self._post)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}{_PATH}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def answer(self, status: int, text: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Answer the next request so, whatever it says."""
        self.answers.append((status, text, headers or {}))

    async def _post(self, request: web.Request) -> web.Response:
        self.requests += 1
        if self.answers:
            status, text, headers = self.answers.popleft()
            return web.Response(status=status, text=text, headers=headers)
        if self._too_fast(asyncio.get_running_loop().time()):
            return web.Response(status=429, text="rate_limited", headers={"Retry-After": "1"})
        try:
            message = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400, text="invalid_payload")
        error = refuse(message)
        if error is not None:
            self.refused.append(error)
            return web.Response(status=400, text=error)
        self.messages.append(message)
        return web.Response(text="ok")

    def _too_fast(self, now: float) -> bool:
        if self.pace is None:
            return False
        too_fast = self._taken_at is not None and now - self._taken_at < self.pace
        if not too_fast:
            self._taken_at = now
        return too_fast
