"""Messages to an incoming webhook of Mattermost."""

from dataclasses import replace
from datetime import datetime

from monitor.channels import http
from monitor.channels.exchange import Answer
from monitor.channels.post import Receiver, fields, gone, worded
from monitor.core.outcome import Delivered, Outcome
from monitor.core.targets import MattermostTarget

_GONE = frozenset((401, 403, 404))
# A webhook, team or channel that is no more answers 400 with one of these ids, or 501 when webhooks are switched off.
_GONE_IDS = frozenset(
    (
        "web.incoming_webhook.invalid.app_error",
        "web.incoming_webhook.channel.app_error",
        "web.incoming_webhook.channel_locked.app_error",
        "web.incoming_webhook.disabled.app_error",
        "web.incoming_webhook.permissions.app_error",
        "web.incoming_webhook.user.app_error",
    )
)


def receiver(target: MattermostTarget) -> Receiver:
    """Return where a target's messages go."""
    return Receiver(url=target.webhook_url.reveal(), judge=outcome)


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Say what an answer means; Mattermost names its errors."""
    usual = http.outcome(answer, now)
    if isinstance(usual, Delivered):
        return usual
    error = str(fields(answer).get("id", ""))
    if answer.status in _GONE or error in _GONE_IDS:
        return gone(answer, "Mattermost", error)
    return replace(usual, detail=worded(answer, "Mattermost", error))
