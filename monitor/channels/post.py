"""Channels that are one POST of JSON: chat programs and push services, each with its own words for what went wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec
import structlog

from monitor.channels import http
from monitor.channels.exchange import Answer
from monitor.channels.wire import Wire
from monitor.core.model import Delivery
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected
from monitor.core.render import Message
from monitor.core.render.template import Composer

_CONTENT = {"content-type": "application/json; charset=utf-8"}

log = structlog.get_logger()

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where a message goes and what the answer means.

    `url` may be a credential. `headers` come with every request, and `extra` goes into every body. `judge` reads an
    answer; without it the status alone counts.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    extra: Json = field(default_factory=dict, repr=False)
    judge: Callable[[Answer, datetime], Outcome] = http.outcome


class PostChannel:
    """One receiver of messages as JSON."""

    def __init__(
        self,
        wire: Wire,
        receiver: Receiver,
        composer: Composer,
        full: Callable[[Message], Json],
        plain: Callable[[Message], Json],
    ) -> None:
        """Send what `full` makes of a message or, should the receiver refuse that, what `plain` does.

        The caller closes the wire.
        """
        self._wire = wire
        self._receiver = receiver
        self._composer = composer
        self._full = full
        self._plain = plain

    async def deliver(self, delivery: Delivery, now: datetime) -> Outcome:
        """Post the message, and once more as plain text if its layout is refused.

        A message whose answer was lost is posted again on the next attempt: these receivers know no idempotency key.
        """
        told = self._composer.compose(delivery)
        first = await self._post(own_body(told) or self._full(told), now)
        if refuses_layout(first):
            second = await self._post(self._plain(told), now)
            first = first if isinstance(second, Rejected) else second
        return noted(first, told)

    async def close(self) -> None:
        """Do nothing: the wire is shared."""

    async def _post(self, body: Json, now: datetime) -> Outcome:
        data = msgspec.json.encode({**self._receiver.extra, **body})
        headers = {**_CONTENT, **self._receiver.headers}
        answer = await http.post(self._wire, self._receiver.url, data, headers)
        return self._receiver.judge(answer, now) if isinstance(answer, Answer) else answer


def own_body(told: Message) -> Json:
    """Return the whole body, where the operator's template writes it."""
    return dict(msgspec.json.decode(told.parts.body)) if told.parts.body else {}


def refuses_layout(answer: Outcome) -> bool:
    """Tell whether it is what we sent that the receiver does not take."""
    return isinstance(answer, Rejected) and answer.reason is DeliveryReason.PAYLOAD_REFUSED


def noted(outcome: Outcome, told: Message) -> Outcome:
    """Say, where a template failed, that our own words went out instead."""
    if not told.failed:
        return outcome
    log.warning("template_failed", target=told.target, problem=told.failed)
    if isinstance(outcome, Delivered):
        said = f"template failed, the usual words were sent: {told.failed}"
        return replace(outcome, response=f"{said} | {outcome.response}"[:1024])
    return outcome


def gone(answer: Answer, service: str, error: str) -> Rejected:
    """Say that nothing will ever arrive there until someone makes a new address."""
    return Rejected(
        reason=DeliveryReason.GONE,
        detail=worded(answer, service, error),
        target=True,
        status=answer.status,
        response=answer.text,
    )


def worded(answer: Answer, service: str, error: str) -> str:
    """Put an answer into a few words."""
    return f"{service} answered {answer.status} {error[:200]}".rstrip()


def fields(answer: Answer) -> Mapping[str, object]:
    """Read the body of an answer as a JSON object; nothing when it is none."""
    try:
        value = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
