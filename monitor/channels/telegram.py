"""Messages by a Telegram bot."""

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.channels import http
from monitor.channels.exchange import Answer
from monitor.channels.post import Receiver, fields, gone, worded
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.targets import TelegramTarget

_UNAUTHORIZED, _FORBIDDEN, _MISSING, _WRONG = 401, 403, 404, 400
# What a 400 says when the chat is the trouble and not the message.
_NO_CHAT = (
    "chat not found",
    "group chat was upgraded",
    "not enough rights",
    "need administrator",
    "user not found",
)


def receiver(target: TelegramTarget) -> Receiver:
    """Return where a target's messages go. The token is part of the address."""
    url = f"{target.api.rstrip('/')}/bot{target.token.reveal()}/sendMessage"
    return Receiver(url=url, extra={"chat_id": target.chat}, judge=outcome)


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Say what an answer means; Telegram says in words what a 400 is about, and in the body how long to wait."""
    usual, said = http.outcome(answer, now), fields(answer)
    error = str(said.get("description", ""))
    if isinstance(usual, Delivered):
        if said.get("ok") is True:
            return usual
        detail = worded(answer, "Telegram", "what is no answer of Telegram")
        return RetryLater(reason=DeliveryReason.BAD_RESPONSE, detail=detail, status=answer.status)
    if answer.status in {_UNAUTHORIZED, _MISSING}:  # the token is wrong, or was revoked
        detail = worded(answer, "Telegram", error)
        reason = DeliveryReason.UNAUTHORIZED
        return Rejected(reason=reason, detail=detail, target=True, status=answer.status)
    if answer.status == _FORBIDDEN or (
        answer.status == _WRONG and any(words in error.lower() for words in _NO_CHAT)
    ):
        return gone(answer, "Telegram", error)
    parameters = said.get("parameters")
    asked = parameters.get("retry_after") if isinstance(parameters, dict) else None
    if isinstance(usual, RetryLater) and usual.lane and isinstance(asked, int | float):
        usual = replace(usual, after=timedelta(seconds=min(max(float(asked), 0), 1e6)))
    return replace(usual, detail=worded(answer, "Telegram", error))
