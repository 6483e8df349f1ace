"""A store in memory and one on a server, driven side by side by a state machine."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from monitor.streams.memory import MemoryStore
from monitor.streams.store import Store, open_store
from tests.servers.valkey import empty

T = TypeVar("T")


class TwinStores(RuleBasedStateMachine):
    """Owns an event loop and an emptied store on the server at `url`, which the test sets."""

    url: str

    def __init__(self) -> None:
        """Open both stores."""
        super().__init__()
        self.runner = asyncio.Runner()
        self.memory = MemoryStore(high_water=4)
        self.opening = open_store(self.url, Path("unused"), partitions=1)
        self.run(empty(self.url))
        self.store: Store = self.run(self.opening.__aenter__())

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        """Run one step to its end."""
        return self.runner.run(step)

    def both(self, one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, T]) -> T:
        """Run a step on both stores; they must answer the same."""
        first, second = self.run(one), self.run(other)
        assert first == second
        return first

    def teardown(self) -> None:
        """Close the store and the loop."""
        self.run(self.opening.__aexit__(None, None, None))
        self.runner.close()
