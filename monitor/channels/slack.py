"""Alerts to a Slack incoming webhook."""

from dataclasses import replace
from datetime import datetime

from monitor.channels import http
from monitor.channels.exchange import Answer
from monitor.channels.post import Receiver, gone
from monitor.core.outcome import Delivered, Outcome
from monitor.core.targets import SlackTarget

_MISSING = 404
# The webhook or its channel is no more, or was never ours: someone has to make a new one.
GONE = frozenset(
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
        "restricted_action",
        "team_disabled",
        "token_revoked",
        "user_not_found",
    }
)


def receiver(target: SlackTarget) -> Receiver:
    """Return where a target's messages go."""
    return Receiver(url=target.webhook_url.reveal(), judge=outcome)


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Say what an answer of Slack means: the error string in its body, if we know it, and else the status."""
    usual, error = http.outcome(answer, now), answer.text
    if isinstance(usual, Delivered):
        return usual
    if error in GONE or answer.status == _MISSING:
        return gone(answer, "Slack", error[:100])
    return replace(usual, detail=f"Slack answered {answer.status} {error[:100]}".rstrip())
