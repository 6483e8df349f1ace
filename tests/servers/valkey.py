"""Real servers on this machine: one for a test session, without persistence, and a small cluster."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from monitor.streams.binary import find_binary
from monitor.streams.client import connect
from monitor.streams.embedded import GUARD

SLOTS = 16384
PRIMARIES = 3


def start(*settings: str, cwd: Path) -> subprocess.Popen[bytes]:
    """Start the bundled server; it dies with this process."""
    guard = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid())]
    return subprocess.Popen(
        [*guard, str(find_binary().path), *settings],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def stop(*processes: subprocess.Popen[bytes]) -> None:
    """Kill servers whose data nobody will miss."""
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()


def until(condition: str, client: Any, *words: str | int, contains: bytes = b"PONG") -> None:
    """Return when a server's answer to `words` contains `contains`."""
    client.response_callbacks.clear()
    for _ in range(1000):
        try:
            if contains in client.execute_command(*words):
                return
        except RedisError:
            pass
        time.sleep(0.01)
    raise AssertionError(f"never became true: {condition}")


@contextmanager
def running_server(*settings: str) -> Iterator[str]:
    """Yield the URL of an empty server on a unix socket."""
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        path = Path(folder) / "s"
        given = ("--port", "0", "--unixsocket", str(path), "--save", "", *settings)
        process = start(*given, cwd=Path(folder))
        try:
            with Redis(unix_socket_path=str(path), retry=Retry(NoBackoff(), 0)) as client:
                until("the server answers", client, "PING")
            yield "unix://" + quote(str(path))
        finally:
            stop(process)


@contextmanager
def running_cluster() -> Iterator[str]:
    """Yield the URL of an empty cluster of three primaries on loopback."""
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        ports = free_ports(2 * PRIMARIES)
        nodes = list(zip(ports[:PRIMARIES], ports[PRIMARIES:], strict=True))
        processes = [_start_node(port, bus, Path(folder)) for port, bus in nodes]
        try:
            _join(nodes)
            yield f"redis+cluster://127.0.0.1:{ports[0]}"
        finally:
            stop(*processes)


async def empty(url: str) -> None:
    """Delete everything on a server or a cluster."""
    async with connect(url) as server:
        await server.everywhere("FLUSHALL")


def free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _start_node(port: int, bus: int, folder: Path) -> subprocess.Popen[bytes]:
    own = folder / str(port)
    own.mkdir()
    given = ("--port", str(port), "--bind", "127.0.0.1", "--save", "")
    return start(*given, "--cluster-enabled", "yes", "--cluster-port", str(bus), cwd=own)


def _join(nodes: list[tuple[int, int]]) -> None:
    """Give each node its share of the slots and have them meet."""
    clients: list[Any] = [Redis(port=port, retry=Retry(NoBackoff(), 0)) for port, _ in nodes]
    share = -(-SLOTS // len(nodes))
    for n, client in enumerate(clients):
        until("the node answers", client, "PING")
        last = min(SLOTS, (n + 1) * share) - 1
        client.execute_command("CLUSTER ADDSLOTSRANGE", n * share, last)
        client.execute_command("CLUSTER MEET", "127.0.0.1", *nodes[0])
    for client in clients:
        until("the cluster is whole", client, "CLUSTER INFO", contains=b"cluster_state:ok")
        until("all know all", client, "CLUSTER INFO", contains=b"cluster_known_nodes:3")
        client.close()
