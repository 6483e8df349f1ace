"""Messages to a topic of ntfy."""

from dataclasses import replace
from datetime import datetime

from monitor.channels import http
from monitor.channels.exchange import Answer
from monitor.channels.post import Receiver, fields, worded
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected
from monitor.core.targets import NtfyTarget


def receiver(target: NtfyTarget) -> Receiver:
    """Return where a target's messages go."""
    bearer = {"authorization": f"Bearer {target.token.reveal()}"} if target.token else {}
    extra = {"topic": target.topic.reveal()}
    return Receiver(url=target.url, headers=bearer, extra=extra, judge=outcome)


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Say what an answer means; a topic that we may not write to concerns the target."""
    usual = http.outcome(answer, now)
    if isinstance(usual, Delivered):
        return usual
    usual = replace(usual, detail=worded(answer, "ntfy", str(fields(answer).get("error", ""))))
    if isinstance(usual, Rejected) and usual.reason is DeliveryReason.UNAUTHORIZED:
        return replace(usual, target=True)
    return usual
