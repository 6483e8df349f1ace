"""The targets that are switched on, each with its channel, over changes of the configuration."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from monitor.channels import LONGEST_ATTEMPT
from monitor.channels.webhook import WebhookChannel
from monitor.core.notice import told_elsewhere
from monitor.core.render.message import STORIES_SHOWN
from monitor.core.render.slack import STORIES_LIMIT
from monitor.core.render.webhook import ALERTS_LIMIT
from monitor.core.retry import STALE, STALE_WEBHOOK, waits_for
from monitor.core.targets import (
    AppriseTarget,
    DiscordTarget,
    EmailTarget,
    MattermostTarget,
    NtfyTarget,
    SlackBotTarget,
    SlackTarget,
    Target,
    TeamsTarget,
    TelegramTarget,
    WebhookTarget,
    kind_of,
)
from monitor.core.telling import RoutingTable
from monitor.ports import Channel, LaneTerms
from monitor.services.deliverer import Lane

NOBODY = RoutingTable()
_SHORT = 8  # stories that fit into a message of 4,096 bytes in any script
_EVERY = timedelta(milliseconds=100)  # ten a second, to whom nothing else is known
# How fast each takes messages by its documentation, with a little to spare. A reader takes no more than some at once,
# and a digest tells as many as its rendering shows.
_READERS = LaneTerms(gap=_EVERY, most_folded=STORIES_SHOWN)
_CHAT = LaneTerms(
    gap=timedelta(milliseconds=1050), in_flight=1, most_waiting=5, most_folded=STORIES_LIMIT
)
_SLOWER = LaneTerms(gap=timedelta(seconds=3), in_flight=1, most_waiting=5, most_folded=_SHORT)
_TERMS: Mapping[type, LaneTerms] = {
    SlackTarget: _CHAT,
    SlackBotTarget: _CHAT,
    TeamsTarget: _CHAT,
    MattermostTarget: _CHAT,
    DiscordTarget: _SLOWER,  # 30 a minute and webhook
    TelegramTarget: _SLOWER,  # 20 a minute and group
    NtfyTarget: replace(_SLOWER, gap=timedelta(seconds=5)),
    AppriseTarget: _SLOWER,
    EmailTarget: LaneTerms(gap=_EVERY, most_waiting=10, most_folded=STORIES_SHOWN),
    WebhookTarget: LaneTerms(gap=_EVERY, most_folded=ALERTS_LIMIT),
}


class Lanes:
    """Builds lanes, and keeps those of targets that did not change, with their connections."""

    def __init__(self, channel: Callable[[Target], Channel], timeout: timedelta) -> None:
        """Build channels by `channel`; an attempt takes at most `timeout`, by email as long as mail servers need."""
        self._channel = channel
        self._timeout = timeout
        self._lanes: dict[str, tuple[Target, Lane]] = {}
        self._retired: list[Lane] = []

    def change(self, targets: Sequence[Target], table: RoutingTable = NOBODY) -> dict[str, Lane]:
        """Return the lanes for `targets`, by target id. Whom the `table` names hears of those that are switched off.

        Those no longer used are closed with the rest, at the end: an attempt may still be under way.
        """
        before, self._lanes = self._lanes, {}
        for target in targets:
            known = before.get(target.id)
            if known and known[0] == target:
                self._lanes[target.id] = before.pop(target.id)
            else:
                self._lanes[target.id] = (target, self._build(target))
        self._retired += [lane for _, lane in before.values()]
        return {
            target_id: replace(lane, notify=told_elsewhere(target, targets, table))
            for target_id, (target, lane) in self._lanes.items()
        }

    async def close(self) -> None:
        """Close every channel there ever was."""
        for lane in (*self._retired, *(lane for _, lane in self._lanes.values())):
            await lane.channel.close()

    def _build(self, target: Target) -> Lane:
        channel = self._channel(target)
        return Lane(
            kind=kind_of(target),
            channel=channel,
            waits=waits_for(target),
            timeout=self._attempt_timeout(target),
            keeps_time=isinstance(channel, WebhookChannel),  # one request, timed by the wire
            terms=_terms(target),
            stale=STALE_WEBHOOK if isinstance(target, WebhookTarget) else STALE,
            reads_late=not isinstance(target, WebhookTarget),
            subscriber=target.subscriber,
            zone=target.zone,
        )

    def _attempt_timeout(self, target: Target) -> timedelta:
        """Return how long an attempt may take.

        A mail server may think for long before it takes a message, and being cut off there sends it twice.
        """
        patient = isinstance(target, EmailTarget | AppriseTarget)
        return max(self._timeout, LONGEST_ATTEMPT) if patient else self._timeout


def _terms(target: Target) -> LaneTerms:
    usual = _TERMS.get(type(target), _READERS)
    gap = usual.gap if target.gap is None else target.gap
    ordered = isinstance(target, WebhookTarget) and target.ordered
    return replace(usual, gap=gap, ordered=ordered)
