"""A stand-in for Slack's incoming webhooks that enforces the limits Slack documents, and says its error strings.

Limits: https://docs.slack.dev/reference/block-kit/blocks and /reference/block-kit/composition-objects/text-object;
errors: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

_TOTAL = 13_200
_PATH = "/services/T0/B0/secret"
_API = "/api/"
TOKEN = "xoxb-not-to-be-seen"
_SCHEMA = Draft202012Validator(
    json.loads(Path(__file__).with_name("slack.schema.json").read_text(encoding="utf-8"))
)
# What may stand between < and > in mrkdwn: a link, a date; a mention never comes from us.
_MARK_UP = re.compile(r"<(https?://[^\s<>|]+(\|[^<>]+)?|!date\^\d+\^[^<>|]+\|[^<>]+)>")


def refuse(message: Mapping[str, Any]) -> str | None:
    """Return the error string that Slack would answer with, or None when it takes the message."""
    wrong = best_match(_SCHEMA.iter_errors(message))
    if wrong is not None:
        return "invalid_blocks" if "blocks" in wrong.absolute_path else "invalid_payload"
    said = [message["text"], *_texts(message.get("blocks", []), "mrkdwn")]
    if any(_bad_mark_up(text) for text in said):
        return "invalid_blocks"
    ids = [each["action_id"] for block in message.get("blocks", []) for each in _buttons(block)]
    if len(ids) != len(set(ids)):
        return "invalid_blocks"
    return "msg_blocks_too_long" if sum(map(len, _texts(message, None))) > _TOTAL else None


def _bad_mark_up(text: str) -> bool:
    """Tell whether anything but our links and dates is left where Slack sees mark-up."""
    rest = _MARK_UP.sub("", text)
    return "<" in rest or ">" in rest or re.search(r"&(?!(amp|lt|gt);)", text) is not None


def _buttons(block: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return block["elements"] if block["type"] == "actions" else []


def _texts(value: Any, kind: str | None) -> Iterator[str]:
    """Yield every text in a message, or every one that stands in a text object of this kind."""
    match value:
        case str() if kind is None:
            yield value
        case {"type": str(type_), "text": str(text)} if kind is not None:
            yield from [text] if type_ == kind else []
        case dict():
            for each in value.values():
                yield from _texts(each, kind)
        case list():
            for each in value:
                yield from _texts(each, kind)
        case _:
            return


@dataclass
class FakeSlack:
    """One incoming webhook, and the Web API for the bot with `TOKEN` in the channel C1.

    Without `readable` the bot may not read what stands in the channel.
    `messages` are those it took, `updates` those that were changed; `answers` are given first, one a request. `pace`
    makes it answer 429 to a message that comes less than so many seconds after the one before. `hang` makes it take
    messages and answer nothing. `taken_at` is when each message came, in seconds of the loop's clock.
    """

    pace: float | None = None
    hang: bool = False
    readable: bool = True
    messages: list[Mapping[str, Any]] = field(default_factory=list)
    updates: list[Mapping[str, Any]] = field(default_factory=list)
    taken_at: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    answers: deque[tuple[int, str, Mapping[str, str]]] = field(default_factory=deque)
    url: str = ""
    api: str = ""
    requests: int = 0
    _taken_at: float | None = None
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post(_PATH, self._post)
        app.router.add_post(f"{_API}{{method}}", self._call)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.url, self.api = base + _PATH, base + _API
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

    def fail(self, error: str) -> None:
        """Answer the next call of the Web API with an error, as that does: with 200."""
        self.answer(200, json.dumps({"ok": False, "error": error}))

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
        await self._take(message)
        return web.Response(text="ok")

    async def _call(self, request: web.Request) -> web.Response:
        self.requests += 1
        if self.answers:
            status, text, headers = self.answers.popleft()
            kind = "application/json" if text.startswith("{") else "text/plain"
            return web.Response(status=status, text=text, headers=headers, content_type=kind)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        match request.match_info["method"]:
            case "auth.test":
                return web.json_response({"ok": True, "team": "Newsroom", "user": "monitor"})
            case "conversations.history" | "conversations.replies":
                return self._read(await request.post())
            case method:
                return await self._written(method, await request.json())

    async def _written(self, method: str, message: Mapping[str, Any]) -> web.Response:
        error = refuse(message) or self._misplaced(message)
        if error is not None:
            self.refused.append(error)
            return web.json_response({"ok": False, "error": error})
        if method == "chat.update":
            self.updates.append(message)
            return web.json_response({"ok": True, "channel": "C1", "ts": message["ts"]})
        return await self._posted(message)

    async def _posted(self, message: Mapping[str, Any]) -> web.Response:
        if self._too_fast(asyncio.get_running_loop().time()):
            answer = {"ok": False, "error": "ratelimited"}
            return web.json_response(answer, status=429, headers={"Retry-After": "1"})
        await self._take(message)
        # What matters stands behind what is long.
        said = {"ok": True, "message": message, "channel": "C1", "ts": self.ts_of(-1)}
        return web.json_response(said)

    def _read(self, asked: Mapping[str, Any]) -> web.Response:
        """Answer with the messages of the channel, or of one thread, the newest first."""
        if not self.readable:
            return web.json_response({"ok": False, "error": "missing_scope"})
        root = asked.get("ts")
        found = [
            {**message, "ts": self.ts_of(number)}
            for number, message in enumerate(self.messages)
            if message.get("thread_ts") == root or self.ts_of(number) == root
        ]
        return web.json_response({"ok": True, "messages": found[::-1][: int(asked["limit"])]})

    def ts_of(self, number: int) -> str:
        """Return the `ts` of a message that was taken."""
        return f"1768478400.{range(len(self.messages))[number]:06}"

    def _misplaced(self, message: Mapping[str, Any]) -> str | None:
        if message.get("channel") != "C1":
            return "channel_not_found"
        known = {self.ts_of(n) for n in range(len(self.messages))}
        if message.get("thread_ts", message.get("ts", "")) not in {*known, ""}:
            return "thread_not_found"
        return None

    async def _take(self, message: Mapping[str, Any]) -> None:
        self.messages.append(message)
        self.taken_at.append(asyncio.get_running_loop().time())
        if self.hang:
            await asyncio.sleep(60)

    def _too_fast(self, now: float) -> bool:
        if self.pace is None:
            return False
        too_fast = self._taken_at is not None and now - self._taken_at < self.pace
        if not too_fast:
            self._taken_at = now
        return too_fast
