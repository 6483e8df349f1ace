"""Alerts to a Slack incoming webhook."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import aiohttp
import msgspec

from monitor.channels import http
from monitor.channels.http import Answer
from monitor.core.model import Delivery
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected
from monitor.core.render import blocks, message, text_only
from monitor.core.targets import SlackTarget

_HEADERS = {"content-type": "application/json; charset=utf-8"}
_MISSING = 404
# The webhook or its channel is no more, or was never ours: someone has to make a new one.
_GONE = frozenset(
    {
        "account_inactive",
        "action_prohibited",
        "channel_is_archived",
        "channel_not_found",
        "invalid_auth",
        "invalid_token",
        "is_archived",
        "no_active_hooks",
        "no_service",
        "no_service_id",
        "no_team",
        "not_in_channel",
        "posting_to_general_channel_denied",
        "team_disabled",
        "token_revoked",
        "user_not_found",
    }
)


class SlackChannel:
    """One channel of one Slack workspace."""

    def __init__(self, target: SlackTarget, session: aiohttp.ClientSession) -> None:
        """Take a session that the caller closes."""
        self._target = target
        self._session = session

    async def deliver(self, delivery: Delivery, now: datetime) -> Outcome:
        """Post the alert; should Slack refuse how it is laid out, post it once more as plain text.

        A message whose answer was lost is posted again on the next attempt: Slack knows no idempotency key.
        """
        told = message(delivery)
        first = await self._post(blocks(told), now)
        if not _refuses_layout(first):
            return first
        second = await self._post(text_only(told), now)
        return first if isinstance(second, Rejected) else second

    async def close(self) -> None:
        """Do nothing: the session is shared."""

    async def _post(self, message: Mapping[str, object], now: datetime) -> Outcome:
        url, body = self._target.webhook_url.reveal(), msgspec.json.encode(message)
        answer = await http.post(self._session, url, body, _HEADERS)
        return outcome(answer, now) if isinstance(answer, Answer) else answer


def _refuses_layout(answer: Outcome) -> bool:
    return isinstance(answer, Rejected) and answer.reason is DeliveryReason.PAYLOAD_REFUSED


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Say what an answer of Slack means: the error string in its body, if we know it, and else the status."""
    usual, error = http.outcome(answer, now), answer.text
    if isinstance(usual, Delivered):
        return usual
    detail = f"Slack answered {answer.status} {error[:100]}".rstrip()
    if error in _GONE or answer.status == _MISSING:
        return Rejected(
            reason=DeliveryReason.GONE,
            detail=detail,
            target=True,
            status=answer.status,
            response=error,
        )
    return replace(usual, detail=detail)
