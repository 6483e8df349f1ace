"""Whether a receiver wants what we send: the handshake of CloudEvents webhooks, which is their "abuse protection"."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """That a receiver takes what comes from us, since when, and one message in `gap` at most; 0: any number."""

    given_at: datetime
    gap: timedelta = timedelta()


def request_headers(origin: str, gap: timedelta | None) -> dict[str, str]:
    """Return what asks for consent; with a `gap`, to as many messages a minute as come in it."""
    asked = {"webhook-request-origin": origin}
    if gap:
        asked["webhook-request-rate"] = str(max(1, MINUTE // gap))
    return asked


def consent_in(headers: Mapping[str, str], origin: str, now: datetime) -> Consent | None:
    """Read the answer of a receiver; None when it does not allow this origin. `headers` know no case.

    A rate that cannot be read is none.
    """
    allowed = headers.get("WebHook-Allowed-Origin", "").strip().lower()
    if allowed not in {"*", origin.lower()}:
        return None
    rate = headers.get("WebHook-Allowed-Rate", "").strip()
    counted = rate.isascii() and rate.isdigit() and int(rate[:9]) > 0
    gap = _up_to_milliseconds(MINUTE / int(rate[:9])) if counted else timedelta()
    return Consent(given_at=now, gap=gap)


def _up_to_milliseconds(span: timedelta) -> timedelta:
    """Return the span, a little longer if need be, never shorter: a pace is counted in milliseconds."""
    millisecond = timedelta(milliseconds=1)
    return -(-span // millisecond) * millisecond
