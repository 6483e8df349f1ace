"""Messages to a Teams workflow that posts adaptive cards."""

from dataclasses import replace
from datetime import datetime

from monitor.channels import http
from monitor.channels.exchange import Answer
from monitor.channels.post import Receiver, fields, gone, worded
from monitor.core.outcome import Delivered, Outcome
from monitor.core.targets import TeamsTarget

_GONE = frozenset((401, 403, 404))
# A workflow that was switched off or deleted answers 400 with one of these codes.
_GONE_CODES = frozenset(("WorkflowTriggerIsNotEnabled", "WorkflowNotFound", "WorkflowDisabled"))


def receiver(target: TeamsTarget) -> Receiver:
    """Return where a target's messages go."""
    return Receiver(url=target.webhook_url.reveal(), judge=outcome)


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Say what an answer means. A workflow takes a card with 202, before it posts it."""
    usual = http.outcome(answer, now)
    if isinstance(usual, Delivered):
        return usual
    error = fields(answer).get("error")
    code = str(error.get("code", "")) if isinstance(error, dict) else ""
    if answer.status in _GONE or code in _GONE_CODES:
        return gone(answer, "Teams", code)
    return replace(usual, detail=worded(answer, "Teams", code))
