"""Stands in for a channel that cannot be built now."""

from datetime import datetime

from monitor.core.model import Delivery
from monitor.core.outcome import DeliveryReason, RetryLater


class UnreadyChannel:
    """Delivers nothing: everything is tried again later, by when there may be a channel."""

    def __init__(self, why: str) -> None:
        """Give `why` as the reason."""
        self._why = why

    async def deliver(self, delivery: Delivery, now: datetime) -> RetryLater:  # noqa: ARG002 - the port's signature
        """Say that it has to wait."""
        return RetryLater(reason=DeliveryReason.NOT_READY, detail=self._why)

    async def close(self) -> None:
        """Keep nothing open."""
