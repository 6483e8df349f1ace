"""Commands called in this process, on a store that the test fills."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result

from monitor.cli.main import cli
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.store import open_store
from tests import configuration
from tests.servers.valkey import empty

T = TypeVar("T")
SECRET = "whsec_" + "QUFB" * 11


@dataclass(frozen=True)
class Desk:
    """A configuration, a store, and the commands over both."""

    config: Path
    url: str
    monkeypatch: pytest.MonkeyPatch

    def write(self, *targets: dict[str, Any]) -> None:
        configuration.write(self.config, subscribers={"desk": list(targets)})

    def monitor(self, *words: str, stdin: str = "") -> Result:
        """Run a command to its end; what it raises comes out here, and exits stay exits."""
        self.monkeypatch.setenv("REDIS_URL", self.url)
        self.monkeypatch.setenv("MONITOR_CONFIG", str(self.config))
        return CliRunner().invoke(cli, words, input=stdin)

    def with_ledger(self, work: Callable[[StreamDeliveryLedger], Awaitable[T]]) -> T:
        """Do something with the store from behind."""

        async def opened() -> T:
            async with open_store(self.url, self.config) as store:
                return await work(StreamDeliveryLedger(store))

        return asyncio.run(opened())


@pytest.fixture
def desk(server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Yield a desk with one webhook and an empty store."""
    asyncio.run(empty(server_url))
    desk = Desk(tmp_path / "config", server_url, monkeypatch)
    desk.config.mkdir()
    (desk.config / "key").write_text(SECRET)
    desk.write({"webhook": {"url": "http://127.0.0.1:9/hook", "secret_file": "key"}})
    return desk
