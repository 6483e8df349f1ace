"""Asks a receiver whether it wants our requests before the first one, and again every week."""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from monitor.channels.exchange import Answer
from monitor.channels.http import ask, outcome
from monitor.channels.memory import Memory
from monitor.channels.wire import Wire
from monitor.core.consent import Consent, consent_in, request_headers
from monitor.core.model import Delivery
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.targets import WebhookTarget
from monitor.errors import StreamError
from monitor.ports import Channel, RecordKind
from monitor.registry import RecordCodec

KEPT_FOR = timedelta(days=7)
CONSENTS = RecordCodec(RecordKind.CONSENT, Consent)

log = structlog.get_logger()


class AskingChannel:
    """A webhook to which nothing is sent before it has agreed.

    One that does not agree is refused as a target: it is asked once more a minute later and then disabled.
    """

    def __init__(
        self,
        inner: Channel,
        target: WebhookTarget,
        wire: Wire,
        consents: Memory[Consent],
    ) -> None:
        """Send by `inner`. The caller closes the wire. A consent that is forgotten costs one more question."""
        self._inner = inner
        self._target = target
        self._wire = wire
        self._consents = consents

    async def deliver(self, delivery: Delivery, now: datetime) -> Outcome:
        """Send the alert, if the receiver agrees or agreed. What arrives says how fast the receiver takes more."""
        consent = await self._remembered() or await self._ask(now)
        if not isinstance(consent, Consent):
            return consent
        sent = await self._inner.deliver(delivery, now)
        return replace(sent, pace=consent.gap) if isinstance(sent, Delivered) else sent

    async def close(self) -> None:
        """Close what it sends by."""
        await self._inner.close()

    async def _ask(self, now: datetime) -> Consent | RetryLater | Rejected:
        origin, url = self._target.origin, self._target.url
        headers = {**self._target.headers, **request_headers(origin, self._target.gap)}
        answer = await ask(self._wire, "OPTIONS", url, headers=headers)
        if not isinstance(answer, Answer):
            return answer
        usual = outcome(answer, now)
        if isinstance(usual, RetryLater) and usual.reason is not DeliveryReason.NOT_FOUND:
            return usual
        consent = consent_in(answer.headers, origin, now)
        if consent is None or not isinstance(usual, Delivered):
            return _refusal(answer, origin)
        await self._keep(consent, now)
        return consent

    async def _remembered(self) -> Consent | None:
        try:
            return await self._consents.find(self._target.id, self._name)
        except StreamError as error:
            log.warning("consent_not_found", target=self._target.id, error=str(error))
            return None

    async def _keep(self, consent: Consent, now: datetime) -> None:
        try:
            await self._consents.keep(self._target.id, self._name, consent, now)
        except StreamError as error:
            log.warning("consent_not_kept", target=self._target.id, error=str(error))

    @property
    def _name(self) -> str:
        """What was agreed to; if any of it changes, it is asked for again."""
        return f"{self._target.origin} {self._target.gap} {self._target.url}"


def _refusal(answer: Answer, origin: str) -> Rejected:
    allowed = answer.headers.get("WebHook-Allowed-Origin", "")[:100]
    said = f"WebHook-Allowed-Origin {allowed!r}" if allowed else "no WebHook-Allowed-Origin"
    return Rejected(
        reason=DeliveryReason.NO_CONSENT,
        detail=f"asked by OPTIONS whether it takes what {origin} sends, it answered HTTP {answer.status} with {said};"
        " have it agree, or remove 'origin' from the target",
        target=True,
        status=answer.status,
    )
