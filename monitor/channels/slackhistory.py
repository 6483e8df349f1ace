"""Whether a message stands in a Slack channel already, because an attempt whose answer was lost had posted it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from monitor.core.model import Delivery

HISTORY_BYTES = 2 * 1024 * 1024  # what fifty messages of ours can be
_LOOKED_AT = 50
_CLOCK_TOLERANCE = timedelta(minutes=10)
_EVENT = "monitor_delivery"

Json = Mapping[str, object]


def marked(delivery_id: str) -> Json:
    """Return what a message carries, unseen by readers, so that it can be found again."""
    return {"metadata": {"event_type": _EVENT, "event_payload": {"id": delivery_id}}}


def question(delivery: Delivery, channel: str, thread_ts: str | None) -> tuple[str, Json]:
    """Return the method and the arguments that ask for the last messages of a channel, or of a thread in it."""
    oldest: datetime = (delivery.since or delivery.created_at) - _CLOCK_TOLERANCE
    arguments = {
        "channel": channel,
        "oldest": f"{oldest.timestamp():.6f}",
        "limit": str(_LOOKED_AT),
        "include_all_metadata": "true",
    }
    if thread_ts is None:
        return "conversations.history", arguments
    return "conversations.replies", {**arguments, "ts": thread_ts}


def found_in(said: Json, delivery_id: str) -> str | None:
    """Return the `ts` of the message that carries this delivery, if it is among those of an answer."""
    messages = said.get("messages")
    for message in messages if isinstance(messages, list) else ():
        match message:
            case {
                "ts": str(ts),
                "metadata": {"event_type": str(event), "event_payload": {"id": str(carried)}},
            } if (event, carried) == (_EVENT, delivery_id):
                return ts
            case _:
                continue
    return None
