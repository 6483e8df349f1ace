"""How the server keeps a delivery: a hash, read as its values in one order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.core.model import Alert, Delivery, DeliveryState
from monitor.core.outcome import DeliveryReason, HoldReason
from monitor.errors import CodecError
from monitor.streams import codec
from monitor.streams.instants import from_ms

FIELDS = (
    *("state", "attempts", "turn", "created"),  # which the server's functions know by their place
    *("target", "accepted", "alert", "due", "since", "seq"),
    *("reason", "detail", "because", "because_of"),
)
TURN, TARGET = FIELDS.index("turn"), FIELDS.index("target")

_STATES = {state.value.encode(): state for state in DeliveryState}
_REASONS: Mapping[bytes | None, DeliveryReason | None] = {
    b"": None,
    **{reason.value.encode(): reason for reason in DeliveryReason},
}
_HOLDS: Mapping[bytes | None, HoldReason | None] = {
    None: None,
    b"": None,
    **{reason.value.encode(): reason for reason in HoldReason},
}


def read_delivery(
    delivery_id: str, values: Sequence[bytes | None], said: Sequence[bytes] = ()
) -> Delivery:
    """Return the delivery that has these `values`, as `FIELDS` has them in order; raise `CodecError`.

    `said` has, for a digest, what was accepted of each alert and the alert, by turns.
    """
    state, attempts, _, created, target, accepted, alert, due, since, seq, *why = values
    reason, detail, because, because_of = why
    if not (state and attempts and created and target and due) or reason is None or detail is None:
        raise CodecError(f"delivery {delivery_id} is not whole")
    own = said or (accepted, alert)
    try:
        return Delivery(
            id=delivery_id,
            target_id=target.decode(),
            alerts=tuple(map(_alert, own[::2], own[1::2])),
            state=_STATES[state],
            attempts=int(attempts),
            created_at=from_ms(int(created)),
            due_at=from_ms(int(due)),
            reason=_REASONS[reason],
            detail=detail.decode(),
            because=_HOLDS[because],
            because_of=because_of.decode() if because_of else "",
            seq=int(seq) if seq else 0,
            since=_instant(since),
        )
    except KeyError as error:
        raise CodecError(
            f"delivery {delivery_id} says {error}, which this program does not know;"
            " a newer release may have written it"
        ) from error


def _instant(at: bytes | None) -> datetime | None:
    return from_ms(int(at)) if at else None


def _alert(accepted: bytes | None, data: bytes | None) -> Alert:
    if accepted is None or data is None:
        raise CodecError("there is no alert")
    alert = codec.alerts.decode(data)
    if accepted == b"0" and len(alert.matches) == 1:
        return alert
    matches = tuple(alert.matches[int(index)] for index in accepted.split(b","))
    return alert if matches == alert.matches else replace(alert, matches=matches)
