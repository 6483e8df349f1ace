"""Where a worker can be killed: before or after the n-th call of any operation of any port.

The product knows nothing of this: the ports are wrapped from outside.
"""

import inspect
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

from monitor.ports import (
    ArticleLog,
    Channel,
    DeliveryLedger,
    FeedStore,
    Fetcher,
    Habits,
    MatchLog,
    Parser,
    PublicStream,
    Registry,
    StoreHealth,
)

CHANNELS = (
    *("webhook", "email", "slack", "slackbot", "teams", "discord", "mattermost", "telegram"),
    "ntfy",
)
PORTS: dict[str, type] = {
    "feeds": FeedStore,
    "articles": ArticleLog,
    "matches": MatchLog,
    "public": PublicStream,
    "ledger": DeliveryLedger,
    "health": StoreHealth,
    "fetcher": Fetcher,
    "parser": Parser,
    "registry": Registry,
    "habits": Habits,
    **dict.fromkeys(CHANNELS, Channel),
}
# Not called by a service at work here: questions of the command line and of listeners, and what happens when feeds are
# added, removed or pushed.
NOT_AT_WORK = {
    "feeds.states",
    "feeds.schedule",
    "feeds.unschedule",
    "feeds.scheduled",
    "feeds.take",
    "feeds.turn",  # at work only where pages are read, as is the next
    "feeds.answered",
    "public.read",
    "public.last",
    "ledger.get",
    "ledger.find",
    "ledger.attempts",
    "ledger.replay",
    "ledger.next_due",
    "ledger.standings",
    "ledger.health",  # at work only when two attempts at a target end at once
    "habits.tell",  # at work only where a rule has a habit, see `test_burst`
    "health.ping",
    "registry.put_all",
    "registry.remove",
    "registry.holder",
    *(f"{kind}.close" for kind in CHANNELS),
}


def operations() -> list[str]:
    """Every operation that a service at work calls, as `port.method`, in the order of the flow."""
    names = [
        f"{port}.{name}"
        for port, protocol in PORTS.items()
        for name, member in vars(protocol).items()
        if inspect.iscoroutinefunction(member)
    ]
    return [name for name in names if name not in NOT_AT_WORK]


@dataclass(frozen=True)
class CrashPoint:
    """Die before or after the `nth` call (from 1) of `operation`."""

    operation: str
    when: Literal["before", "after"]
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.when}:{self.operation}:{self.nth}"

    @classmethod
    def parse(cls, text: str) -> Self:
        when, operation, nth = text.split(":")
        return cls(operation, "before" if when == "before" else "after", int(nth))


class Executioner:
    """Wraps ports, counts calls over all of them, and kills this process at the point."""

    def __init__(self, point: CrashPoint | None) -> None:
        self.point = point
        self.calls: Counter[str] = Counter()

    def wrap(self, port: str, inner: Any) -> Any:
        return _Wrapped(self, port, inner)

    def reached(self, when: str, operation: str, nth: int) -> None:
        point = self.point
        if point and (point.when, point.operation, point.nth) == (when, operation, nth):
            os.kill(os.getpid(), signal.SIGKILL)


class _Wrapped:
    """Looks like the port it wraps."""

    def __init__(self, executioner: Executioner, port: str, inner: Any) -> None:
        self._executioner = executioner
        self._port = port
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._inner, name)
        return self._counted(name, member) if inspect.iscoroutinefunction(member) else member

    def _counted(
        self, name: str, member: Callable[..., Awaitable[Any]]
    ) -> Callable[..., Awaitable[Any]]:
        operation = f"{self._port}.{name}"

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._executioner.calls[operation] += 1
            nth = self._executioner.calls[operation]
            self._executioner.reached("before", operation, nth)
            result = await member(*args, **kwargs)
            self._executioner.reached("after", operation, nth)
            return result

        return call
