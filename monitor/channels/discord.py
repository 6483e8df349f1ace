"""Messages to a Discord webhook."""

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.channels import http
from monitor.channels.exchange import Answer
from monitor.channels.post import Receiver, fields, gone, worded
from monitor.core.outcome import Delivered, Outcome, RetryLater
from monitor.core.targets import DiscordTarget

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
_GONE_CODES = frozenset((10003, 10015, 50027))  # unknown channel, unknown webhook, wrong token
_GONE_STATUSES = frozenset((401, 403, 404))


def receiver(target: DiscordTarget) -> Receiver:
    """Return where a target's messages go."""
    return Receiver(url=target.webhook_url.reveal(), judge=outcome)


def outcome(answer: Answer, now: datetime) -> Outcome:
    """Say what an answer means: a webhook that was deleted is unknown, or its token wrong."""
    usual = http.outcome(answer, now)
    if isinstance(usual, Delivered):
        return usual
    said = fields(answer)
    error = str(said.get("message", ""))
    if answer.status in _GONE_STATUSES or said.get("code") in _GONE_CODES:
        return gone(answer, "Discord", error)
    asked = said.get("retry_after")  # to the millisecond; the header has whole seconds
    if isinstance(usual, RetryLater) and usual.lane and isinstance(asked, int | float):
        usual = replace(usual, after=timedelta(seconds=min(max(float(asked), 0), 1e6)))
    return replace(usual, detail=worded(answer, "Discord", error))
