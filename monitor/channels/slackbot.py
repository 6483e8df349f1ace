"""Messages by a Slack bot: one thread a story, edits and follow-ups in it, and a count of sources on its first message.

Our own POST and not `slack_sdk`: see docs/decisions/0024-slack-without-its-sdk.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec
import structlog

from monitor.channels import http
from monitor.channels.exchange import Answer
from monitor.channels.memory import Memory
from monitor.channels.post import fields, noted, own_body, refuses_layout
from monitor.channels.slack import GONE
from monitor.channels.slackhistory import HISTORY_BYTES, found_in, marked, question
from monitor.channels.wire import Wire
from monitor.core.model import Delivery, Severity
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.render import Message, blocks, text_only
from monitor.core.render.template import Composer
from monitor.core.retry import parse_retry_after
from monitor.core.stories import story_of
from monitor.core.targets import SlackBotTarget
from monitor.errors import StreamError
from monitor.ports import RecordKind
from monitor.registry import RecordCodec

# The answer to a post repeats the post; what we want of it may stand behind that.
_ANSWER_BYTES = 64 * 1024
_PUT_OFF = 3  # attempts, after which it is posted without a look
_RANK = tuple(Severity)
_SOURCES_KEPT = 200
# https://docs.slack.dev/reference/methods/chat.postMessage#errors
_LAYOUT = frozenset(
    (
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
    )
)
_NO_ACCESS = frozenset(
    (
        *(
            "access_denied",
            "account_inactive",
            "ekm_access_denied",
            "invalid_auth",
            "missing_scope",
        ),
        *("no_permission", "not_allowed_token_type", "not_authed", "org_login_required"),
        *("team_access_not_granted", "token_expired", "token_revoked"),
    )
)
_BUSY = frozenset(("ratelimited", "rate_limited", "message_limit_exceeded"))
_TROUBLE = frozenset(
    ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org")
)
_NO_THREAD = frozenset(
    ("thread_not_found", "message_not_found", "invalid_thread_ts", "cannot_reply_to_message")
)

log = structlog.get_logger()

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """The message that a story began with in a channel, and who was heard on it since.

    `root` is that message as it was posted, so that its count can be brought up to date.
    """

    channel: str
    ts: str
    sources: tuple[str, ...] = ()
    severity: Severity = Severity.INFO
    root: Mapping[str, object] = field(default_factory=dict)


KEPT_FOR = timedelta(days=4)  # after the last that was heard of a story
THREADS = RecordCodec(RecordKind.THREAD, Thread)


class SlackBotChannel:
    """One channel of one Slack workspace, by a bot."""

    def __init__(
        self,
        target: SlackBotTarget,
        wire: Wire,
        composer: Composer,
        threads: Memory[Thread],
    ) -> None:
        """Take a wire that the caller closes. A thread that is forgotten costs a second one for its story."""
        self._target = target
        self._wire = wire
        self._composer = composer
        self._threads = threads

    async def deliver(self, delivery: Delivery, now: datetime) -> Outcome:
        """Post the message into the thread of its story, or begin one.

        On a second attempt it is looked for first: the first may have posted it, and its answer been lost. The thread
        is remembered after the post, so that a crash in between begins a second thread at worst.
        """
        told = self._composer.compose(delivery)
        story = story_of(delivery.alert.article)
        thread = None if told.is_digest else await self._find(story)
        if delivery.attempts > 1:
            found = await self._look(delivery, told, thread, now)
            if found is not None:
                return found
        if told.is_digest:
            return noted((await self._say(told, {}, now))[0], told)
        if thread is not None:
            outcome, _ = await self._reply(told, thread, now)
            if not _lacks_thread(outcome):
                if isinstance(outcome, Delivered):
                    await self._count(story, thread, told, now)
                return noted(outcome, told)
        outcome, said = await self._say(told, {}, now)
        if isinstance(outcome, Delivered):
            await self._keep(story, _begun(told, said), now)
        return noted(outcome, told)

    async def _look(
        self, delivery: Delivery, told: Message, thread: Thread | None, now: datetime
    ) -> Outcome | None:
        """Say that the message is there, or that Slack wants to be asked later; None: it has to be posted.

        A bot that may not read the channel cannot know, nor can one that was put off often: they post.
        """
        method, asked = question(delivery, self._target.channel, thread.ts if thread else None)
        outcome, said = await self._call(method, asked, now, HISTORY_BYTES)
        if isinstance(outcome, RetryLater) and outcome.lane:
            return outcome if delivery.attempts <= _PUT_OFF else None
        ts = found_in(said, delivery.id)
        if ts is None:
            return None
        if thread is None and not told.is_digest:
            begun = {"channel": self._target.channel, "ts": ts, "sent": self._body(told)}
            await self._keep(story_of(delivery.alert.article), _begun(told, begun), now)
        return Delivered(status=200, response="an earlier attempt had posted it")

    async def greet(self, now: datetime) -> Outcome:
        """Try the token, and post nothing."""
        return (await self._call("auth.test", {}, now))[0]

    async def close(self) -> None:
        """Do nothing: the wire is shared."""

    async def _reply(self, told: Message, thread: Thread, now: datetime) -> tuple[Outcome, Json]:
        graver = _RANK.index(told.severity) > _RANK.index(thread.severity)
        # What became critical is shown in the channel too.
        broadcast = graver and told.severity is Severity.CRITICAL
        where: dict[str, object] = {"thread_ts": thread.ts}
        return await self._say(told, where | ({"reply_broadcast": True} if broadcast else {}), now)

    async def _count(self, story: str, thread: Thread, told: Message, now: datetime) -> None:
        """Bring the count on the first message up to date. Should that fail, the alert was told all the same."""
        sources = tuple(dict.fromkeys((*thread.sources, told.first.source)))[:_SOURCES_KEPT]
        severity = max(thread.severity, told.severity, key=_RANK.index)
        counted = replace(thread, sources=sources, severity=severity)
        if len(sources) > len(thread.sources):
            body = {**with_count(thread.root, len(sources)), "channel": thread.channel}
            outcome, _ = await self._call("chat.update", {**body, "ts": thread.ts}, now)
            if not isinstance(outcome, Delivered):
                log.warning("count_not_updated", target=self._target.id, detail=outcome.detail)
        if counted != thread:
            await self._keep(story, counted, now)

    async def _say(
        self, told: Message, where: Mapping[str, object], now: datetime
    ) -> tuple[Outcome, Json]:
        """Post a message, and once more as plain text if its layout is refused."""
        common = {"channel": self._target.channel, **marked(told.id), **where}
        body = self._body(told)
        first, said = await self._call("chat.postMessage", {**body, **common}, now)
        if not refuses_layout(first):
            return first, {**said, "sent": body}
        plain = text_only(told)
        second, said = await self._call("chat.postMessage", {**plain, **common}, now)
        return (first if isinstance(second, Rejected) else second), {**said, "sent": plain}

    def _body(self, told: Message) -> Json:
        full = own_body(told)
        return {**text_only(told), **full} if full else blocks(told)

    async def _call(
        self, method: str, body: Json, now: datetime, keep: int = _ANSWER_BYTES
    ) -> tuple[Outcome, Json]:
        """Call a method. Those that read take a form, the others JSON."""
        reads = method.startswith("conversations.")
        form = urlencode({name: str(value) for name, value in body.items()})
        data = form.encode() if reads else msgspec.json.encode(body)
        kind = "application/x-www-form-urlencoded" if reads else "application/json"
        headers = {
            "content-type": f"{kind}; charset=utf-8",
            "authorization": f"Bearer {self._target.token.reveal()}",
        }
        url = f"{self._target.api.rstrip('/')}/{method}"
        answer = await http.post(self._wire, url, data, headers, keep=keep)
        if not isinstance(answer, Answer):
            return answer, {}
        return outcome(answer, now), fields(answer)

    async def _find(self, story: str) -> Thread | None:
        try:
            return await self._threads.find(self._target.id, story)
        except StreamError as error:
            log.warning("thread_not_found", target=self._target.id, error=str(error))
            return None

    async def _keep(self, story: str, thread: Thread | None, now: datetime) -> None:
        if thread is None:
            return
        try:
            await self._threads.keep(self._target.id, story, thread, now)
        except StreamError as error:
            log.warning("thread_not_kept", target=self._target.id, error=str(error))


def with_count(root: Json, sources: int) -> Json:
    """Return the first message of a thread with a line that counts the sources, at its end."""
    told = root.get("blocks")
    layout = (
        [each for each in told if each.get("block_id") != _COUNTED]
        if isinstance(told, list)
        else []
    )
    text = {"type": "mrkdwn", "text": f"Now in {sources} sources", "verbatim": True}
    line = {"type": "context", "block_id": _COUNTED, "elements": [text]}
    # The buttons stay last.
    actions = [each for each in layout if each.get("type") == "actions"]
    others = [each for each in layout if each.get("type") != "actions"]
    return {**root, "blocks": [*others, line, *actions]} if layout else root


_COUNTED = "sources"


def _begun(told: Message, said: Json) -> Thread | None:
    channel, ts, sent = said.get("channel"), said.get("ts"), said.get("sent")
    if not isinstance(channel, str) or not isinstance(ts, str) or not isinstance(sent, dict):
        return None
    return Thread(
        channel=channel, ts=ts, sources=(told.first.source,), severity=told.severity, root=sent
    )


def _lacks_thread(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejected) and outcome.response in _NO_THREAD


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Say what an answer of the Web API means: mostly it is 200 with `ok` and, if that is false, an error string."""
    usual, said = http.outcome(answer, now), fields(answer)
    error = str(said.get("error", ""))[:100]
    status, detail = answer.status, f"Slack answered {answer.status} {error}".rstrip()
    if said.get("ok") is True and isinstance(usual, Delivered):
        return Delivered(status=status, response="ok")
    if error in _BUSY or (isinstance(usual, RetryLater) and usual.lane):
        after = parse_retry_after(answer.headers.get("Retry-After"), now)
        reason = DeliveryReason.RATE_LIMITED
        return RetryLater(reason=reason, detail=detail, after=after, lane=True, status=status)
    if error in _TROUBLE or (isinstance(usual, Delivered) and not error):
        reason = DeliveryReason.SERVER_ERROR if error else DeliveryReason.BAD_RESPONSE
        return RetryLater(reason=reason, detail=detail, status=status)
    if not error:
        return usual
    if error in _NO_ACCESS:
        reason, target = DeliveryReason.UNAUTHORIZED, True
    elif error in GONE:
        reason, target = DeliveryReason.GONE, True
    else:
        layout = error in _LAYOUT
        reason = DeliveryReason.PAYLOAD_REFUSED if layout else DeliveryReason.CLIENT_ERROR
        target = False
    return Rejected(reason=reason, detail=detail, target=target, status=status, response=error)
