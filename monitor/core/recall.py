"""What is left to tell of a delivery that waited: what readers and silences have said meanwhile counts too."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.core.matchers import Subject
from monitor.core.model import Alert, Delivery, Match
from monitor.core.outcome import DeliveryReason, Rejected
from monitor.core.pace import Choice
from monitor.core.silences import Silence, silenced_by


def recalled(
    delivery: Delivery, silences: Sequence[Silence], choices: Mapping[str, Choice], now: datetime
) -> Delivery | Rejected:
    """Return the delivery without what is silenced now, or why nothing of it is told any more."""
    choice = choices.get(delivery.target_id)
    if choice and choice.unsubscribed:
        detail = f"the reader of {delivery.target_id} left while it waited"
        return Rejected(reason=DeliveryReason.UNSUBSCRIBED, detail=detail)
    silences = [each for each in silences if each.status(now) == "active"]
    if not silences:
        return delivery
    kept = tuple(_kept(delivery, silences, now))
    if not kept:
        detail = f"silenced while it waited, by {_names(delivery, silences, now)}"
        return Rejected(reason=DeliveryReason.SILENCED, detail=detail)
    return delivery if kept == delivery.alerts else replace(delivery, alerts=kept)


def _kept(delivery: Delivery, silences: Sequence[Silence], now: datetime) -> Iterator[Alert]:
    for alert in delivery.alerts:
        matches = tuple(
            match
            for match in alert.matches
            if _silence(delivery, alert, match, silences, now) is None
        )
        if matches:
            yield alert if matches == alert.matches else replace(alert, matches=matches)


def _names(delivery: Delivery, silences: Sequence[Silence], now: datetime) -> str:
    found = (
        _silence(delivery, alert, match, silences, now)
        for alert in delivery.alerts
        for match in alert.matches
    )
    return ", ".join(dict.fromkeys(f"{each.id} of {each.author}" for each in found if each))


def _silence(
    delivery: Delivery, alert: Alert, match: Match, silences: Sequence[Silence], now: datetime
) -> Silence | None:
    subject = Subject(alert.article, match, alert.subscriber, delivery.target_id)
    return silenced_by(silences, subject, now)
