"""A publisher, a hub, and `monitor run` between them, killed and started again."""

import asyncio
import signal
import socket
from pathlib import Path

from tests import configuration
from tests.acceptance.daemon import monitor, running
from tests.servers.feeds import document, feed_server, item, rss
from tests.servers.hub import Hub
from tests.wait import wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configure(directory: Path, port: int, *feeds: tuple[str, str]) -> Path:
    """Write a configuration whose daemon is reached by hubs at `port`; `feeds` are ids and addresses."""
    return configuration.write(
        directory / "config",
        monitor={
            "store": {"directory": str(directory / "data")},
            "listen": {"port": port},
            "web": {"public_url": f"http://127.0.0.1:{port}"},
        },
        feeds={feed_id: {"url": url, "every": "1h"} for feed_id, url in feeds},
        rules={"story": "story"},
        subscribers={"desk": [{"console": {}}]},
    )


async def test_a_subscription_outlives_a_kill_and_what_is_pushed_is_told_once(
    tmp_path: Path,
) -> None:
    hub, port = Hub(), free_port()
    async with feed_server() as publisher, hub.running():
        headers = {"Link": f'<{hub.url}>; rel="hub", <{publisher.base}/rss>; rel="self"'}
        url = publisher.script("/rss", document(rss(item(1)), headers=headers))
        config = configure(tmp_path, port, ("one", url))
        async with running("--config", config) as daemon:
            await wait_until(lambda: url in hub.subscribers, "the hub has verified", seconds=60)
            assert await hub.publish(url, rss(item(2), item(1))) == 202
            await daemon.wait_for("delivery_delivered")
            await daemon.end(signal.SIGKILL)
        async with running("--config", config) as daemon:
            await daemon.wait_for("web_listening")
            assert await hub.publish(url, rss(item(2), item(1))) == 202
            assert await hub.publish(url, rss(item(3), item(2))) == 202
            await daemon.wait_for("delivery_delivered")
            assert "Story 3" in daemon.printed
            assert "Story 2" not in daemon.printed
            assert await daemon.end() == 0
        assert len(publisher.requests) == 1


async def test_a_feed_that_is_taken_out_of_the_configuration_is_left_at_its_hub(
    tmp_path: Path,
) -> None:
    hub, port = Hub(), free_port()
    async with feed_server() as publisher, hub.running():
        headers = {"Link": f'<{hub.url}>; rel="hub", <{publisher.base}/rss>; rel="self"'}
        url = publisher.script("/rss", document(rss(item(1)), headers=headers))
        other = publisher.script("/other", document(rss(item(2))))
        config = configure(tmp_path, port, ("one", url), ("other", other))
        async with running("--config", config) as daemon:
            await wait_until(lambda: url in hub.subscribers, "the hub has verified", seconds=60)
            configure(tmp_path, port, ("other", other))
            daemon.process.send_signal(signal.SIGHUP)
            await wait_until(lambda: not hub.subscribers, "the hub has left", seconds=60)
            assert await daemon.end() == 0


async def test_a_feed_that_is_removed_by_command_is_left_at_its_hub(tmp_path: Path) -> None:
    hub, port = Hub(), free_port()
    async with feed_server() as publisher, hub.running():
        headers = {"Link": f'<{hub.url}>; rel="hub", <{publisher.base}/rss>; rel="self"'}
        url = publisher.script("/rss", document(rss(item(1)), headers=headers))
        config = configure(tmp_path, port, ("other", publisher.script("/other", document(rss()))))
        async with running("--config", config) as daemon:
            await daemon.wait_for("web_listening")
            add = ("add", url, "--id", "one", "--every", "1s")
            done = await asyncio.to_thread(monitor, "feeds", *add, "--config", config)
            assert done.returncode == 0, done.stderr
            await wait_until(lambda: url in hub.subscribers, "the hub has verified", seconds=60)
            await asyncio.to_thread(monitor, "feeds", "remove", "one", "--config", config)
            await wait_until(lambda: not hub.subscribers, "the hub has left", seconds=60)
            assert [asked["hub.mode"] for asked in hub.asked] == ["subscribe", "unsubscribe"]
            assert await daemon.end() == 0
